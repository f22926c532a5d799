"""Supervision of background tasks: restart, failure handler, readiness and metrics."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from server.engineio.engineio_server import EngineIOServer
from server.observability.supervision import MAX_RESTART_DELAY, MIN_RESTART_DELAY, RECOVERY_TIME, Supervisor
from server.process import _wait_until_idle  # pyright: ignore[reportPrivateUsage]
from tests.support.in_process_server import running_server


class FailingLoop:
    """Loop that fails with each error in turn, and then waits until its cancellation."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.is_waiting = asyncio.Event()

    async def run(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.is_waiting.set()
        await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("create_error", [lambda: RuntimeError("disk"), asyncio.CancelledError])
async def test_a_failed_task_restarts_after_its_failure_handler(
    create_error: Callable[[], BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    error, supervisor, handled = create_error(), Supervisor(), list[BaseException]()
    loop = FailingLoop(error)
    task = supervisor.supervise("journal", loop.run, handled.append)
    await loop.is_waiting.wait()
    assert handled == [error]
    assert supervisor.failures == {"journal": 1}
    assert [record.message for record in caplog.records] == ["journal failed, restarting"]
    assert supervisor.health_problem() == f"journal failed with {type(error).__name__} and restarts"
    task.cancel()


async def test_a_failing_failure_handler_does_not_prevent_the_restart() -> None:
    supervisor, loop = Supervisor(), FailingLoop(RuntimeError())

    def fail(error: BaseException) -> None:
        raise ValueError from error

    task = supervisor.supervise("journal", loop.run, fail)
    await loop.is_waiting.wait()
    task.cancel()


async def test_a_cancelled_or_finished_task_does_not_restart() -> None:
    supervisor, waiting, starts = Supervisor(), FailingLoop(), list[None]()

    async def finish() -> None:
        starts.append(None)

    await supervisor.supervise("journal", finish)
    task = supervisor.supervise("heartbeat", waiting.run)
    await waiting.is_waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (len(starts), supervisor.failures, supervisor.health_problem()) == (1, {}, None)


def test_restart_delays_double_up_to_a_maximum_and_reset_after_the_recovery() -> None:
    now = 100.0
    supervisor = Supervisor(clock=lambda: now)
    delays = [supervisor.report_failure("journal", RuntimeError()) for _ in range(9)]
    assert delays == [MIN_RESTART_DELAY * 2**count for count in range(7)] + [MAX_RESTART_DELAY] * 2
    assert supervisor.report_failure("heartbeat", ValueError()) == MIN_RESTART_DELAY
    now += RECOVERY_TIME - 0.001
    assert supervisor.health_problem() is not None
    now += 0.001
    assert supervisor.health_problem() is None
    assert supervisor.report_failure("journal", RuntimeError()) == MIN_RESTART_DELAY
    assert supervisor.failures == {"journal": 10, "heartbeat": 1}


def test_the_restart_delay_stays_at_its_maximum_after_thousands_of_failures() -> None:
    supervisor = Supervisor(clock=lambda: 100.0)
    delays = [supervisor.report_failure("journal", RuntimeError()) for _ in range(3000)]
    assert set(delays[7:]) == {MAX_RESTART_DELAY}


def test_the_health_problem_is_the_most_recent_failure() -> None:
    supervisor = Supervisor()
    for name in ("journal", "heartbeat", "journal"):
        supervisor.report_failure(name, RuntimeError())
    assert supervisor.health_problem() == "journal failed with RuntimeError and restarts"


async def test_a_failed_heartbeat_is_reported_by_readiness_and_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat = FailingLoop(RuntimeError("clock"))

    async def run_heartbeat(_server: EngineIOServer) -> None:
        await heartbeat.run()

    monkeypatch.setattr(EngineIOServer, "_heartbeat", run_heartbeat)
    async with running_server(tmp_path) as server, aiohttp.ClientSession() as session:
        await heartbeat.is_waiting.wait()
        async with session.get(server.url + "/ready") as answer:
            assert answer.status == 503
            assert "heartbeat failed with RuntimeError" in await answer.text()
        async with session.get(server.url + "/metrics") as answer:
            assert 'chat_task_failures_total{task="heartbeat"} 1.0' in await answer.text()


async def test_a_failed_check_of_the_idle_timeout_is_logged_and_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    idle_times: list[float | None] = [None, 0.0, 1.0]

    def idle_time() -> float:
        seconds = idle_times.pop(0)
        if seconds is None:
            raise RuntimeError("clock")
        return seconds

    launcher_exited = asyncio.Event()
    launcher_exited.set()
    await _wait_until_idle(idle_time, 0.001, launcher_exited)
    assert idle_times == []
    assert caplog.text.count("check of the idle timeout failed, retrying in 0.001 seconds") == 1
