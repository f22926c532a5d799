"""Background tasks of one client."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tui_chat.client.log import log


class TaskSet:
    """Set of running tasks; logs each failed task once."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a coroutine as a background task.

        Args:
            coroutine: Coroutine to run.
            name: Task name for the log message of a failure.

        Returns:
            The started task.
        """
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    async def cancel_all(self) -> None:
        """Cancel all tasks and wait for their end. Tasks that start meanwhile are cancelled too."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    def _on_done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background task failed: %s", task.get_name(), exc_info=error)
