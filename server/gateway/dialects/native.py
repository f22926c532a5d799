"""Native dialect with all requests and pushes (docs/protocol.md), an extension of `object_join`."""

from collections.abc import Iterable
from typing import ClassVar

from server.domain.room_registry import LiveRoom
from server.engineio.connection import ClientConnection
from server.gateway.dialects.object_join import ObjectJoinDialect
from server.gateway.fanout import RoomEvent, encode_push_frame
from tui_chat.protocol import events
from tui_chat.protocol.codec import REQUEST_EVENTS

_PUSH_EVENTS: dict[type[events.WireStruct], str] = {
    **dict.fromkeys((events.Message, events.JoinNotice, events.LeaveNotice, events.NickNotice), events.MESSAGE),
    **dict.fromkeys((events.Edit, events.Deletion, events.Reaction, events.TopicChange), events.UPDATE),
    events.PresencePush: events.PRESENCE,
    events.TypingPush: events.TYPING,
}


class NativeDialect(ObjectJoinDialect):
    """Dialect of chat-tui, the SDK and the browser page."""

    name: ClassVar[str] = "native"
    event_names: ClassVar[frozenset[str]] = REQUEST_EVENTS

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """Push each room event under its native event name."""
        frame = encode_push_frame(_PUSH_EVENTS[type(room_event)], room_event)
        for recipient in recipients:
            recipient.push(frame)
