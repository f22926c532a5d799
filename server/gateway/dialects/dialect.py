"""What a dialect is: one way in which clients ask, and in which they read (docs/dialects.md).

Rule 1  A dialect asks through the same commands as all others: whatever it is
        called there, a request is cleaned, limited, journalled and told alike.
Rule 2  It says nothing of its own: all that its readers get is news of the
        room in its form, encoded once however many they are.
Rule 3  It believes no name in a payload: who speaks is whoever joined.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, ClassVar

from msgspec import Raw

from server.domain.room_registry import LiveRoom, RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.fanout import RoomEvent
from server.gateway.handlers import Handlers
from tui_chat.protocol.codec import encode_error, encode_response
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import Request


@dataclass(frozen=True, slots=True)
class DialectContext:
    """What a dialect may look at.

    Attributes:
        lobby: Who is where.
        zone: In which times of day are told; None for the machine's own.
    """

    room_registry: RoomRegistry[ClientConnection]
    timezone: tzinfo | None


class Dialect(ABC):
    """One dialect; one object of it serves all connections.

    Attributes:
        name: What rooms call those who read in it, and what `via` tells of them.
        events: The events that may be its own.
    """

    name: ClassVar[str]
    event_names: ClassVar[frozenset[str]]

    def __init__(self, context: DialectContext) -> None:
        self.context = context

    def matches(self, event: str, arguments: list[Raw]) -> bool:
        """Whether an event, one of `events`, is of this dialect by its arguments; the table asks in its order."""
        return True

    @abstractmethod
    def decode(self, connection: ClientConnection, event: str, arguments: list[Raw]) -> Request:
        """The request that an event of this connection stands for.

        Raises:
            ChatError: It is not valid; nothing of it may be used.
        """

    @abstractmethod
    def handle(
        self, handlers: Handlers, connection: ClientConnection, request: Request, *, wants_ack: bool
    ) -> Awaitable[Any]:
        """Do it, by the commands that all dialects share.

        A dialect that has nothing to do itself gives the command's own awaitable:
        each coroutine in between is woken, too, for every message.

        Args:
            request: What `decode` gave.
            answered: The client asked for an acknowledgement.

        Returns:
            What `answer` encodes.
        """

    def encode_result(self, result: Any) -> bytes:
        """The acknowledgement's one argument, as JSON."""
        return encode_response(result)

    def encode_failure(self, error: ChatError) -> bytes:
        """The same for a request that was refused."""
        return encode_error(error)

    @abstractmethod
    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """Push the news to these readers in this form, or leave it when the form has no words for it."""
