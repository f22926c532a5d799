"""The native dialect: every request and every push (docs/protocol.md), on top of named rooms."""

from collections.abc import Iterable
from typing import ClassVar

from server.domain.rooms import LiveRoom
from server.gateway.connection import ClientConnection
from server.gateway.dialects.named import ObjectJoinDialect
from server.gateway.fanout import RoomEvent, encode_push_frame
from server.protocol import entries
from server.protocol.codec import REQUEST_EVENTS

_PUSH_EVENTS: dict[type[entries.WireStruct], str] = {
    **dict.fromkeys((entries.Message, entries.JoinNotice, entries.LeaveNotice, entries.NickNotice), entries.MESSAGE),
    **dict.fromkeys((entries.Edit, entries.Deletion, entries.Reaction, entries.TopicChange), entries.UPDATE),
    entries.PresencePush: entries.PRESENCE,
    entries.TypingPush: entries.TYPING,
}


class NativeDialect(ObjectJoinDialect):
    """What chat-tui, the SDK and the page speak."""

    name: ClassVar[str] = "native"
    event_names: ClassVar[frozenset[str]] = REQUEST_EVENTS

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """All news, each under its event; messages and notices as in named rooms."""
        frame = encode_push_frame(_PUSH_EVENTS[type(room_event)], room_event)
        for recipient in recipients:
            recipient.push(frame)
