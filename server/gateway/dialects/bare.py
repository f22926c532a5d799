"""Bare rooms: `joinRoom "tea"`, `sendMessage {room, message}`, and `message` as a plain string (WIRE, section 2.2).

Nobody has a name there, so to everybody else a bare member is a guest with a
number. What is sent is the native `sendMessage` already.
"""

from collections.abc import Iterable
from typing import ClassVar

import msgspec
from msgspec import Raw

from server.domain.rooms import LiveRoom
from server.gateway import packets
from server.gateway.commands import Commands
from server.gateway.connection import Connection
from server.gateway.dialects.dialect import Dialect
from server.gateway.fanout import News
from server.gateway.frames import Frame
from server.protocol import answers, entries, requests
from server.protocol.errors import BadRequest

NICK_NAME = "guest"
"""What the others see; the second one is `guest2`."""

_room = msgspec.json.Decoder(str)


class Bare(Dialect):
    """Strings."""

    name: ClassVar[str] = "bare"
    events: ClassVar[frozenset[str]] = frozenset({"joinRoom"})

    def takes(self, event: str, arguments: list[Raw]) -> bool:
        """A join whose first argument is a string."""
        return bool(arguments) and bytes(arguments[0]).startswith(b'"')

    def decode(self, connection: Connection, event: str, arguments: list[Raw]) -> requests.Request:
        """A join as a guest."""
        try:
            return requests.JoinRoom(room_name=_room.decode(arguments[0]), nick_name=NICK_NAME, limit=1)
        except msgspec.MsgspecError:
            raise BadRequest("a room's name has to be a string") from None

    async def carry_out(
        self, commands: Commands, connection: Connection, request: requests.Request, *, answered: bool
    ) -> answers.JoinResponse:
        """Join."""
        assert isinstance(request, requests.JoinRoom)
        return await commands.join(connection, request, form=self.name, via=self.name)

    def tell(self, room: LiveRoom[Connection], news: News, readers: Iterable[Connection]) -> None:
        """Messages, who came, and what is said of those who have a name."""
        text = self._text(room, news)
        if text is not None:
            frame = Frame(packets.event(msgspec.json.encode((entries.MESSAGE, text))))
            for reader in readers:
                reader.push(frame)

    def _text(self, room: LiveRoom[Connection], news: News) -> str | None:
        match news:
            case entries.JoinNotice(via=self.name, more=more):
                who = f"新用户等 {more + 1} 人" if more else "新用户"
                return f"{who}加入了 {room.name} 房间"
            case entries.LeaveNotice(via=self.name):
                return None  # there is no word for somebody without a name who left
            case entries.Message() | entries.JoinNotice() | entries.LeaveNotice() | entries.NickNotice():
                return news.message
            case _:
                return None
