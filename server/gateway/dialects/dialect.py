"""Base class of dialects: client vocabularies for requests and pushes (docs/dialects.md).

- Shared handlers: sanitizing, limits, storage and fan-out do not depend on the dialect.
- Encoding: each distinct frame of a room event is encoded once, not once per recipient.
- Identity: the author of a message in a joined room is the member of the connection; names in the payload are ignored.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from datetime import tzinfo
from typing import Any, ClassVar, TypeVar

import msgspec

from server.domain.live_room import LiveRoom
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame
from server.gateway.fanout import RoomEvent
from server.gateway.handlers import Handlers
from tui_chat.protocol import codec, errors, requests

PayloadT = TypeVar("PayloadT")


class Dialect(ABC):
    """One dialect; a single instance serves all connections.

    Attributes:
        name: Name of the dialect in rooms, and `via` of its members, except in the native dialect.
        room_registry: Rooms with members.
        timezone: Time zone of formatted times; None selects the local one.
    """

    name: ClassVar[str]

    def __init__(self, room_registry: RoomRegistry[ClientConnection], timezone: tzinfo | None) -> None:
        self.room_registry = room_registry
        self.timezone = timezone

    @abstractmethod
    def matches(self, event: str, arguments: list[msgspec.Raw]) -> bool:
        """Return whether an event with these arguments belongs to the dialect; the first match decodes the event."""

    @abstractmethod
    def decode(self, connection: ClientConnection, event: str, arguments: list[msgspec.Raw]) -> requests.Request:
        """Convert an event into a validated request; `arguments` are undecoded JSON.

        Raises:
            ChatError: The event is unknown, or the arguments are invalid.
        """

    def handle(
        self, handlers: Handlers, connection: ClientConnection, request: requests.Request, *, wants_ack: bool
    ) -> Awaitable[Any]:
        """Run a request with the shared handlers; a join subscribes the connection to pushes of this dialect.

        The default implementation returns the awaitable of the handler, because each coroutine in between costs one
        resumption per message.

        Args:
            handlers: Shared request handlers.
            connection: Sender of the request.
            request: Result of `decode`.
            wants_ack: The client requested an acknowledgement.

        Returns:
            Awaitable of the argument of `encode_result`.

        Raises:
            ChatError: The request is rejected (`Handlers`).
        """
        if isinstance(request, requests.JoinRoom):
            return handlers.room_entry.join(connection, request, dialect=self.name, client_kind=self.name)
        return handlers.handle(connection, request)

    def encode_result(self, result: Any) -> bytes:
        """Return the only argument of the acknowledgement as JSON; by default, `{"ok": true, …}`."""
        return codec.encode_response(result)

    def encode_failure(self, error: errors.ChatError) -> bytes:
        """Return the acknowledgement of a rejected request as JSON; by default, `{"ok": false, "error": {…}}`."""
        return codec.encode_error(error)

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """Push a room event to recipients; by default, the frame of `encode_push`, if any."""
        frame = self.encode_push(room, room_event)
        if frame is not None:
            for recipient in recipients:
                recipient.push(frame)

    def encode_push(self, room: LiveRoom[ClientConnection], room_event: RoomEvent) -> Frame | None:
        """Return the frame of a room event, None for an event that the dialect does not support; by default, None."""
        return None

    def close(self) -> None:  # noqa: B027 (optional for subclasses)
        """Discard scheduled pushes; by default, without effect."""


def decode_payload(payload_type: type[PayloadT], arguments: list[msgspec.Raw]) -> PayloadT:
    """Decode the first argument of an event; further arguments are ignored, and a missing argument counts as null.

    Raises:
        BadRequest: The argument is not JSON, not of the type, or nested too deeply.
    """
    try:
        return msgspec.convert(msgspec.json.decode(arguments[0]) if arguments else None, payload_type)
    except errors.DECODE_ERRORS as error:
        raise codec.to_bad_request(error) from None
