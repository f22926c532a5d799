"""Awaitable value that is set and cleared with the connection.

- Order: waiters resume in the order of their arrival.
- Errors: `suspend` lasts until the next value or `resume`, `fail` forever.
"""

import asyncio
from typing import Generic, TypeVar

from tui_chat.protocol.errors import ChatError

T = TypeVar("T")


class Gate(Generic[T]):
    """Awaitable value with a terminal error state.

    Attributes:
        value: Current value, None if cleared, suspended or failed. Read-only for users.
        has_failed: True after `fail`. Read-only for users.
    """

    def __init__(self) -> None:
        self.value: T | None = None
        self.has_failed = False
        self._error: ChatError | None = None
        self._resolved = asyncio.Event()  # set with a value or an error

    @property
    def has_error(self) -> bool:
        """True after `fail`, and from `suspend` until the next value or `resume`."""
        return self._error is not None

    def set(self, value: T) -> None:
        """Set the value and resume all waiters; no effect after `fail`."""
        if not self.has_failed:
            self.value, self._error = value, None
            self._resolved.set()

    def clear(self, value: T | None = None) -> None:
        """Clear the value; later `wait` calls block. No effect after `fail` and `suspend`.

        Args:
            value: Clear only if this is the current value; None clears any value.
        """
        if self._error is None and (value is None or value is self.value):
            self.value = None
            self._resolved.clear()

    def suspend(self, error: ChatError) -> None:
        """Clear the value, and raise an error in all waiters until the next value or `resume`.

        No effect after `fail`.
        """
        if not self.has_failed:
            self.value, self._error = None, error
            self._resolved.set()

    def resume(self) -> None:
        """End `suspend` without a value; later `wait` calls block. No effect with a value and after `fail`."""
        if self._error is not None and not self.has_failed:
            self._error = None
            self._resolved.clear()

    def fail(self, error: ChatError) -> None:
        """Clear the value, and raise an error in all current and future waiters; the first error is permanent."""
        if not self.has_failed:
            self.value, self._error, self.has_failed = None, error, True
            self._resolved.set()

    async def wait(self) -> T:
        """Return the value, possibly after a wait. Each waiter gets its own copy of the error.

        Raises:
            ChatError: The gate has failed or is suspended.
        """
        while self.value is None:
            if self._error is not None:
                # A shared exception instance would accumulate the tracebacks of all waiters.
                raise self._error.copy()
            await self._resolved.wait()
        return self.value
