"""Server-sent events of one room (WHATWG HTML, section 9.2), with the `seq` of the log as event id.

- Source: an observation of the room. Each published entry is encoded once for all streams.
- Completeness: a stream reads the log up to the newest published entry, then sends the published ones. After a gap, the
  stream reads the log again, so that a reader receives each entry after its position once and in order.
- Backpressure: a stream is aborted when its queue exceeds `max_bytes`; the reader resumes after its last event id.
- End: with the observation, at the revocation of the token, and at the shutdown of the server.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

import msgspec

from server.domain.live_room import LiveRoom
from server.domain.rate_limits import ConnectionLimiter
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame
from server.gateway.device_tokens import DeviceTokens
from server.gateway.fanout import MembershipNotice, RoomEvent
from server.gateway.handlers import Handlers
from server.gateway.http_callers import HttpCaller
from server.gateway.room_queries import RoomDetails
from server.storage.log_reader import LogReader
from tui_chat.protocol import errors, events, requests
from tui_chat.protocol.limits import HISTORY_PAGE

EVENT_STREAM = "event_stream"
"""Name under which streams subscribe to a room (`LiveRoom.subscribers`)."""


class StreamFrame(Frame):
    """Encoded entry, with the bytes of the stream as `polling_bytes`.

    Args:
        entry: Entry to encode.

    Attributes:
        seq: `seq` of the entry.
    """

    __slots__ = ("seq",)

    def __init__(self, entry: events.Entry) -> None:
        super().__init__(encode_entry(entry), b"")
        self.seq = entry.seq


def encode_entry(entry: events.Entry) -> bytes:
    """Return an entry as the event `message` or `update`, with its `seq` as id."""
    name = events.MESSAGE if isinstance(entry, events.Message) else events.UPDATE
    return b"id: %d\n%s" % (entry.seq, encode_event(name, entry))


def encode_event(name: str, content: events.WireStruct) -> bytes:
    """Return an event without an id."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(content))


def deliver_to_streams(
    _: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
) -> None:
    """Push an entry to streams; ignore other events of the room."""
    if isinstance(room_event, MembershipNotice | events.PresencePush | events.TypingPush):
        return
    frame = StreamFrame(room_event)
    for recipient in recipients:
        recipient.push(frame)


