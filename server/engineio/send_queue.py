"""Outbound frame queue of one Engine.IO session.

- Order: responses, pushes and pings leave in the order in which they were queued.
- Batching: the frames of one event loop tick leave in one write, as joined WebSocket frames
  or as one polling payload. A system call costs more than a join.
- Backpressure: the session is aborted when its unsent bytes, in the queue or in the write buffer of the transport,
  exceed `max_bytes`, or those of the write buffer make no progress for `stall_timeout` seconds.
- Shutdown: after `close` the queue accepts no frame; queued frames are still sent. The
  transport stays open, because closing a socket with unread input resets the connection
  and discards data in flight.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from server.engineio.packets import Frame


class SendQueueOwner(Protocol):
    """Session of a send queue; implemented by `server.engineio.session`."""

    def abort(self, reason: str) -> None:
        """End the session and discard unsent frames."""

    def fail(self, error: Exception) -> None:
        """Log an internal error and abort the session; nothing is raised."""


class SendQueue:
    """Send queue of one session, bounded in bytes and time.

    Args:
        schedule_flush: Called for the first queued frame after each `flush`.
        max_bytes: Upper bound of the unsent bytes.
        now: Monotonic time in seconds.

    Attributes:
        closed: The queue accepts no further frames.
        frames: Queued frames; the write buffer of the transport does not count.
        owner: Session of the queue, aborted when the unsent bytes exceed `max_bytes`.
        waiting_poll: Future of the poll that waits for frames; None without one.
    """

    __slots__ = (
        "_bytes_sent",
        "_bytes_written",
        "_flush_scheduled",
        "_max_bytes",
        "_pending_bytes",
        "_progress_at",
        "_schedule_flush",
        "_transport",
        "closed",
        "frames",
        "owner",
        "waiting_poll",
    )

    def __init__(
        self,
        schedule_flush: Callable[["SendQueue"], None],
        owner: SendQueueOwner,
        max_bytes: int,
        now: float,
    ) -> None:
        self._schedule_flush = schedule_flush
        self.owner = owner
        self._max_bytes = max_bytes
        self.frames: list[Frame] = []
        self._pending_bytes = 0
        self._flush_scheduled = False
        self._transport: asyncio.Transport | None = None
        self.waiting_poll: asyncio.Future[list[Frame]] | None = None
        self._bytes_written = 0
        self._bytes_sent = 0
        self._progress_at = now
        self.closed = False

    def push(self, frame: Frame) -> None:
        """Append a frame; without effect on a closed queue.

        The size limit is checked by the next flush.
        """
        if self.closed:
            return
        self.frames.append(frame)
        if self._transport is None:
            self._pending_bytes += len(frame.polling_bytes)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._schedule_flush(self)

    def flush(self) -> None:
        """Write the queued frames to the transport in one call, or complete the waiting poll.

        Without a transport and a waiting poll, the frames stay queued. Unsent bytes above the size limit, in the queue
        or in the write buffer of the transport, abort the session. Frames for a lost connection are discarded.
        """
        self._flush_scheduled = False
        if not self.frames:
            return
        transport = self._transport
        if transport is not None:
            data = b"".join([frame.ws_bytes for frame in self.frames])
            self.frames.clear()
            if transport.is_closing():  # connection lost; the read loop has not noticed yet
                return
            transport.write(data)
            self._bytes_written += len(data)
            if transport.get_write_buffer_size() > self._max_bytes:
                self.owner.abort("send queue overflow")
        elif self.waiting_poll is not None and not self.waiting_poll.done():
            self.waiting_poll.set_result(self.drain())
        elif self._pending_bytes > self._max_bytes:
            self.owner.abort("send queue overflow")

    def attach_transport(self, transport: asyncio.Transport) -> None:
        """Send all further frames over this WebSocket transport, beginning with the queued ones.

        All queued frames are written immediately; as in `flush`, unsent bytes above the size limit abort the session.
        A waiting poll is not completed.
        """
        self._transport = transport
        self._pending_bytes = 0
        self.flush()

    def close(self, final_frame: Frame | None = None) -> None:
        """Append `final_frame`, if any, flush, and reject further frames.

        Without a transport and a waiting poll, the frames stay queued for the next poll. The transport stays open. A
        closed queue still accepts `final_frame`.
        """
        self.closed = True
        if final_frame is not None:
            self.frames.append(final_frame)
        self.flush()

    def close_transport(self) -> None:
        """Close the WebSocket transport, if attached, after its write buffer is empty."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Reject further frames, discard the queued ones and abort the WebSocket transport, if attached.

        A waiting poll is not completed, and the owner is not notified.
        """
        self.closed = True
        self.frames.clear()
        if self._transport is not None:
            self._transport.abort()

    def is_stalled(self, now: float, stall_timeout: float) -> bool:
        """Return whether unsent bytes have made no progress for `stall_timeout` seconds.

        Progress is measured between calls, so the method must be called periodically. The result is always False for
        polling; the ping timeout detects clients that stop polling.
        """
        if self._transport is None or self._transport.is_closing():
            return False
        unsent_bytes = self._transport.get_write_buffer_size()
        bytes_sent = self._bytes_written - unsent_bytes
        if unsent_bytes == 0 or bytes_sent != self._bytes_sent:
            self._bytes_sent, self._progress_at = bytes_sent, now
        return now - self._progress_at > stall_timeout

    async def poll(self) -> list[Frame]:
        """Remove and return the queued frames; wait for the next `flush` or `resolve_poll` if the queue is empty.

        At most one poll may wait at a time; the caller checks `waiting_poll`. On a closed queue without frames, only
        `resolve_poll` ends the wait.
        """
        if self.frames:
            return self.drain()
        self.waiting_poll = asyncio.get_running_loop().create_future()
        try:
            return await self.waiting_poll
        finally:
            self.waiting_poll = None

    def resolve_poll(self, fallback: Frame) -> None:
        """Complete a waiting poll with the queued frames, or with `fallback` if the queue is empty.

        Without effect if no poll is waiting.
        """
        if self.waiting_poll is not None and not self.waiting_poll.done():
            self.waiting_poll.set_result(self.drain() or [fallback])

    def drain(self) -> list[Frame]:
        """Remove and return all queued frames; an empty list without any.

        Also possible on a closed queue.
        """
        frames, self.frames = self.frames, []
        self._pending_bytes = 0
        return frames
