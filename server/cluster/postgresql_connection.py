"""Connection to LISTEN and NOTIFY of PostgreSQL, apart from the transactions of the log.

A notification takes a lock of the whole database at its commit, so it is sent after the commit of the log.
"""

import asyncio
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg

from server.cluster.bus import BusError, BusMessage
from server.storage.errors import describe_error
from server.storage.postgresql import get_driver_options

MAX_PAYLOAD = 7999
"""Maximum size of a notification in bytes (postgresql.org/docs, NOTIFY)."""

_SEND = "SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS message (channel, payload)"

_driver: Any = asyncpg  # without complete types

CONNECTION_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""Errors of a failed connection; `InternalClientError` is raised between a fatal error and the end of the stream."""


class PostgreSQLConnection:
    """Implementation of `BusConnection`.

    Args:
        connection: Open connection of the driver.
        receive: Receiver of the messages.
        on_loss: Called when the connection is lost.
    """

    def __init__(self, connection: Any, receive: Callable[[str, bytes], None], on_loss: Callable[[], None]) -> None:
        self._connection = connection
        self._receive = receive
        self._lock = asyncio.Lock()  # the driver runs one statement at a time
        connection.add_termination_listener(lambda _: on_loss())  # pyright: ignore[reportUnknownLambdaType]

    async def subscribe(self, channels: Collection[str]) -> None:
        """Receive the messages of channels; return after the last subscription is effective.

        Raises:
            BusError: The connection failed; earlier channels may be subscribed.
        """
        async with self._lock:
            with _translate_errors():
                for channel in channels:
                    await self._connection.add_listener(channel, self._on_notification)

    async def unsubscribe(self, channel: str) -> None:
        """Receive no further messages of a channel; `BusError` is raised if the connection failed."""
        async with self._lock:
            with _translate_errors():
                await self._connection.remove_listener(channel, self._on_notification)

    async def send(self, messages: Sequence[BusMessage]) -> None:
        """Send all messages in one transaction; payloads are UTF-8 of at most `MAX_PAYLOAD` bytes.

        Raises:
            BusError: The connection failed, or the server rejects a payload; no message is sent.
        """
        channels = [channel for channel, _ in messages]
        payloads = [payload.decode() for _, payload in messages]
        async with self._lock:
            with _translate_errors():
                await self._connection.execute(_SEND, channels, payloads)

    async def close(self) -> None:
        """Terminate the connection at once, without an error; the driver then calls `on_loss`."""
        with suppress(*CONNECTION_ERRORS):
            self._connection.terminate()

    def _on_notification(self, _connection: object, _process: int, channel: str, payload: object) -> None:
        self._receive(channel, str(payload).encode())


async def connect(
    target: str, receive: Callable[[str, bytes], None], on_loss: Callable[[], None]
) -> PostgreSQLConnection:
    """Open a connection to the database `target`.

    Raises:
        BusError: The server is not reachable, or rejects the user.
    """
    with _translate_errors():
        return PostgreSQLConnection(await _driver.connect(**get_driver_options(target)), receive, on_loss)


@contextmanager
def _translate_errors() -> Generator[None]:
    """Raise failures of the connection as `BusError`."""
    try:
        yield
    except CONNECTION_ERRORS as error:
        raise BusError(describe_error(error)) from error
