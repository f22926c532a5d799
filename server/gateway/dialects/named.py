"""Named rooms: `joinRoom {roomName, nickName}`, `sendMessage {room, message}`, `message` (WIRE, section 2.1).

The base of the native dialect: the same events with fewer fields. So every
reader gets the native pushes, whose other fields and events a plain client
does not look at.
"""

from collections.abc import Awaitable, Iterable
from typing import ClassVar

from msgspec import Raw
from msgspec.structs import replace

from server.domain.rooms import LiveRoom
from server.gateway.commands import Commands
from server.gateway.connection import Connection
from server.gateway.dialects.dialect import Dialect
from server.gateway.fanout import News, Notice, push_frame
from server.protocol import answers, entries, requests
from server.protocol.codec import decode_request

VIA = "named"
"""What the others are told of somebody who joined without asking for the answer, as no native client does."""


class Named(Dialect):
    """Joins, messages and notices."""

    events: ClassVar[frozenset[str]] = frozenset({"joinRoom", "sendMessage"})

    def decode(self, connection: Connection, event: str, arguments: list[Raw]) -> requests.Request:
        """The event's one argument as a request of its name."""
        return decode_request(event, arguments[0] if arguments else b"null")

    def carry_out(
        self, commands: Commands, connection: Connection, request: requests.Request, *, answered: bool
    ) -> Awaitable[entries.WireStruct]:
        """Do it; a join that nobody waits for reads no history."""
        if isinstance(request, requests.JoinRoom):
            return self._join(commands, connection, request, answered)
        return commands.carry_out(connection, request)

    def tell(self, room: LiveRoom[Connection], news: News, readers: Iterable[Connection]) -> None:
        """Messages and notices."""
        if isinstance(news, entries.Message | Notice):
            frame = push_frame(entries.MESSAGE, news)
            for reader in readers:
                reader.push(frame)

    async def _join(
        self, commands: Commands, connection: Connection, request: requests.JoinRoom, answered: bool
    ) -> answers.JoinResponse:
        if answered:
            return await commands.join(connection, request, form=self.name, via=None)
        return await commands.join(connection, replace(request, limit=1), form=self.name, via=VIA)
