"""What a session owes its client.

Rule 1  There is one way out, and it keeps the order: answers, pushes and pings alike.
Rule 2  What one tick owes leaves in one write: joined frames on a WebSocket, one
        payload for a poll. The system call costs more than the joining.
Rule 3  What is owed is bounded in bytes, whether it waits here or in the kernel's
        queue; and in time, if nothing of it moves. Who overruns is cut.
Rule 4  After `finish` nothing more is owed, and what was owed before still leaves. The
        transport stays open: whoever closes it with something unread in it resets it,
        and what was just written is lost with it.
"""

import asyncio
from collections.abc import Callable

from server.engineio.frames import Frame


class SendQueue:
    """The queue of one session, for both transports.

    Args:
        owes: Called when there is something to flush, at most once before each `flush`.
        overrun: Called when the client is too far behind.
        limit: Bytes that may be owed.
        now: The monotonic time, in seconds.
    """

    __slots__ = (
        "_bytes_sent",
        "_bytes_written",
        "_flush_scheduled",
        "_frames",
        "_max_bytes",
        "_pending_bytes",
        "_progress_at",
        "_schedule_flush",
        "_transport",
        "_waiting_poll",
        "closed",
        "on_overflow",
    )

    def __init__(
        self, schedule_flush: Callable[["SendQueue"], None], on_overflow: Callable[[], None], max_bytes: int, now: float
    ) -> None:
        self._schedule_flush = schedule_flush
        self.on_overflow = on_overflow
        self._max_bytes = max_bytes
        self._frames: list[Frame] = []
        self._pending_bytes = 0
        self._flush_scheduled = False
        self._transport: asyncio.Transport | None = None
        self._waiting_poll: asyncio.Future[list[Frame]] | None = None
        self._bytes_written = 0
        self._bytes_sent = 0
        self._progress_at = now
        self.closed = False

    def push(self, frame: Frame) -> None:
        """Owe the client a frame, after all that it is owed already."""
        if self.closed:
            return
        self._frames.append(frame)
        if self._transport is None:
            self._pending_bytes += len(frame.polling_bytes)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._schedule_flush(self)

    def flush(self) -> None:
        """Write what is owed, if the client can take it now."""
        self._flush_scheduled = False
        if not self._frames:
            return
        transport = self._transport
        if transport is not None:
            data = b"".join([frame.ws_bytes for frame in self._frames])
            self._frames.clear()
            if transport.is_closing():  # the client is gone and its reader has not been told yet
                return
            transport.write(data)
            self._bytes_written += len(data)
            if transport.get_write_buffer_size() > self._max_bytes:
                self.on_overflow()
        elif self._waiting_poll is not None and not self._waiting_poll.done():
            self._waiting_poll.set_result(self.drain())
        elif self._pending_bytes > self._max_bytes:
            self.on_overflow()

    def attach_transport(self, transport: asyncio.Transport) -> None:
        """From now on everything leaves on this WebSocket's transport."""
        self._transport = transport
        self._pending_bytes = 0
        self.flush()

    def close(self, final_frame: Frame | None = None) -> None:
        """Owe this, if there is a last frame, and then nothing any more."""
        self.closed = True
        if final_frame is not None:
            self._frames.append(final_frame)
        self.flush()

    def close_transport(self) -> None:
        """Close the WebSocket, if there is one, once it has what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop what is owed, and the WebSocket."""
        self.closed = True
        self._frames.clear()
        if self._transport is not None:
            self._transport.abort()

    def is_stalled(self, now: float, stall_timeout: float) -> bool:
        """Whether the reader took nothing for so many seconds, though there was something to take."""
        if self._transport is None or self._transport.is_closing():
            return False
        unsent_bytes = self._transport.get_write_buffer_size()
        bytes_sent = self._bytes_written - unsent_bytes
        if unsent_bytes == 0 or bytes_sent != self._bytes_sent:
            self._bytes_sent, self._progress_at = bytes_sent, now
        return now - self._progress_at > stall_timeout

    @property
    def has_waiting_poll(self) -> bool:
        """Whether a poll waits."""
        return self._waiting_poll is not None

    async def poll(self) -> list[Frame]:
        """What is owed to a polling client, as soon as there is anything. One poll at a time."""
        if self._frames:
            return self.drain()
        self._waiting_poll = asyncio.get_running_loop().create_future()
        try:
            return await self._waiting_poll
        finally:
            self._waiting_poll = None

    def resolve_poll(self, fallback: Frame) -> None:
        """End the poll that waits, if one does, with what is owed, or with this frame when nothing is."""
        if self._waiting_poll is not None and not self._waiting_poll.done():
            self._waiting_poll.set_result(self.drain() or [fallback])

    @property
    def has_pending(self) -> bool:
        """Whether something waits to leave."""
        return bool(self._frames)

    def drain(self) -> list[Frame]:
        """What a polling client can have at once; may be nothing."""
        frames, self._frames = self._frames, []
        self._pending_bytes = 0
        return frames
