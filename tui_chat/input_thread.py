"""Blocking reads of standard input on threads.

- Exit: the threads are daemons, so that a waiting read does not delay the exit of the process.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

ResultT = TypeVar("ResultT")


async def read_in_thread(read: Callable[[], ResultT]) -> ResultT:
    """Return the result of a blocking read in a new thread, or raise its exception.

    After a cancellation, the thread continues, and its result is lost.
    """
    future: Future[ResultT] = Future()
    future.set_running_or_notify_cancel()  # a cancellation would discard the future, and the read would fail to set it

    def run() -> None:
        try:
            future.set_result(read())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)
