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

from tui_chat.client import sanitize
from tui_chat.client.errors import DeliveryUnknown
from tui_chat.client.outbox.item import UNCONFIRMED_REASON
from tui_chat.protocol.events import JoinNotice, Message
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import JoinResponse, RoomState, SendResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

ECHO_TIMEOUT = 10.0
"""Seconds in which a line should come back."""


class BasicMessage(Struct, rename="camel"):
    """What a plain server pushes when somebody said something (WIRE 2.1; as bare text WIRE 2.2)."""

    message: str
    nick_name: str = ""


class _NativeMarkers(Struct):
    kind: str | None = None
    seq: int | None = None


class _NativeAck(Struct):
    ok: bool


_push_decoder = msgspec.json.Decoder(BasicMessage | str)
_markers_decoder = msgspec.json.Decoder(_NativeMarkers)
_ack_decoder = msgspec.json.Decoder(_NativeAck)


def decode_basic_push(event: str, body: bytes) -> BasicMessage | None:
    """What a push of a plain server says; None for any other, those of a chat server too."""
    if event != "message":
        return None
    try:
        push = _push_decoder.decode(body)
        if isinstance(push, str):
            return BasicMessage(push)
        markers = _markers_decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return push if markers.kind is None and markers.seq is None else None


def is_native_ack(body: bytes) -> bool:
    """Whether an acknowledgement is one of a chat server (docs/protocol.md, "Requests")."""
    try:
        _ack_decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


class ExpectedEcho(Struct, eq=False):
    """A line that left, and what to call when it came back, or when that became doubtful."""

    text: str
    on_echo: Callable[[Message], None]
    on_unconfirmed: Callable[[], None]
    timer: asyncio.TimerHandle | None = None

    def expire(self) -> None:
        """It should have come back by now. It may do so still."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
            self.on_unconfirmed()

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class BasicServer:
    """What is said in one room of a plain server.

    Args:
        nick: Your own nickname, now.
        now_ms: Milliseconds since the epoch.
    """

    def __init__(self, get_nick: Callable[[], str], now_ms: Callable[[], int]) -> None:
        self._get_nick = get_nick
        self._now_ms = now_ms
        self._last_seq = 0
        self._expected_echoes: list[ExpectedEcho] = []

    def make_join_response(self, room: str, last_seq: int) -> JoinResponse:
        """The answer to a join that a plain server does not give; `last` is the highest `seq` known."""
        state = RoomState(name=room, topic="", last_seq=last_seq, visibility="public")
        nick = self._get_nick()
        return JoinResponse(
            room=state,
            nick_name=nick,
            member_id=_nick_member_id(nick),
            guest_key="",
            members=[],
            messages=[],
            has_more=False,
        )

    def convert_push(self, room: str, push: BasicMessage, last_seq: int) -> Message | JoinNotice:
        """What was pushed, as a chat server would have told it, and clean; `last` is the highest `seq` known."""
        nick = sanitize.nickname(push.nick_name) or room
        if push.message == f"{push.nick_name} 加入了 {room} 房间":
            notice = JoinNotice(
                room=room, nick_name=nick, member_id=_nick_member_id(nick), message=push.message, ts=self._now_ms()
            )
            return replace(notice, message=sanitize.line(notice.message))
        self._last_seq = max(self._last_seq, last_seq) + 1
        return sanitize.message(
            Message(
                room=room,
                seq=self._last_seq,
                id=self._last_seq,
                nick_name=nick,
                member_id=_nick_member_id(nick),
                message=push.message,
                ts=self._now_ms(),
            )
        )

    def match_echo(self, message: Message) -> None:
        """Somebody said this; it may be a line of your own (rule 2)."""
        if message.nick_name == self._get_nick():
            text = message.message.strip()
            echo = next((echo for echo in self._expected_echoes if echo.text == text), None)
            if echo is not None:
                self.cancel_echo(echo)
                echo.on_echo(message)

    def on_disconnected(self) -> None:
        """The connection has ended: nothing comes back any more."""
        echoes, self._expected_echoes = self._expected_echoes, []
        for echo in echoes:
            echo.expire()

    def cancel_echo(self, echo: ExpectedEcho) -> None:
        """Do not wait for this one."""
        echo.cancel()
        if echo in self._expected_echoes:
            self._expected_echoes.remove(echo)

    async def send_with_callbacks(
        self,
        transport: "Transport",
        request: SendMessage,
        on_echo: Callable[[Message], None],
        on_unconfirmed: Callable[[], None],
    ) -> ExpectedEcho:
        """Send a line, and expect it back.

        Args:
            transport: The connection.
            request: What to say; only the room and the text travel.
            came: Gets it as it was said.
            doubtful: Called, at most once, when it did not come back. `came` may still be called after that.

        Raises:
            ConnectionLost: There is no connection; it did not leave.
        """
        basic_request = SendMessage(room=request.room, nick_name=self._get_nick(), message=request.message)
        await transport.send(basic_request)
        echo = ExpectedEcho(sanitize.body(basic_request.message).strip(), on_echo, on_unconfirmed)
        echo.timer = asyncio.get_running_loop().call_later(ECHO_TIMEOUT, echo.expire)
        self._expected_echoes.append(echo)
        return echo

    async def send(self, transport: "Transport", request: SendMessage) -> SendResponse:
        """Send a line, and wait until it has come back.

        Raises:
            ConnectionLost: There is no connection; it did not leave.
            Doubtful: Nobody knows whether it was said.
        """
        echoed: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def on_echo(message: Message) -> None:
            if not echoed.done():
                echoed.set_result(message)

        def on_unconfirmed() -> None:
            if not echoed.done():
                echoed.set_exception(DeliveryUnknown(UNCONFIRMED_REASON))

        echo = await self.send_with_callbacks(transport, request, on_echo, on_unconfirmed)
        try:
            message = await echoed
        finally:
            self.cancel_echo(echo)
        return SendResponse(seq=message.seq, id=message.id, ts=message.ts, duplicate=False)


def _nick_member_id(nick: str) -> str:
    # A nickname is all by which such a server tells people apart.
    return f"nick:{nick}"
