"""Rules for quitting, shared by the terminal client and the screen-reader mode."""

from collections.abc import Callable

QUIT_CONFIRM_WINDOW = 2.0
"""Maximum interval between two Ctrl+C presses that quit, in seconds."""
QUIT_FLUSH_TIMEOUT = 1.0
"""Maximum wait for unacknowledged messages, in seconds."""
SIGNAL_EXIT_BASE = 128
"""Offset of exit codes after a signal (shell convention)."""


class InterruptConfirmation:
    """Confirmation of Ctrl+C by a second press.

    Args:
        clock: Monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._confirm_until = float("-inf")

    def press(self) -> bool:
        """Record a press. Return whether the previous press is less than `QUIT_CONFIRM_WINDOW` ago."""
        now = self._clock()
        is_confirmed = now < self._confirm_until
        self._confirm_until = now + QUIT_CONFIRM_WINDOW
        return is_confirmed
