"""Ping times and ping timeout of one session, with explicit times."""

from types import SimpleNamespace

import pytest

from server.engineio import session as session_module
from server.engineio.session import EngineIOSession
from tests.support.session_host import RecordingHost

START, INTERVAL, TIMEOUT = 100.0, 25.0, 20.0
DUE, DEADLINE = START + INTERVAL, START + INTERVAL + TIMEOUT


@pytest.fixture
async def session(monkeypatch: pytest.MonkeyPatch) -> EngineIOSession:
    """Session that starts at `START`, without a CONNECT timeout."""
    monkeypatch.setattr(session_module, "time", SimpleNamespace(monotonic=lambda: START))
    return EngineIOSession(RecordingHost(connect_timeout=1e6), "sid", "127.0.0.1")


def count_pings(session: EngineIOSession) -> int:
    """Remove the queued frames, and return the number of pings among them."""
    return [frame.polling_bytes for frame in session.send_queue.drain()].count(b"2")


async def test_a_ping_is_due_at_the_interval(session: EngineIOSession) -> None:
    session.tick(DUE - 0.001)
    assert count_pings(session) == 0
    session.tick(DUE)
    session.tick(DUE + 0.001)
    assert count_pings(session) == 1


async def test_the_next_ping_follows_the_due_time_of_the_previous_one(session: EngineIOSession) -> None:
    session.tick(DUE + 0.9)
    assert await session.handle_packet(b"3")
    session.tick(DUE + INTERVAL - 0.001)
    assert count_pings(session) == 1
    session.tick(DUE + INTERVAL)
    assert count_pings(session) == 1


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.0])
async def test_a_session_is_overdue_after_interval_and_timeout(session: EngineIOSession, delay: float) -> None:
    session.tick(DUE + delay)
    assert not session.abort_if_overdue(DEADLINE)
    assert session.abort_if_overdue(DEADLINE + 0.001)
    assert session.send_queue.closed


async def test_a_delayed_tick_extends_the_timeout(session: EngineIOSession) -> None:
    session.tick(DUE + 11.0)
    assert not session.abort_if_overdue(DEADLINE + 10.0)
    assert session.abort_if_overdue(DEADLINE + 10.001)


async def test_a_session_without_an_unanswered_ping_is_not_overdue(session: EngineIOSession) -> None:
    assert not session.abort_if_overdue(DEADLINE + 1000.0)
    session.tick(DUE)
    await session.handle_packet(b"3")
    assert not session.abort_if_overdue(DEADLINE + 1000.0)


async def test_a_packet_in_progress_suspends_the_ping_timeout(session: EngineIOSession) -> None:
    session.tick(DUE)
    session._is_handling_packet = True  # pyright: ignore[reportPrivateUsage]
    session.tick(DEADLINE + 5.0)
    session._is_handling_packet = False  # pyright: ignore[reportPrivateUsage]
    assert not session.abort_if_overdue(DEADLINE + 5.0 + TIMEOUT)
    assert session.abort_if_overdue(DEADLINE + 5.001 + TIMEOUT)