class EventStream:
    """Events of one room for one reader; `start` precedes the first `read`.

    Args:
        connection: Connection of the reader; the stream replaces its `push` and `close`.
        registry: Registry of the observation.
        reader: Reader of the log.
        max_bytes: Maximum size of the queue.
        abort: Aborts the response after an overflow of the queue.
    """

    def __init__(
        self,
        connection: ClientConnection,
        registry: RoomRegistry[ClientConnection],
        reader: LogReader,
        max_bytes: int,
        abort: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._registry = registry
        self._reader = reader
        self._max_bytes = max_bytes
        self._abort = abort
        self._room: LiveRoom[ClientConnection] | None = None
        self._is_closed = False
        self._wakeup = asyncio.Event()
        self._last_seq = 0  # of the newest entry that `read` returned
        self._newest_seq = 0  # of the newest published entry
        self._is_live = False  # the queue continues after `_last_seq`
        self._queue = deque[StreamFrame]()
        self._queued_bytes = 0
        connection.push, connection.close = self._push, lambda _: self.close()

    def start(self, room: LiveRoom[ClientConnection], after: int, newest_seq: int) -> None:
        """Set the position of the reader, at most that of the newest entry.

        Args:
            room: Observed room.
            after: `seq` of the last received entry.
            newest_seq: `seq` of the newest entry, read during the observation.
        """
        self._room = room
        self._last_seq = min(after, newest_seq)
        self._newest_seq = max(newest_seq, self._newest_seq)
        self._is_live = self._last_seq == self._newest_seq

    def close(self) -> None:
        """End the stream after the queued events; further entries are ignored, and a waiting `read` returns."""
        self._is_closed = True
        self._wakeup.set()

    async def read(self, timeout: float) -> bytes | None:
        """Return the next events; empty if none arrived or at a gap, None at the end of the stream.

        The call after a gap reads the missing events from the log.

        Args:
            timeout: Maximum wait for an event in seconds; a read of the log is not limited.

        Raises:
            Unavailable: The log is not readable.
        """
        if not self._is_live and not self._is_over():
            return await self._read_log()
        if not self._queue and not self._is_over():
            self._wakeup.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._wakeup.wait()
        return self._pop_queue() or (None if self._is_over() else b"")

    def _is_over(self) -> bool:
        """Return whether the stream is closed, not started, or its observation has ended."""
        return (
            self._is_closed or self._room is None or not self._registry.is_observer(self._connection, self._room.name)
        )

    async def _read_log(self) -> bytes:
        """Return the next page of the log, and move the position; from the newest entry on, `read` uses the queue."""
        assert self._room is not None
        newest_seq = self._newest_seq
        page = await self._reader.read_page(
            self._room.key, after=self._last_seq, limit=HISTORY_PAGE, reader=self._connection.member_id
        )
        # Without entries, retention has removed all up to `newest_seq`; the page may precede later published ones.
        self._last_seq = page.messages[-1].seq if page.messages else newest_seq
        self._is_live = self._last_seq >= self._newest_seq
        return b"".join(map(encode_entry, page.messages))

    def _pop_queue(self) -> bytes:
        """Return the queued events after the position, and empty the queue; events after a gap are discarded."""
        chunks: list[bytes] = []
        while self._queue:
            frame = self._queue.popleft()
            self._queued_bytes -= len(frame.polling_bytes)
            if frame.seq > self._last_seq + 1:
                self._queue.clear()
                self._queued_bytes, self._is_live = 0, False
            elif frame.seq > self._last_seq:
                self._last_seq = frame.seq
                chunks.append(frame.polling_bytes)
        return b"".join(chunks)

    def _push(self, frame: Frame) -> None:
        """Queue an entry, or record its `seq` while `read` uses the log; no effect on a closed stream.

        Other frames, such as the removal of the room, end a waiting `read`. Above `max_bytes`, the response is aborted
        and the stream closed.
        """
        if self._is_closed:
            return
        if isinstance(frame, StreamFrame):
            self._newest_seq = max(self._newest_seq, frame.seq)
            if self._is_live:
                self._queue.append(frame)
                self._queued_bytes += len(frame.polling_bytes)
        self._wakeup.set()
        if self._queued_bytes > self._max_bytes:
            self._abort()
            self.close()


class EventStreams:
    """Open streams of a server.

    Args:
        handlers: Permission checks and observations.
        tokens: Registry of the connections with a token.
        reader: Reader of room logs.
        connection_limiter: Limits of connections per address, None for no limits.
        max_bytes: Maximum size of the queue of a stream.
        monotonic: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        handlers: Handlers,
        tokens: DeviceTokens,
        reader: LogReader,
        connection_limiter: ConnectionLimiter | None,
        *,
        max_bytes: int,
        monotonic: Callable[[], float],
    ) -> None:
        self._handlers = handlers
        self._tokens = tokens
        self._reader = reader
        self._connection_limiter = connection_limiter
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._streams: set[EventStream] = set()
        self._emptied_at = monotonic()
        self._is_closing = False

    @asynccontextmanager
    async def open(
        self, caller: HttpCaller, room_name: str, after: int | None, abort: Callable[[], None]
    ) -> AsyncGenerator[tuple[EventStream, RoomDetails]]:
        """Observe a room within the context; yield the stream and the state of the room.

        No `await` may separate the call from the authentication of the caller.

        Args:
            caller: Reader.
            room_name: Validated room name or address.
            after: `seq` of the last received entry, None for the last one of the yielded state.
            abort: Aborts the response after an overflow of the queue.

        Raises:
            NotFound: The room does not exist, or is not visible.
            NotJoined: The room was deleted during the call.
            Forbidden: The reader is banned, or is a guest in no common room with a member of the direct room.
            RateLimited: A limit of connections of the address is exceeded.
            Unavailable: The server is stopping, the room is being changed, or the database is not readable.
        """
        if self._is_closing:
            raise errors.Unavailable("server_stopping", retry_after=1.0)
        if self._connection_limiter is not None:
            self._connection_limiter.acquire(caller.address, self._monotonic())
        connection = caller.create_connection()
        if caller.account is not None:
            self._tokens.attach(connection, caller.account)
        registry = self._handlers.room_registry
        stream = EventStream(connection, registry, self._reader, self._max_bytes, abort)
        self._streams.add(stream)
        try:
            details = await self._handlers.access_control.retry_stale(
                connection, partial(self._handlers.room_queries.read_details, caller, room_name)
            )
            observe = requests.Observe(room=room_name, limit=1)
            view = await self._handlers.access_control.retry_stale(
                connection, partial(self._handlers.room_entry.observe, connection, observe, EVENT_STREAM)
            )
            position = details.last_seq if after is None else after
            stream.start(registry.require_reader(connection, room_name), position, view.room.last_seq)
            yield stream, details
        finally:
            connection.is_open = False
            self._streams.discard(stream)
            self._emptied_at = self._monotonic()
            self._tokens.detach(connection)
            self._handlers.on_disconnect(connection)
            if self._connection_limiter is not None:
                self._connection_limiter.release(caller.address)

    def idle_time(self) -> float:
        """Return the seconds since the end of the last stream, or since the start; 0 while a stream is open."""
        return 0.0 if self._streams else self._monotonic() - self._emptied_at

    def close(self) -> None:
        """End all streams, and reject further ones."""
        self._is_closing = True
        for stream in self._streams:
            stream.close()
