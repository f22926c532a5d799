"""Rules for quitting, shared by the terminal client and the screen-reader mode."""

import asyncio
from collections.abc import Awaitable, Callable

QUIT_CONFIRM_WINDOW = 2.0
"""Maximum interval between two Ctrl+C presses that quit, in seconds."""
QUIT_FLUSH_TIMEOUT = 1.0
"""Maximum wait for unacknowledged messages, in seconds."""
SIGNAL_EXIT_BASE = 128
"""Offset of exit codes after a signal (shell convention)."""

_POLL_INTERVAL = 0.05  # seconds


class InterruptConfirmation:
    """Confirmation of Ctrl+C by a second press, with a monotonic clock in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._confirm_until = float("-inf")

    def press(self) -> bool:
        """Record a press. Return whether the previous press is less than `QUIT_CONFIRM_WINDOW` ago."""
        now = self._clock()
        is_confirmed = now < self._confirm_until
        self._confirm_until = now + QUIT_CONFIRM_WINDOW
        return is_confirmed

    def reset(self) -> None:
        """Forget the previous press."""
        self._confirm_until = float("-inf")


async def wait_until_sent(
    pending_count: Callable[[], int], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> bool:
    """Wait up to `QUIT_FLUSH_TIMEOUT` for unacknowledged messages. Return whether all are acknowledged."""
    # Count pauses instead of elapsed time: on a busy machine, an acknowledgement may be received but not processed yet.
    for _ in range(round(QUIT_FLUSH_TIMEOUT / _POLL_INTERVAL)):
        if not pending_count():
            return True
        await sleep(_POLL_INTERVAL)
    return not pending_count()
