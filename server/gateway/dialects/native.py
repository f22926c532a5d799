"""The native dialect: every request and every push (docs/protocol.md), on top of named rooms."""

from collections.abc import Iterable
from typing import ClassVar

from server.domain.rooms import Room
from server.gateway.connection import Connection
from server.gateway.dialects.named import Named
from server.gateway.fanout import News, push_frame
from server.protocol import entries
from server.protocol.codec import EVENTS

_PUSHES: dict[type[entries.Wire], str] = {
    **dict.fromkeys((entries.Edit, entries.Deletion, entries.Reaction, entries.TopicChange), entries.UPDATE),
    entries.PresencePush: entries.PRESENCE,
    entries.TypingPush: entries.TYPING,
}


class Native(Named):
    """What chat-tui, the SDK and the page speak."""

    name: ClassVar[str] = "native"
    events: ClassVar[frozenset[str]] = EVENTS

    def tell(self, room: Room[Connection], news: News, readers: Iterable[Connection]) -> None:
        """Messages and notices as in named rooms, and all other news under its event."""
        event = _PUSHES.get(type(news))
        if event is None:
            super().tell(room, news, readers)
            return
        frame = push_frame(event, news)
        for reader in readers:
            reader.push(frame)
