"""Native dialect with all requests and pushes (docs/protocol.md), and its subset `object_join` (docs/dialects.md).

`object_join` clients use `joinRoom {roomName, nickName}` without an acknowledgement, `sendMessage {room, message}` and
`message`. The native pushes contain additional fields and events, which these clients ignore.
"""

from collections.abc import Awaitable
from typing import Any, ClassVar, get_args

from msgspec import Raw, structs

from server.domain.live_room import LiveRoom
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame, encode_event
from server.gateway.dialects.dialect import Dialect
from server.gateway.fanout import RoomEvent
from server.gateway.handlers import Handlers
from tui_chat.protocol import codec, events, requests

_PUSH_EVENTS: dict[type[events.WireStruct], str] = {
    **dict.fromkeys((events.Message, events.JoinNotice, events.LeaveNotice, events.NickNotice), events.MESSAGE),
    **dict.fromkeys(get_args(events.Update), events.UPDATE),
    events.PresencePush: events.PRESENCE,
    events.TypingPush: events.TYPING,
}


class NativeDialect(Dialect):
    """Dialect of chat-tui, the SDK, the browser page and `object_join` clients."""

    name: ClassVar[str] = "native"

    def matches(self, event: str, arguments: list[Raw]) -> bool:
        """Return True, because the dialect rejects the unknown events of all clients."""
        return True

    def decode(self, connection: ClientConnection, event: str, arguments: list[Raw]) -> requests.Request:
        """Decode the first argument as the request with the name of the event; further arguments are ignored.

        Raises:
            ChatError: The event is unknown, or the argument is invalid.
        """
        return codec.decode_request(event, arguments[0] if arguments else b"null")

    def handle(
        self, handlers: Handlers, connection: ClientConnection, request: requests.Request, *, wants_ack: bool
    ) -> Awaitable[Any]:
        """Run a request; a join without an acknowledgement is that of an `object_join` client.

        Such a join reads at most one entry of the history, and `via` of the member is `object_join`.
        """
        if not isinstance(request, requests.JoinRoom):
            return handlers.handle(connection, request)
        return handlers.room_entry.join(
            connection,
            request if wants_ack else structs.replace(request, limit=1),
            dialect=self.name,
            client_kind=None if wants_ack else "object_join",
        )

    def encode_push(self, room: LiveRoom[ClientConnection], room_event: RoomEvent) -> Frame:
        """Return the frame of a room event under its native event name."""
        return encode_event(_PUSH_EVENTS[type(room_event)], room_event)
