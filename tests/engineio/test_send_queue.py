"""Send queue without a session: order, batches, byte limit, waiting polls, close and abort."""

import asyncio
from typing import cast

import pytest

from server.engineio.packets import Frame
from server.engineio.send_queue import SendQueue

FIRST, SECOND, CLOSE, NOOP = Frame(b"4first"), Frame(b"4second"), Frame(b"1"), Frame(b"6")
MAX_BYTES = 20
LARGE = Frame(b"4" * MAX_BYTES)  # exactly the limit as a polling frame, 2 bytes more as a WebSocket frame


class RecordingOwner:
    """Owner that records the reasons of aborts, and raises the errors of a flush."""

    def __init__(self) -> None:
        self.aborts: list[str] = []

    def abort(self, reason: str) -> None:
        self.aborts.append(reason)

    def fail(self, error: Exception) -> None:
        raise error


class BufferingTransport:
    """Transport that records writes and calls; the test sets the size of the write buffer.

    Attributes:
        unsent: Bytes in the write buffer.
    """

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.calls: list[str] = []
        self.unsent = 0
        self.closing = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        self.unsent += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


@pytest.fixture
def owner() -> RecordingOwner:
    return RecordingOwner()


@pytest.fixture
def scheduled() -> list[SendQueue]:
    """Queues that requested a flush, one item per request."""
    return []


@pytest.fixture
def queue(owner: RecordingOwner, scheduled: list[SendQueue]) -> SendQueue:
    """Queue that starts at the time 0."""
    return SendQueue(scheduled.append, owner, MAX_BYTES, 0.0)


@pytest.fixture
def transport() -> BufferingTransport:
    return BufferingTransport()


def attach(queue: SendQueue, transport: BufferingTransport) -> None:
    """Attach a transport to the queue."""
    queue.attach_transport(cast(asyncio.Transport, transport))


def push_all(queue: SendQueue, *frames: Frame) -> None:
    """Push frames in order."""
    for frame in frames:
        queue.push(frame)


def test_the_frames_between_two_flushes_request_one_flush_and_leave_in_one_write(
    queue: SendQueue, scheduled: list[SendQueue], transport: BufferingTransport
) -> None:
    attach(queue, transport)
    assert transport.writes == []
    push_all(queue, FIRST, SECOND)
    assert (scheduled, transport.writes) == ([queue], [])
    queue.flush()
    assert transport.writes == [FIRST.ws_bytes + SECOND.ws_bytes]
    queue.flush()
    assert len(transport.writes) == 1
    push_all(queue, FIRST)
    assert scheduled == [queue, queue]
    queue.flush()
    assert transport.writes[1:] == [FIRST.ws_bytes]


def test_queued_frames_are_written_to_an_attached_transport_at_once(
    queue: SendQueue, scheduled: list[SendQueue], transport: BufferingTransport
) -> None:
    push_all(queue, FIRST, SECOND)
    assert scheduled == [queue]
    queue.flush()
    assert queue.frames == [FIRST, SECOND]
    attach(queue, transport)
    assert transport.writes == [FIRST.ws_bytes + SECOND.ws_bytes]
    assert queue.frames == []


def test_queued_frames_above_the_byte_limit_abort_the_session(queue: SendQueue, owner: RecordingOwner) -> None:
    push_all(queue, LARGE)
    queue.flush()
    assert owner.aborts == []
    assert queue.drain() == [LARGE]
    push_all(queue, LARGE)
    queue.flush()
    assert owner.aborts == []
    push_all(queue, CLOSE)
    queue.flush()
    assert owner.aborts == ["send queue overflow"]


def test_a_write_buffer_above_the_byte_limit_aborts_the_session(
    queue: SendQueue, owner: RecordingOwner, transport: BufferingTransport
) -> None:
    attach(queue, transport)
    transport.unsent = MAX_BYTES - len(FIRST.ws_bytes)
    push_all(queue, FIRST)
    queue.flush()
    assert (transport.unsent, owner.aborts) == (MAX_BYTES, [])
    transport.unsent += 1 - len(FIRST.ws_bytes)
    push_all(queue, FIRST)
    queue.flush()
    assert owner.aborts == ["send queue overflow"]


