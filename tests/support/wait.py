"""Waits for conditions without notifications, and for an idle event loop."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

TIMEOUT = 20.0
"""Default timeout in seconds."""

RESPONSE_TIMEOUT = 15.0
"""Timeout of a protocol-level client for one response, in seconds."""

POLL_INTERVAL = 0.005
"""Minimum pause between two checks, in seconds."""

POLL_PAUSE_FACTOR = 4
"""Minimum ratio of a pause to the duration of its check, to leave the processor to the tested programs."""

IDLE_PAUSE = 0.002
"""Pause between two checks for an idle event loop, in seconds; longer than a thread switch."""

FRAME_DELAY = 0.025
"""Maximum delay of a repaint in seconds; Textual repaints after 1/60 second."""

MAX_FRAMES = 6
"""Maximum number of waits for timers; a draw and the repaint of its layout need three."""


async def wait_until(condition: Callable[[], object], timeout: float = TIMEOUT) -> None:
    """Poll until `condition` is true.

    Args:
        condition: Checked on the event loop.
        timeout: Maximum wait in seconds.

    Raises:
        TimeoutError: `condition` stayed false until the timeout.
    """
    async with asyncio.timeout(timeout):
        while True:
            check_started = time.monotonic()
            if condition():
                return
            await asyncio.sleep(max(POLL_INTERVAL, POLL_PAUSE_FACTOR * (time.monotonic() - check_started)))


async def wait_for_idle_loop(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until two checks in succession find only later timers, sockets and threads to wake the event loop.

    Timers within `FRAME_DELAY` count as work, because they draw the changes of the session and repaint widgets. After
    `MAX_FRAMES` waits, timers no longer count, because a poll repeats its timer endlessly.

    Args:
        min_sleep: Ignored; a parameter of the function of Textual that tests replace.
        max_sleep: Maximum wait in seconds; the function then returns without an error.
    """
    loop: Any = asyncio.get_running_loop()
    deadline = loop.time() + max_sleep
    idle_checks, frames, pause = 0, 0, 0.0
    while idle_checks < 2 and loop.time() < deadline:
        await asyncio.sleep(pause)
        now = loop.time()
        delays = [
            timer.when() - now
            for timer in loop._scheduled
            if frames < MAX_FRAMES and timer.when() < now + FRAME_DELAY and not timer.cancelled()
        ]
        frames += bool(delays)
        idle_checks = 0 if loop._ready or delays else idle_checks + 1
        pause = max(delays, default=IDLE_PAUSE if idle_checks else 0)
