"""Connection to Redis or Valkey pub/sub."""

import asyncio
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from redis.asyncio import Redis
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
        self._client: Any = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=CONNECT_TIMEOUT
        )
        self._pubsub: Any = self._client.pubsub()
        self._receive = receive
        self._on_loss = on_loss
        self._pending: dict[str, asyncio.Future[None]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._has_ended = False
        self._lock = asyncio.Lock()  # one command at a time opens the connection

    async def subscribe(self, channels: Collection[str]) -> None:
        """Receive the messages of channels; return after the server has confirmed each subscription.

        The first call starts the reader task.

        Raises:
            BusError: The connection is lost or closed, also during the wait.
        """
        loop = asyncio.get_running_loop()
        async with self._lock:
            if self._has_ended:  # the library would connect again, without a reader of the reply
                raise BusError("connection lost")
            with _translate_errors():
                replies = [self._pending.setdefault(channel, loop.create_future()) for channel in channels]
                await self._pubsub.subscribe(*channels)
        if self._reader is None:
            self._reader = loop.create_task(self._read(), name="message bus reader")
        await asyncio.wait(replies)
        for reply in replies:
            reply.result()

    async def unsubscribe(self, channel: str) -> None:
        """Request the end of a subscription, without waiting for the confirmation.

        Raises:
            BusError: The connection is lost or closed.
        """
        async with self._lock:
            if self._has_ended:
                raise BusError("connection lost")
            with _translate_errors():
                await self._pubsub.unsubscribe(channel)

    async def send(self, messages: Sequence[BusMessage]) -> None:
        """Publish messages in order, in one pipeline, and wait for the replies.

        Raises:
            BusError: The server is not reachable, or rejects a message; others may be sent.
        """
        with _translate_errors():
            async with self._client.pipeline(transaction=False) as pipeline:
                for channel, payload in messages:
                    pipeline.publish(channel, payload)
                await pipeline.execute()

    async def ping(self) -> None:
        """Connect to the server, and wait for a reply.

        Raises:
            BusError: The server is not reachable, or rejects the password.
        """
        with _translate_errors():
            await self._client.ping()

    async def close(self) -> None:
        """End the reader task and close both connections; waiting subscriptions fail with `BusError`.

        Errors of the connections are ignored, and `on_loss` is not called.
        """
        self._has_ended = True
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        self._fail_pending("connection closed")
        with suppress(RedisError, OSError):
            await self._pubsub.aclose()
        with suppress(RedisError, OSError):
            await self._client.aclose()

    async def _read(self) -> None:
        """Receive messages and the replies to subscriptions until the connection fails.

        The error is not raised: waiting subscriptions receive a `BusError`, and `on_loss` is called.
        """
        try:
            while True:
                message: dict[str, Any] | None = await self._pubsub.get_message(timeout=None)
                if message is None:
                    continue
                channel: str = message["channel"].decode()
                if message["type"] == "message":
                    self._receive(channel, message["data"])
                elif message["type"] == "subscribe" and channel in self._pending:
                    self._pending.pop(channel).set_result(None)
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
    """Open a connection; the subscriptions connect the reader.

    Raises:
        BusError: The server is not reachable, or rejects the password.
    """
    connection = RedisConnection(url, receive, on_loss)
    await connection.ping()
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
