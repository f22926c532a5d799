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

from server.gateway.frames import Frame


class Outgoing:
    """The queue of one session, for both transports.

    Args:
        owes: Called when there is something to flush, at most once before each `flush`.
        overrun: Called when the client is too far behind.
        limit: Bytes that may be owed.
        now: The monotonic time, in seconds.
    """

    __slots__ = (
        "_drained",
        "_drained_at",
        "_flushing",
        "_limit",
        "_owed",
        "_owed_bytes",
        "_owes",
        "_poll",
        "_transport",
        "_written",
        "closed",
        "overrun",
    )

    def __init__(self, owes: Callable[["Outgoing"], None], overrun: Callable[[], None], limit: int, now: float) -> None:
        self._owes = owes
        self.overrun = overrun
        self._limit = limit
        self._owed: list[Frame] = []
        self._owed_bytes = 0
        self._flushing = False
        self._transport: asyncio.Transport | None = None
        self._poll: asyncio.Future[list[Frame]] | None = None
        self._written = 0
        self._drained = 0
        self._drained_at = now
        self.closed = False

    def push(self, frame: Frame) -> None:
        """Owe the client a frame, after all that it is owed already."""
        if self.closed:
            return
        self._owed.append(frame)
        if self._transport is None:
            self._owed_bytes += len(frame.payload)
        if not self._flushing:
            self._flushing = True
            self._owes(self)

    def flush(self) -> None:
        """Write what is owed, if the client can take it now."""
        self._flushing = False
        if not self._owed:
            return
        transport = self._transport
        if transport is not None:
            data = b"".join([frame.wire for frame in self._owed])
            self._owed.clear()
            if transport.is_closing():  # the client is gone and its reader has not been told yet
                return
            transport.write(data)
            self._written += len(data)
            if transport.get_write_buffer_size() > self._limit:
                self.overrun()
        elif self._poll is not None and not self._poll.done():
            self._poll.set_result(self.take())
        elif self._owed_bytes > self._limit:
            self.overrun()

    def onto(self, transport: asyncio.Transport) -> None:
        """From now on everything leaves on this WebSocket's transport."""
        self._transport = transport
        self._owed_bytes = 0
        self.flush()

    def finish(self, last: Frame | None = None) -> None:
        """Owe this, if there is a last frame, and then nothing any more."""
        self.closed = True
        if last is not None:
            self._owed.append(last)
        self.flush()

    def close(self) -> None:
        """Close the WebSocket, if there is one, once it has what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop what is owed, and the WebSocket."""
        self.closed = True
        self._owed.clear()
        if self._transport is not None:
            self._transport.abort()

    def stalled(self, now: float, patience: float) -> bool:
        """Whether the reader took nothing for so many seconds, though there was something to take."""
        if self._transport is None or self._transport.is_closing():
            return False
        unsent = self._transport.get_write_buffer_size()
        drained = self._written - unsent
        if unsent == 0 or drained != self._drained:
            self._drained, self._drained_at = drained, now
        return now - self._drained_at > patience

    @property
    def polled(self) -> bool:
        """Whether a poll waits."""
        return self._poll is not None

    async def poll(self) -> list[Frame]:
        """What is owed to a polling client, as soon as there is anything. One poll at a time."""
        if self._owed:
            return self.take()
        self._poll = asyncio.get_running_loop().create_future()
        try:
            return await self._poll
        finally:
            self._poll = None

    def end_poll(self, frame: Frame) -> None:
        """End the poll that waits, if one does, with what is owed, or with this frame when nothing is."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(self.take() or [frame])

    @property
    def owing(self) -> bool:
        """Whether something waits to leave."""
        return bool(self._owed)

    def take(self) -> list[Frame]:
        """What a polling client can have at once; may be nothing."""
        owed, self._owed = self._owed, []
        self._owed_bytes = 0
        return owed
