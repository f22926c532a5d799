"""A server that knows only `joinRoom`, `sendMessage` and `message` (WIRE 2.1), and acknowledges nothing.

Many small Socket.IO servers are like that. They keep nothing and tell nothing but
what is said; this module makes a room of it.

Rule 1  What is said has no `seq`: it is numbered here in the order it came, for as
        long as the program runs, and kept on no disk.
Rule 2  A line of your own was said when it comes back: your nickname and its text, the
        oldest first.
Rule 3  Nothing is said twice. What left and has not come back, after `ECHO_PATIENCE`
        seconds or when the connection ends, is doubtful, and only a person says it again.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.protocol.answers import JoinResponse, RoomState, SendResponse
from server.protocol.entries import JoinNotice, Message
from server.protocol.requests import SendMessage
from tui_chat.client import cleaning
from tui_chat.client.errors import Doubtful
from tui_chat.client.posting import DOUBT

if TYPE_CHECKING:
    from tui_chat.client.transport import Transport

ECHO_PATIENCE = 10.0
"""Seconds in which a line should come back."""


class Said(Struct, rename="camel"):
    """What a plain server pushes when somebody said something (WIRE 2.1; as bare text WIRE 2.2)."""

    message: str
    nick_name: str = ""


class _Marked(Struct):
    kind: str | None = None
    seq: int | None = None


class _Outcome(Struct):
    ok: bool


_said = msgspec.json.Decoder(Said | str)
_marked = msgspec.json.Decoder(_Marked)
_outcome = msgspec.json.Decoder(_Outcome)


def said(event: str, body: bytes) -> Said | None:
    """What a push of a plain server says; None for any other, those of a chat server too."""
    if event != "message":
        return None
    try:
        push = _said.decode(body)
        if isinstance(push, str):
            return Said(push)
        marks = _marked.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return push if marks.kind is None and marks.seq is None else None


def is_outcome(body: bytes) -> bool:
    """Whether an acknowledgement is one of a chat server (docs/protocol.md, "Requests")."""
    try:
        _outcome.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


class Echo(Struct, eq=False):
    """A line that left, and what to call when it came back, or when that became doubtful."""

    text: str
    came: Callable[[Message], None]
    doubtful: Callable[[], None]
    timer: asyncio.TimerHandle | None = None

    def doubt(self) -> None:
        """It should have come back by now. It may do so still."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
            self.doubtful()

    def forget(self) -> None:
        """Nobody wants to know any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class PlainTalk:
    """What is said in one room of a plain server.

    Args:
        nick: Your own nickname, now.
        now_ms: Milliseconds since the epoch.
    """

    def __init__(self, nick: Callable[[], str], now_ms: Callable[[], int]) -> None:
        self._nick = nick
        self._now_ms = now_ms
        self._numbered = 0
        self._echoes: list[Echo] = []

    def entered(self, room: str, last: int) -> JoinResponse:
        """The answer to a join that a plain server does not give; `last` is the highest `seq` known."""
        state = RoomState(name=room, topic="", last_seq=last, visibility="public")
        nick = self._nick()
        return JoinResponse(
            room=state, nick_name=nick, member_id=_id_of(nick), guest_key="", members=[], messages=[], has_more=False
        )

    def overheard(self, room: str, push: Said, last: int) -> Message | JoinNotice:
        """What was pushed, as a chat server would have told it, and clean; `last` is the highest `seq` known."""
        nick = cleaning.nickname(push.nick_name) or room
        if push.message == f"{push.nick_name} 加入了 {room} 房间":
            notice = JoinNotice(
                room=room, nick_name=nick, member_id=_id_of(nick), message=push.message, ts=self._now_ms()
            )
            return replace(notice, message=cleaning.line(notice.message))
        self._numbered = max(self._numbered, last) + 1
        return cleaning.message(
            Message(
                room=room,
                seq=self._numbered,
                id=self._numbered,
                nick_name=nick,
                member_id=_id_of(nick),
                message=push.message,
                ts=self._now_ms(),
            )
        )

    def came_back(self, message: Message) -> None:
        """Somebody said this; it may be a line of your own (rule 2)."""
        if message.nick_name == self._nick():
            text = message.message.strip()
            echo = next((echo for echo in self._echoes if echo.text == text), None)
            if echo is not None:
                self.forget(echo)
                echo.came(message)

    def broken(self) -> None:
        """The connection has ended: nothing comes back any more."""
        echoes, self._echoes = self._echoes, []
        for echo in echoes:
            echo.doubt()

    def forget(self, echo: Echo) -> None:
        """Do not wait for this one."""
        echo.forget()
        if echo in self._echoes:
            self._echoes.remove(echo)

    async def say(
        self,
        transport: "Transport",
        request: SendMessage,
        came: Callable[[Message], None],
        doubtful: Callable[[], None],
    ) -> Echo:
        """Send a line, and expect it back.

        Args:
            transport: The connection.
            request: What to say; only the room and the text travel.
            came: Gets it as it was said.
            doubtful: Called, at most once, when it did not come back. `came` may still be called after that.

        Raises:
            ConnectionLost: There is no connection; it did not leave.
        """
        plain = SendMessage(room=request.room, nick_name=self._nick(), message=request.message)
        await transport.tell(plain)
        echo = Echo(cleaning.body(plain.message).strip(), came, doubtful)
        echo.timer = asyncio.get_running_loop().call_later(ECHO_PATIENCE, echo.doubt)
        self._echoes.append(echo)
        return echo

    async def send(self, transport: "Transport", request: SendMessage) -> SendResponse:
        """Send a line, and wait until it has come back.

        Raises:
            ConnectionLost: There is no connection; it did not leave.
            Doubtful: Nobody knows whether it was said.
        """
        done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def came(message: Message) -> None:
            if not done.done():
                done.set_result(message)

        def doubtful() -> None:
            if not done.done():
                done.set_exception(Doubtful(DOUBT))

        echo = await self.say(transport, request, came, doubtful)
        try:
            message = await done
        finally:
            self.forget(echo)
        return SendResponse(seq=message.seq, id=message.id, ts=message.ts, duplicate=False)


def _id_of(nick: str) -> str:
    # A nickname is all by which such a server tells people apart.
    return f"nick:{nick}"
