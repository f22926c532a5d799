"""Background tasks of one client.

- Supervision: a supervised task restarts after an exception, with exponential backoff.
- Report: each kind of failure is logged once with its traceback and reported once.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tui_chat.client.log import log
from tui_chat.protocol.errors import InternalError

RESTART_DELAY = 0.5
"""Delay before the first restart, in seconds."""
MAX_RESTART_DELAY = 30.0
"""Ceiling of the exponential backoff, in seconds."""


class TaskSet:
    """Set of running tasks.

    Args:
        on_problem: Callback for the first failure of each kind.
    """

    def __init__(self, on_problem: Callable[[InternalError], None] = lambda error: None) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_problem = on_problem
        self._reported: set[tuple[str, type[BaseException]]] = set()

    def start(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a coroutine as a background task; `report` handles an exception under the given name."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def supervise(self, run: Callable[[], Coroutine[Any, Any, Any]], name: str) -> asyncio.Task[Any]:
        """Start `run()` as a background task; report an exception and run again with backoff until a normal return."""
        return self.start(self._run_until_return(run, name), name)

    async def cancel_all(self) -> None:
        """Cancel all tasks and wait for their end. Tasks that start meanwhile are cancelled too."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    def report(self, name: str, error: BaseException) -> None:
        """Log an exception and call `on_problem` with an `InternalError`, once per name and exception type."""
        if (name, type(error)) not in self._reported:
            self._reported.add((name, type(error)))
            log.error("%s failed: operation aborted or restarted", name, exc_info=error)
            self._on_problem(InternalError("client_error"))

    async def _run_until_return(self, run: Callable[[], Coroutine[Any, Any, Any]], name: str) -> None:
        delay = RESTART_DELAY
        while True:
            try:
                await run()
            except Exception as error:
                self.report(name, error)
                await asyncio.sleep(delay)
                delay = min(2 * delay, MAX_RESTART_DELAY)
            else:
                return

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        """Remove an ended task, and report its exception."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.report(task.get_name(), error)
