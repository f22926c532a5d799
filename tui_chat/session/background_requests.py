"""Requests of one session that run in the background. Each exception arrives as `RequestFailed`."""

import asyncio
import logging
from collections.abc import Collection, Coroutine
from typing import Any

from tui_chat.client.event_queue import EventQueue
from tui_chat.protocol.errors import ChatError
from tui_chat.session import error_text
from tui_chat.session.i18n import tr
from tui_chat.session.session_events import RequestFailed, SessionEvent
from tui_chat.session.strings import app as app_strings

log = logging.getLogger("chat.session")


class BackgroundRequests:
    """Running requests, whose failures enter the event queue."""

    def __init__(self, event_queue: EventQueue[SessionEvent]) -> None:
        self._event_queue = event_queue
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, request: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a request until its end or `cancel_all`, and return its task.

        A `ChatError` is reported with its text. Any other exception is logged, and reported as an internal error.
        """
        task = asyncio.create_task(request)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def report(self, problem: str) -> None:
        """Report a failure with an error message for the user."""
        self._event_queue.put(RequestFailed(problem))

    async def wait_until_idle(self, excluded: Collection[asyncio.Task[None]]) -> None:
        """Wait until no request other than the excluded ones is running, including those that start meanwhile."""
        while tasks := self._tasks.difference(excluded):
            await asyncio.wait(tasks)

    async def cancel_all(self) -> None:
        """Cancel all requests and wait for their end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ChatError):
            self.report(error_text.describe(error))
        elif error is not None:
            log.error("request failed with an unexpected error: error shown to the user", exc_info=error)
            self.report(tr(app_strings.INTERNAL_ERROR))
