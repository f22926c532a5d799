"""Dialect with `joinRoom {roomName, nickName}`, `sendMessage {room, message}` and `message` (docs/dialects.md).

The native dialect extends this one with more fields and events. Pushes use the native format;
basic clients ignore the additional fields.
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
"""`via` of members that join without an acknowledgement; native clients always request one."""


class ObjectJoinDialect(Dialect):
    """Dialect with object payloads for joins and messages."""

    event_names: ClassVar[frozenset[str]] = frozenset({"joinRoom", "sendMessage"})

    def decode(self, connection: ClientConnection, event: str, arguments: list[Raw]) -> requests.Request:
        """Decode the first argument as the request of the same name.

        Further arguments are ignored; without arguments, the request is invalid.
        """
        return decode_request(event, arguments[0] if arguments else b"null")

    def handle(
        self, handlers: Handlers, connection: ClientConnection, request: requests.Request, *, wants_ack: bool
    ) -> Awaitable[events.WireStruct]:
        """Run a request; a join without an acknowledgement reads a minimal history.

        Such a join also marks the member as a basic client (`via`).
        """
        if isinstance(request, requests.JoinRoom):
            return self._handle_join(handlers, connection, request, wants_ack)
        return handlers.handle(connection, request)

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """Push messages and notices; ignore other events."""
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
