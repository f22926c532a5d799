"""Connection to Redis or Valkey pub/sub.

The connections of the client library are used directly, because its pipelines and its `PubSub` need three times the CPU
per message.
"""

import asyncio
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.cluster.bus import CONNECT_TIMEOUT, BusError, BusMessage


class RedisConnection:
    """Implementation of `BusConnection` with one connection for sent and one for received messages.

    Args:
        url: URL of the form `redis://…`, `rediss://…` or `unix://…`.
        receive: Receiver of the messages.
        on_loss: Called when the connection is lost.
    """

    def __init__(self, url: str, receive: Callable[[str, bytes], None], on_loss: Callable[[], None]) -> None:
        # Without retries of the library, because `Bus` connects again and reports the loss of messages.
        pool: Any = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
            url, protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=None, socket_connect_timeout=CONNECT_TIMEOUT
        )
        self._publisher: Any = pool.make_connection()
        self._subscriber: Any = pool.make_connection()
        self._receive = receive
        self._on_loss = on_loss
        self._pending: dict[str, asyncio.Future[None]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._has_ended = False

    async def open(self) -> None:
        """Connect to the server, and start the reader task.

        Raises:
            BusError: The server is not reachable, or rejects the password.
        """
        with _translate_errors():
            await self._subscriber.connect()
            await self._publisher.send_command("PING")  # its reply reports a missing password
            await self._publisher.read_response()
            await self._publisher.send_command("CLIENT", "REPLY", "OFF")
        self._reader = asyncio.create_task(self._read(), name="message bus reader")

    async def subscribe(self, channels: Collection[str]) -> None:
        """Receive the messages of channels; return after the server has confirmed each subscription.

        Raises:
            BusError: The connection is lost or closed, even during the wait.
        """
        loop = asyncio.get_running_loop()
        replies = [self._pending.setdefault(channel, loop.create_future()) for channel in channels]
        await self._request("SUBSCRIBE", *channels)
        await asyncio.wait(replies)
        for reply in replies:
            reply.result()

    async def unsubscribe(self, channel: str) -> None:
        """Request the end of a subscription, without waiting for the confirmation.

        Raises:
            BusError: The connection is lost or closed.
        """
        await self._request("UNSUBSCRIBE", channel)

    async def send(self, messages: Sequence[BusMessage]) -> None:
        """Publish messages in order; the server sends no replies, so a rejected message is lost without an error.

        Raises:
            BusError: The connection is lost.
        """
        with _translate_errors():
            commands = self._publisher.pack_commands([("PUBLISH", *message) for message in messages])
            await self._publisher.send_packed_command(commands)

    async def close(self) -> None:
        """End the reader task and close both connections; waiting subscriptions fail with `BusError`.

        Errors of the connections are ignored, and `on_loss` is not called.
        """
        self._has_ended = True
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        self._fail_pending("connection closed")
        for connection in (self._publisher, self._subscriber):
            with suppress(RedisError, OSError):
                await connection.disconnect()

    async def _request(self, *command: str) -> None:
        """Send a command whose reply the reader task receives."""
        if self._has_ended:  # the library would connect again, without a reader of the reply
            raise BusError("connection lost")
        with _translate_errors():
            await self._subscriber.send_command(*command)

    async def _read(self) -> None:
        """Receive messages and the replies to subscriptions until the connection fails.

        The error is not raised: waiting subscriptions receive a `BusError`, and `on_loss` is called.
        """
        try:
            while True:
                kind, channel, data = await self._subscriber.read_response()
                if kind == b"message":
                    self._receive(channel.decode(), data)
                elif kind == b"subscribe" and (reply := self._pending.pop(channel.decode(), None)) is not None:
                    reply.set_result(None)
        except (RedisError, OSError) as error:
            self._has_ended = True
            self._fail_pending(_describe(error))
            self._on_loss()

    def _fail_pending(self, reason: str) -> None:
        """Fail the subscriptions without a reply with `BusError`."""
        for reply in self._pending.values():
            reply.set_exception(BusError(reason))
            reply.exception()  # a cancelled caller does not retrieve it
        self._pending.clear()


async def connect(url: str, receive: Callable[[str, bytes], None], on_loss: Callable[[], None]) -> RedisConnection:
    """Open a connection.

    Raises:
        BusError: The server is not reachable, or rejects the password.
    """
    connection = RedisConnection(url, receive, on_loss)
    try:
        await connection.open()
    except BaseException:
        await connection.close()
        raise
    return connection


@contextmanager
def _translate_errors() -> Generator[None]:
    """Raise failures of the connection as `BusError`."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise BusError(_describe(error)) from error


def _describe(error: Exception) -> str:
    """Return the first line of the message of an error, or its type."""
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__
