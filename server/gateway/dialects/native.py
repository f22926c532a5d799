"""The native dialect: every request and every push (docs/protocol.md), on top of named rooms."""

from collections.abc import Iterable
from typing import ClassVar

from server.domain.rooms import LiveRoom
from server.gateway.connection import Connection
from server.gateway.dialects.named import Named
from server.gateway.fanout import News, push_frame
from server.protocol import entries
from server.protocol.codec import REQUEST_EVENTS

_PUSHES: dict[type[entries.WireStruct], str] = {
    **dict.fromkeys((entries.Message, entries.JoinNotice, entries.LeaveNotice, entries.NickNotice), entries.MESSAGE),
    **dict.fromkeys((entries.Edit, entries.Deletion, entries.Reaction, entries.TopicChange), entries.UPDATE),
    entries.PresencePush: entries.PRESENCE,
    entries.TypingPush: entries.TYPING,
}


class Native(Named):
    """What chat-tui, the SDK and the page speak."""

    name: ClassVar[str] = "native"
    events: ClassVar[frozenset[str]] = REQUEST_EVENTS

    def tell(self, room: LiveRoom[Connection], news: News, readers: Iterable[Connection]) -> None:
        """All news, each under its event; messages and notices as in named rooms."""
        frame = push_frame(_PUSHES[type(news)], news)
        for reader in readers:
            reader.push(frame)
