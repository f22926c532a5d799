"""Named rooms: `joinRoom {roomName, nickName}`, `sendMessage {room, message}`, `message` (WIRE, section 2.1).

The base of the native dialect: the same events with fewer fields. So every
reader gets the native pushes, whose other fields and events a plain client
does not look at.
"""

from collections.abc import Awaitable, Iterable
from typing import ClassVar

from msgspec import Raw
from msgspec.structs import replace

from server.domain.room_registry import LiveRoom
from server.engineio.connection import ClientConnection
from server.gateway.dialects.dialect import Dialect
from server.gateway.fanout import MembershipNotice, RoomEvent, encode_push_frame
from server.gateway.handlers import Handlers
from tui_chat.protocol import events, requests, responses
from tui_chat.protocol.codec import decode_request

CLIENT_KIND = "object_join"
"""What the others are told of somebody who joined without asking for the answer, as no native client does."""


class ObjectJoinDialect(Dialect):
    """Joins, messages and notices."""

    event_names: ClassVar[frozenset[str]] = frozenset({"joinRoom", "sendMessage"})

    def decode(self, connection: ClientConnection, event: str, arguments: list[Raw]) -> requests.Request:
        """The event's one argument as a request of its name."""
        return decode_request(event, arguments[0] if arguments else b"null")

    def handle(
        self, handlers: Handlers, connection: ClientConnection, request: requests.Request, *, wants_ack: bool
    ) -> Awaitable[events.WireStruct]:
        """Do it; a join that nobody waits for reads no history."""
        if isinstance(request, requests.JoinRoom):
            return self._handle_join(handlers, connection, request, wants_ack)
        return handlers.handle(connection, request)

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """Messages and notices."""
        if isinstance(room_event, events.Message | MembershipNotice):
            frame = encode_push_frame(events.MESSAGE, room_event)
            for recipient in recipients:
                recipient.push(frame)

    async def _handle_join(
        self, handlers: Handlers, connection: ClientConnection, request: requests.JoinRoom, wants_ack: bool
    ) -> responses.JoinResponse:
        if wants_ack:
            return await handlers.join(connection, request, dialect=self.name, client_kind=None)
        return await handlers.join(connection, replace(request, limit=1), dialect=self.name, client_kind=CLIENT_KIND)
