"""Signal handlers of both programs."""

import asyncio
import signal
from collections.abc import Callable


def handle_signal(name: str, callback: Callable[[int], object]) -> None:
    """Register a function that the running event loop calls for each signal, in place of an earlier one.

    No effect for a signal that the platform lacks. An event loop without signal handlers, as on Windows, uses a handler
    of the interpreter.

    Args:
        name: Name of the signal, for example `SIGTERM`.
        callback: Function to call with the number of the signal.
    """
    number: signal.Signals | None = getattr(signal, name, None)
    if number is None:
        return
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, callback, number)
    except NotImplementedError:
        signal.signal(number, lambda received, _: loop.call_soon_threadsafe(callback, received))
