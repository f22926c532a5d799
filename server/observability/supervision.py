"""Supervision of the background tasks that serve every connection.

- Restart: a supervised task that fails is restarted after a delay. The delay doubles with each failure in a row.
- Report: each failure is one log line, one count in `/metrics`, and a problem in `/ready` for `RECOVERY_TIME`.
- Waiters: `on_failure` runs before the restart, so that callers that wait for the failed task can be answered.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger("chat.supervision")

MIN_RESTART_DELAY = 0.1  # seconds before the restart after a first failure

MAX_RESTART_DELAY = 10.0  # longest delay of a restart in seconds

# Seconds without a further failure before a task counts as working; longer than `MAX_RESTART_DELAY`.
RECOVERY_TIME = 15.0


class Supervisor:
    """Supervisor of the background tasks of one server.

    Args:
        clock: Monotonic time in seconds.

    Attributes:
        failures: Number of failures by task name.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.failures: Counter[str] = Counter()
        self._last_failures: dict[str, tuple[float, str, float]] = {}  # time, type of the error, delay of the restart

    def supervise(
        self,
        name: str,
        run: Callable[[], Coroutine[Any, Any, None]],
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> asyncio.Task[None]:
        """Run a coroutine function in a task until it returns; restart the function after each exception.

        A failure is reported (`report_failure`), and the restart follows after the delay.

        Args:
            name: Task name for the log, `/ready` and `/metrics`.
            run: Coroutine function; a return ends the task.
            on_failure: Called with the exception, even a `CancelledError` of an awaited future, before the delay.
                Exceptions that it raises are logged.

        Returns:
            The task, to which the caller must hold a reference. Cancel the task to stop a function that does not
            return.
        """
        return asyncio.get_running_loop().create_task(self._run(name, run, on_failure), name=name)

    def report_failure(self, name: str, error: BaseException) -> float:
        """Log and count a failure; return the seconds before the restart, which is left to the caller.

        The delay doubles with each failure of the same name, up to `MAX_RESTART_DELAY`. After `RECOVERY_TIME` without
        a failure, the delay starts at `MIN_RESTART_DELAY` again.
        """
        log.error("%s failed, restarting", name, exc_info=error)
        now = self._clock()
        failed_at, _, last_delay = self._last_failures.pop(name, (now, "", 0.0))  # the names stay in order of failure
        if now - failed_at >= RECOVERY_TIME:
            last_delay = 0.0
        delay = min(MAX_RESTART_DELAY, max(MIN_RESTART_DELAY, 2 * last_delay))
        self._last_failures[name] = now, type(error).__name__, delay
        self.failures[name] += 1
        return delay

    def health_problem(self) -> str | None:
        """Return the most recent failure as a sentence, None without a failure in the last `RECOVERY_TIME`.

        For example, `heartbeat failed with ValueError and restarts`.
        """
        now = self._clock()
        return next(
            (
                f"{name} failed with {error_type} and restarts"
                for name, (failed_at, error_type, _) in reversed(self._last_failures.items())
                if now - failed_at < RECOVERY_TIME
            ),
            None,
        )

    async def _run(
        self,
        name: str,
        run: Callable[[], Coroutine[Any, Any, None]],
        on_failure: Callable[[BaseException], None] | None,
    ) -> None:
        """Run and restart a function as described by `supervise`; the cancellation of the task is raised."""
        task = asyncio.current_task()
        assert task is not None
        while True:
            try:
                await run()
                return
            except (Exception, asyncio.CancelledError) as error:
                # A cancelled future inside the function is a failure; a cancellation of the task is not.
                if task.cancelling():
                    raise
                delay = self.report_failure(name, error)
                if on_failure is not None:
                    try:
                        on_failure(error)
                    except Exception:
                        log.exception("failure handler of %s failed", name)
            await asyncio.sleep(delay)
