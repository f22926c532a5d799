"""Connection to the pub/sub of Redis or Valkey, with version 3 of its protocol (Redis 6 and newer).

- Replies have the order of their commands; messages and the replies to subscriptions arrive between them.
- Subscriptions: the reply to a subscription precedes the messages of its channel.
- Errors: any error of the server ends the connection, because `Bus` connects again.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import cast
from urllib.parse import SplitResult, unquote, urlsplit

from server.cluster.bus import BusError, BusMessage
from server.cluster.resp import RespParser, RespValue, encode_command

DEFAULT_PORT = 6379
"""Port of a URL without a port."""


class RedisConnection(asyncio.Protocol):
    """Implementation of `BusConnection`.

    Args:
        receive: Receiver of the messages.
        on_loss: Called when the connection is lost, but not by `close`.
    """

    def __init__(self, receive: Callable[[str, bytes], None], on_loss: Callable[[], None]) -> None:
        self._receive = receive
        self._on_loss = on_loss
        self._loop = asyncio.get_running_loop()
        self._parser = RespParser()
        self._replies: deque[asyncio.Future[None] | None] = deque()  # None for a reply without a waiter
        self._subscriptions: dict[str, asyncio.Future[None]] = {}  # without a reply, by channel
        self._failure: BusError | None = None

    async def log_in(self, user: str, password: str) -> None:
        """Select the version of the protocol; an empty password needs no authentication.

        Raises:
            BusError: The server rejects the password or the version.
        """
        credentials = ("AUTH", user or "default", password) if password else ()
        await self._send_commands([encode_command("HELLO", "3", *credentials)])

    async def subscribe(self, channels: Collection[str]) -> None:
        """Implement `BusConnection.subscribe`."""
        if self._failure is not None:
            raise self._failure
        replies = [self._subscriptions.setdefault(channel, self._loop.create_future()) for channel in channels]
        self._transport.write(encode_command("SUBSCRIBE", *channels))
        await asyncio.wait(replies)
        for reply in replies:
            reply.result()

    async def unsubscribe(self, channel: str) -> None:
        """Implement `BusConnection.unsubscribe`."""
        if self._failure is not None:
            raise self._failure
        self._transport.write(encode_command("UNSUBSCRIBE", channel))

    async def send(self, messages: Sequence[BusMessage]) -> None:
        """Implement `BusConnection.send`; returns after the replies of the server."""
        await self._send_commands([encode_command("PUBLISH", channel, payload) for channel, payload in messages])

    async def close(self) -> None:
        """Implement `BusConnection.close`."""
        self._on_loss = lambda: None
        self._fail("connection closed")

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Implement `asyncio.Protocol.connection_made`."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Implement `asyncio.Protocol.data_received`."""
        try:
            values = self._parser.feed(data)
        except ValueError:
            self._fail("the server does not use the protocol of Redis")
            return
        for value in values:
            if value.error is not None:
                self._fail(value.error)
                return
            if value.kind == b">":
                self._handle_push(value)
            elif self._replies and (reply := self._replies.popleft()) is not None and not reply.done():
                reply.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Implement `asyncio.Protocol.connection_lost`."""
        self._fail(str(exc) if exc else "the server closed the connection")

    async def _send_commands(self, commands: Sequence[bytes]) -> None:
        """Send commands in one write, and wait for their replies.

        Raises:
            BusError: The connection is lost, or the server rejects a command.
        """
        if self._failure is not None:
            raise self._failure
        last_reply = self._loop.create_future()
        self._replies.extend([None] * (len(commands) - 1))
        self._replies.append(last_reply)
        self._transport.write(b"".join(commands))
        await last_reply

    def _handle_push(self, value: RespValue) -> None:
        kind, channel, payload = value.content
        if kind == b"message":
            self._receive(channel.decode(), payload)
        elif kind == b"subscribe" and (reply := self._subscriptions.pop(channel.decode(), None)) is not None:
            reply.set_result(None)

    def _fail(self, reason: str) -> None:
        """Close the connection, and fail the waiting calls with `BusError`; only the first call has an effect."""
        if self._failure is not None:
            return
        self._failure = BusError(reason)
        self._transport.abort()
        waiting = [reply for reply in self._replies if reply is not None] + list(self._subscriptions.values())
        self._replies.clear()
        self._subscriptions.clear()
        for reply in waiting:
            if not reply.done():
                reply.set_exception(self._failure)
                reply.exception()  # a cancelled caller does not retrieve it
        self._on_loss()


async def connect(url: str, receive: Callable[[str, bytes], None], on_loss: Callable[[], None]) -> RedisConnection:
    """Open a connection, and log in with the user and the password of the URL.

    Args:
        url: URL of the form `redis://…`, `unix://…`, or `rediss://…` for TLS; pub/sub ignores the number of a database.
        receive: Receiver of the messages.
        on_loss: Called when the connection is lost.

    Raises:
        BusError: The server is not reachable, or rejects the password.
    """
    target = urlsplit(url)
    connection = RedisConnection(receive, on_loss)
    try:
        await _open(connection, target)
    except OSError as error:
        raise BusError(str(error)) from error
    try:
        await connection.log_in(unquote(target.username or ""), unquote(target.password or ""))
    except BaseException:
        await connection.close()
        raise
    return connection


async def _open(connection: RedisConnection, target: SplitResult) -> None:
    """Connect to the server of a URL.

    Raises:
        OSError: The server is not reachable, or has an invalid certificate.
    """
    loop = asyncio.get_running_loop()
    if target.scheme == "unix":
        await loop.create_unix_connection(lambda: connection, unquote(target.path))
        return
    context = ssl.create_default_context() if target.scheme == "rediss" else None
    await loop.create_connection(
        lambda: connection, target.hostname or "localhost", target.port or DEFAULT_PORT, ssl=context
    )
