"""Adapter for basic servers: `joinRoom`, `sendMessage` and `message` without acknowledgements.

Source: docs/clients.md, "Basic servers".

- Numbering: `seq` is assigned locally, in order of arrival.
- Join notices: the first push after a join is the announcement of the user's join if it has the user's nickname as
  author and in its text. The same text with the nickname of another author announces that member. Servers that
  announce in another way send ordinary messages.
- Echo: a push with the user's nickname and the text of a sent message confirms the oldest such message.
- At most once: no message is sent twice. Without an echo after `ECHO_TIMEOUT` seconds or at a
  connection loss, the message is unconfirmed, and only the user resends.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable

from msgspec import Struct

from tui_chat.client import sanitize
from tui_chat.client.errors import DeliveryUnknown
from tui_chat.client.net.basic_codec import BasicMessage
from tui_chat.client.outbox_item import UNCONFIRMED
from tui_chat.protocol.events import JoinNotice, Message
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import JoinResponse, RoomState, SendResponse

SendFunction = Callable[[SendMessage], Awaitable[None]]

ECHO_TIMEOUT = 10.0
"""Time limit for the echo of a message, in seconds."""


class _NamedMessage(SendMessage, frozen=True, kw_only=True):
    nick_name: str


class ExpectedEcho(Struct, eq=False):
    """Sent message that awaits its echo, with callbacks for both outcomes."""

    text: str
    on_echo: Callable[[Message], None]
    on_unconfirmed: Callable[[], None]
    timer: asyncio.TimerHandle | None = None

    def expire(self) -> None:
        """Report the message as unconfirmed. A late echo on the same connection is still matched.

        No effect on a second call or after `cancel`.
        """
        if self.timer is not None:
            self.cancel()
            self.on_unconfirmed()

    def cancel(self) -> None:
        """Cancel the timeout without a callback."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class BasicServer:
    """State of one room on a basic server.

    Args:
        get_nick: Returns the user's current nickname.
        now_ms: Clock in milliseconds since the epoch.
    """

    def __init__(self, get_nick: Callable[[], str], now_ms: Callable[[], int]) -> None:
        self._get_nick = get_nick
        self._now_ms = now_ms
        self._last_seq = 0
        self._expected_echoes: list[ExpectedEcho] = []
        self._is_first_push = True
        self._announcement_forms: list[tuple[str, str]] = []  # text before and after the nickname

    def make_join_response(self, room: str, last_seq: int) -> JoinResponse:
        """Return the join response that a basic server does not send: no members, messages, log id and guest key."""
        nick = self._get_nick()
        return JoinResponse(
            room=RoomState(name=room, topic="", log_id="", first_seq=1, last_seq=last_seq, visibility="public"),
            nick_name=nick,
            member_id=_nick_member_id(nick),
            guest_key="",
            members=[],
            messages=[],
            has_more=False,
        )

    def convert_push(self, room: str, push: BasicMessage, last_seq: int) -> Message | JoinNotice:
        """Convert a push to a sanitized message or join notice.

        A message takes the next local `seq`, above `last_seq` and all previous results; the id is the same number. A
        join notice, including that of the user, takes no `seq`. The timestamp is the current time. A missing nickname
        is replaced by the room name.
        """
        nick = sanitize.nickname(push.nick_name) or room
        if self._is_announcement(push):
            text = sanitize.line(push.message)
            return JoinNotice(
                room=room, nick_name=nick, member_id=_nick_member_id(nick), message=text, ts=self._now_ms()
            )
        self._last_seq = max(self._last_seq, last_seq) + 1
        return sanitize.received(
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

    def _is_announcement(self, push: BasicMessage) -> bool:
        """Return whether a push announces a join: its text has a known form around the nickname of its author.

        The first push after a join, by the user, replaces the known forms: one per occurrence of the nickname in its
        text. A push without a nickname, with an expected echo or with a text above `MAX_LINE_LENGTH` is no announcement
        and keeps the forms.
        """
        is_first, self._is_first_push = self._is_first_push, False
        nick, text = push.nick_name, push.message
        is_own = nick == self._get_nick()
        is_echo = is_own and self._find_echo(sanitize.body(text)) is not None
        if not nick or is_echo or len(text) > sanitize.MAX_LINE_LENGTH:
            return False
        if is_first and is_own:
            self._announcement_forms = [
                (text[: match.start()], text[match.end() :]) for match in re.finditer(re.escape(nick), text)
            ]
        return any(text == f"{before}{nick}{after}" for before, after in self._announcement_forms)

    def _find_echo(self, text: str) -> ExpectedEcho | None:
        return next((echo for echo in self._expected_echoes if echo.text == text.strip()), None)

    def match_echo(self, message: Message) -> None:
        """Remove the oldest expected echo with the text of a sanitized message, even an expired one; call `on_echo`.

        Messages with another nickname than the user's, and without an expected echo, are ignored.
        """
        if message.nick_name == self._get_nick() and (echo := self._find_echo(message.message)) is not None:
            self.cancel_echo(echo)
            echo.on_echo(message)

    def on_disconnected(self) -> None:
        """Remove all expected echoes, and call `on_unconfirmed` of those that have not expired.

        The next push counts as the first one after a join.
        """
        self._is_first_push = True
        echoes, self._expected_echoes = self._expected_echoes, []
        for echo in echoes:
            echo.expire()

    def cancel_echo(self, echo: ExpectedEcho) -> None:
        """Remove an expected echo without a callback."""
        echo.cancel()
        if echo in self._expected_echoes:
            self._expected_echoes.remove(echo)

    async def send_with_callbacks(
        self,
        send: SendFunction,
        request: SendMessage,
        on_echo: Callable[[Message], None],
        on_unconfirmed: Callable[[], None],
    ) -> ExpectedEcho:
        """Send a message and register its expected echo, without a wait for the echo.

        Args:
            send: `Transport.send` of the connection.
            request: Message; only room, nickname and text are sent.
            on_echo: Callback for the echo, even after `on_unconfirmed`.
            on_unconfirmed: Callback for an echo missing after `ECHO_TIMEOUT` seconds or at `on_disconnected`; called at
                most once.

        Raises:
            ConnectionLost: The connection is closed, and the message was not sent.
            BadRequest: The text contains a lone surrogate, and the message was not sent.
        """
        basic_request = _NamedMessage(room=request.room, nick_name=self._get_nick(), message=request.message)
        await send(basic_request)
        echo = ExpectedEcho(sanitize.body(basic_request.message).strip(), on_echo, on_unconfirmed)
        echo.timer = asyncio.get_running_loop().call_later(ECHO_TIMEOUT, echo.expire)
        self._expected_echoes.append(echo)
        return echo

    async def send(self, send: SendFunction, request: SendMessage) -> SendResponse:
        """Send a message with `Transport.send` and wait for its echo, at most `ECHO_TIMEOUT` seconds.

        The response has the local `seq` and the time of the echo. A later echo has no effect.

        Raises:
            ConnectionLost, BadRequest: As `send_with_callbacks`; the message was not sent.
            DeliveryUnknown: No echo before the time limit or the end of the connection.
        """
        echoed: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def on_echo(message: Message) -> None:
            if not echoed.done():
                echoed.set_result(message)

        def on_unconfirmed() -> None:
            if not echoed.done():
                echoed.set_exception(DeliveryUnknown(UNCONFIRMED))

        echo = await self.send_with_callbacks(send, request, on_echo, on_unconfirmed)
        try:
            message = await echoed
        finally:
            self.cancel_echo(echo)
        return SendResponse(seq=message.seq, id=message.id, ts=message.ts, duplicate=False)


def _nick_member_id(nick: str) -> str:
    # Basic servers have no member ids.
    return f"nick:{nick}"