def test_frames_for_a_lost_connection_are_discarded(queue: SendQueue, transport: BufferingTransport) -> None:
    attach(queue, transport)
    transport.closing = True
    push_all(queue, FIRST)
    queue.flush()
    assert (queue.frames, transport.writes) == ([], [])
    transport.unsent = 1
    assert not queue.is_stalled(100.0, 1.0)


async def test_a_waiting_poll_gets_the_frames_of_the_next_flush(queue: SendQueue, owner: RecordingOwner) -> None:
    poll = asyncio.ensure_future(queue.poll())
    await asyncio.sleep(0)
    assert queue.waiting_poll is not None
    push_all(queue, LARGE, FIRST)
    queue.flush()
    assert await poll == [LARGE, FIRST]
    assert (queue.waiting_poll, queue.frames, owner.aborts) == (None, [], [])
    push_all(queue, SECOND)
    assert await queue.poll() == [SECOND]
    assert queue.waiting_poll is None


async def test_a_cancelled_poll_takes_no_frames(queue: SendQueue) -> None:
    poll = asyncio.ensure_future(queue.poll())
    await asyncio.sleep(0)
    poll.cancel()
    push_all(queue, FIRST)
    queue.flush()
    queue.resolve_poll(NOOP)
    with pytest.raises(asyncio.CancelledError):
        await poll
    assert (queue.waiting_poll, queue.frames) == (None, [FIRST])


async def test_a_resolved_poll_gets_the_queued_frames_or_the_fallback(queue: SendQueue) -> None:
    queue.resolve_poll(NOOP)
    for queued, response in (([], [NOOP]), ([FIRST, SECOND], [FIRST, SECOND])):
        poll = asyncio.ensure_future(queue.poll())
        await asyncio.sleep(0)
        push_all(queue, *queued)
        queue.resolve_poll(NOOP)
        queue.resolve_poll(CLOSE)
        assert await poll == response
        assert queue.frames == []


def test_a_closed_queue_sends_its_frames_and_rejects_further_ones(
    queue: SendQueue, transport: BufferingTransport, scheduled: list[SendQueue]
) -> None:
    attach(queue, transport)
    push_all(queue, FIRST)
    queue.close(CLOSE)
    assert transport.writes == [FIRST.ws_bytes + CLOSE.ws_bytes]
    push_all(queue, SECOND)
    queue.flush()
    assert (queue.closed, queue.frames, scheduled) == (True, [], [queue])
    assert (len(transport.writes), transport.calls) == (1, [])
    queue.close_transport()
    assert transport.calls == ["close"]


def test_a_closed_queue_without_a_transport_keeps_its_frames(queue: SendQueue) -> None:
    push_all(queue, FIRST)
    queue.close()
    queue.close_transport()
    assert (queue.closed, queue.drain(), queue.drain()) == (True, [FIRST], [])


def test_an_aborted_queue_discards_its_frames_and_aborts_the_transport(
    queue: SendQueue, transport: BufferingTransport, owner: RecordingOwner
) -> None:
    push_all(queue, FIRST)
    queue.abort()
    assert (queue.closed, queue.frames) == (True, [])
    attach(queue, transport)
    queue.abort()
    assert (transport.writes, transport.calls, owner.aborts) == ([], ["abort"], [])


def test_the_stall_timeout_starts_with_the_queue(queue: SendQueue, transport: BufferingTransport) -> None:
    attach(queue, transport)
    push_all(queue, FIRST)
    queue.flush()
    assert [queue.is_stalled(now, 1.0) for now in (1.0, 1.001)] == [False, True]


def test_progress_and_an_empty_buffer_both_restart_the_stall_timeout(
    queue: SendQueue, transport: BufferingTransport
) -> None:
    assert not queue.is_stalled(100.0, 1.0)  # polling
    attach(queue, transport)
    assert not queue.is_stalled(0.0, 1.0)
    push_all(queue, FIRST)
    queue.flush()
    for now in (1.0, 2.0, 3.0):
        transport.unsent -= 1
        assert not queue.is_stalled(now, 1.0)
    assert not queue.is_stalled(4.0, 1.0)
    assert queue.is_stalled(4.001, 1.0)
    push_all(queue, SECOND)  # bytes written are no progress
    queue.flush()
    assert queue.is_stalled(4.002, 1.0)
    transport.unsent = 0
    assert not queue.is_stalled(5.0, 1.0)
    assert not queue.is_stalled(9.0, 1.0)
