"""Message bus between the nodes of one database.

- Delivery: a message may be lost, duplicated, delayed or reordered. Receivers repair losses from the database.
- Health: each node sends itself a heartbeat every `HEARTBEAT_INTERVAL` seconds. If no heartbeat returns within
  `ECHO_TIMEOUT`, the connection is replaced. A failure of one direction is therefore detected too.
- Reconnection: with exponential backoff; the subscriptions are repeated before `on_connect`.
- Bounded queue: above `MAX_QUEUED_MESSAGES`, the oldest messages are dropped; without a connection, all are.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import Protocol

from server.observability.supervision import Supervisor

HEARTBEAT_INTERVAL = 2.0
"""Interval of the messages of a node to itself, in seconds."""

ECHO_TIMEOUT = 6.0
"""Maximum age of the last returned heartbeat of a working connection, in seconds."""

CONNECT_TIMEOUT = 5.0
"""Maximum duration of a connection attempt, in seconds."""

MAX_QUEUED_MESSAGES = 10_000
"""Maximum number of messages in the send queue."""

_SUBSCRIBE_TIMEOUT = 30.0  # seconds for all subscriptions of a new connection
_MIN_RECONNECT_DELAY = 0.1  # seconds
_MAX_RECONNECT_DELAY = 5.0  # seconds

_NODE_ID_END = b" "  # between the id of the sender and the body of a message

log = logging.getLogger("chat.cluster")

BusMessage = tuple[str, bytes]
"""Channel and payload."""

ReceiveMessage = Callable[[str, bytes], None]
"""Receiver of the messages of a channel: node id of the sender, and body as passed to `Bus.publish`."""


class BusError(Exception):
    """Failure of a connection to the message bus, with a one-line reason."""


class BusConnection(Protocol):
    """Connection to a server that distributes messages; a failure raises `BusError`."""

    async def subscribe(self, channels: Collection[str]) -> None:
        """Receive the messages of channels; returns after the subscription is effective."""
        ...

    async def unsubscribe(self, channel: str) -> None:
        """Receive no further messages of a channel."""
        ...

    async def send(self, messages: Sequence[BusMessage]) -> None:
        """Send messages to all subscribers of their channels."""
        ...

    async def close(self) -> None:
        """Close the connection; errors are ignored."""


ConnectBus = Callable[[Callable[[str, bytes], None], Callable[[], None]], Awaitable[BusConnection]]
"""Function that opens a connection; arguments: receiver of messages, callback for the loss of the connection."""


class Bus:
    """Message bus with automatic reconnection.

    Args:
        connect: Opens a connection.
        node_id: Identifier of this node, without spaces.
        prefix: Prefix of all channels; separates databases that share a server.
        max_payload: Maximum size of a payload in bytes, None for no limit.

    Attributes:
        on_connect: Callbacks for each new connection; earlier messages may be lost.
        is_healthy: The bus delivers messages.
        sent_count: Number of sent messages, including heartbeats.
        dropped_count: Number of messages that `publish` has dropped; losses with a connection are not counted.
    """

    def __init__(self, connect: ConnectBus, *, node_id: str, prefix: str, max_payload: int | None = None) -> None:
        self._connect = connect
        self._header = node_id.encode() + _NODE_ID_END
        self._prefix = prefix
        self._own_channel = f"{prefix}node:{node_id}"
        self._max_payload = max_payload
        self._receivers: dict[str, ReceiveMessage] = {self._own_channel: lambda _sender, _body: None}
        self._queue: deque[BusMessage] = deque()
        self._wakeup = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._connection: BusConnection | None = None
        self._is_lost = False
        self._echo_timeout: asyncio.Timeout | None = None
        self._reconnect_delay = _MIN_RECONNECT_DELAY
        self._is_failing = False
        self.on_connect: list[Callable[[], None]] = []
        self.is_healthy = False
        self.sent_count = 0
        self.dropped_count = 0

    def start(self, supervisor: Supervisor) -> asyncio.Task[None]:
        """Connect in a supervised task; its cancellation closes the connection."""
        return supervisor.supervise("message bus", self._run)

    def fits(self, body: bytes) -> bool:
        """Return whether a body is small enough for a message."""
        return self._max_payload is None or len(self._header) + len(body) <= self._max_payload

    def publish(self, channel: str, body: bytes) -> None:
        """Queue a message for the other nodes; the caller checks the size (`fits`), because a rejected send reconnects.

        Without a connection, the message is dropped. A full queue drops its oldest message. Both are counted.
        """
        if not self.is_healthy:
            self.dropped_count += 1
            return
        if len(self._queue) >= MAX_QUEUED_MESSAGES:
            self._queue.popleft()
            self.dropped_count += 1
        self._queue.append((self._prefix + channel, self._header + body))
        self._is_idle.clear()
        self._wakeup.set()

    async def flush(self, timeout: float) -> None:
        """Wait until the queue is sent, for at most `timeout` seconds; without a connection, return immediately.

        A timeout raises nothing, and the messages stay queued.
        """
        if not self.is_healthy:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._is_idle.wait()

    async def subscribe(self, channel: str, receive: ReceiveMessage) -> None:
        """Receive the messages of other nodes on a channel, in place of an earlier receiver.

        Returns after the subscription is effective. Without a connection, the method returns immediately, and the next
        connection has the subscription. A failure causes a reconnection and raises nothing.

        Args:
            channel: Name of the channel, at most 40 ASCII characters.
            receive: Receiver of the messages; its exceptions are logged.
        """
        self._receivers[self._prefix + channel] = receive
        if self._connection is not None:
            try:
                await self._connection.subscribe([self._prefix + channel])
            except BusError as error:
                self._lose_connection(error)

    async def unsubscribe(self, channel: str) -> None:
        """End the subscription of a channel; a failure causes a reconnection and raises nothing."""
        self._receivers.pop(self._prefix + channel, None)
        if self._connection is not None:
            try:
                await self._connection.unsubscribe(self._prefix + channel)
            except BusError as error:
                self._lose_connection(error)

    async def _run(self) -> None:
        """Connect again after each failure, with exponential backoff; never returns.

        The first failure of an outage is logged.
        """
        while True:
            try:
                await self._serve_connection()
            except (BusError, TimeoutError) as error:
                self._report_failure(error)
            await asyncio.sleep(self._reconnect_delay * random.uniform(0.5, 1.0))
            self._reconnect_delay = min(2 * self._reconnect_delay, _MAX_RECONNECT_DELAY)

    async def _serve_connection(self) -> None:
        """Connect, repeat the subscriptions, discard older queued messages, and send until the connection fails.

        The callbacks `on_connect` run before the first send, and the end of an outage is logged.

        Raises:
            BusError, TimeoutError: The connection failed, and is closed.
        """
        self._is_lost = False
        connection = await self._open()
        self._connection = connection  # for subscriptions during the repetition of the earlier ones
        try:
            async with asyncio.timeout(_SUBSCRIBE_TIMEOUT):
                await connection.subscribe(frozenset(self._receivers))
            self._queue.clear()  # messages of the previous connection are late, and repaired by the receivers
            self.is_healthy = True
            self._reconnect_delay = _MIN_RECONNECT_DELAY
            if self._is_failing:
                log.warning("message bus reconnected")
                self._is_failing = False
            for callback in self.on_connect:
                callback()
            await self._send_queue(connection)
        finally:
            self._connection, self.is_healthy = None, False
            with suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await connection.close()

    async def _open(self) -> BusConnection:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            return await self._connect(self._receive, self._lose_connection)

    async def _send_queue(self, connection: BusConnection) -> None:
        """Send queued messages and heartbeats until the connection fails; the messages of a failed send are lost.

        Raises:
            BusError: The connection was lost.
            TimeoutError: The last heartbeat returned more than `ECHO_TIMEOUT` ago, even during a send.
        """
        loop = asyncio.get_running_loop()

        def send_heartbeat() -> None:
            nonlocal heartbeat
            heartbeat = loop.call_later(HEARTBEAT_INTERVAL, send_heartbeat)
            self._queue.append((self._own_channel, self._header))
            self._wakeup.set()

        heartbeat = loop.call_soon(send_heartbeat)
        try:
            async with asyncio.timeout(ECHO_TIMEOUT) as self._echo_timeout:
                while not self._is_lost:
                    await self._wakeup.wait()
                    self._wakeup.clear()
                    while self._queue and not self._is_lost:
                        messages = list(self._queue)
                        self._queue.clear()
                        await connection.send(messages)
                        self.sent_count += len(messages)
                    self._is_idle.set()
            raise BusError("connection lost")
        finally:
            heartbeat.cancel()
            self._echo_timeout = None

    def _receive(self, channel: str, payload: bytes) -> None:
        """Pass a message of another node to the receiver of its channel.

        A heartbeat of this node extends the timeout of the echo. Other messages of this node, and those of a channel
        without a receiver, are ignored. An exception of the receiver is logged.
        """
        if payload.startswith(self._header):
            if channel == self._own_channel and self._echo_timeout is not None and not self._echo_timeout.expired():
                self._echo_timeout.reschedule(asyncio.get_running_loop().time() + ECHO_TIMEOUT)
            return
        receive = self._receivers.get(channel)
        if receive is None:
            return
        sender, _, body = payload.partition(_NODE_ID_END)
        try:
            receive(sender.decode(), body)
        except Exception:
            log.exception("processing a message from another node failed")

    def _lose_connection(self, _error: BusError | None = None) -> None:
        """Mark the connection as lost, which ends the sender and causes a reconnection."""
        self._is_lost = True
        self._wakeup.set()

    def _report_failure(self, error: BaseException) -> None:
        """Log the first failure of an outage."""
        if not self._is_failing:
            log.error("message bus failed: %s", str(error) or "no response")
        self._is_failing = True
