"""Awaitable value that is set and cleared with the connection.

- Order: waiters resume in the order of their arrival.
"""

import asyncio
from typing import Generic, TypeVar

from tui_chat.protocol.errors import ChatError

T = TypeVar("T")


class Gate(Generic[T]):
    """Awaitable value with a terminal error state.

    Attributes:
        value: Current value, None if cleared or failed. Read-only for users.
    """

    def __init__(self) -> None:
        self.value: T | None = None
        self._error: ChatError | None = None
        self._settled = asyncio.Event()

    @property
    def has_failed(self) -> bool:
        """True after `fail`."""
        return self._error is not None

    def set(self, value: T) -> None:
        """Set the value and resume all waiters; no effect after `fail`."""
        if self._error is None:
            self.value = value
            self._settled.set()

    def clear(self, value: T | None = None) -> None:
        """Clear the value; later `wait` calls block. No effect after `fail`.

        Args:
            value: Clear only if this is the current value; None clears any value.
        """
        if self._error is None and (value is None or value is self.value):
            self.value = None
            self._settled.clear()

    def fail(self, error: ChatError) -> None:
        """Clear the value, and raise an error in all current and future waiters; the first error is permanent."""
        self.value = None
        self._error = self._error or error
        self._settled.set()

    async def wait(self) -> T:
        """Wait for a value and return it; immediately if one is set.

        No time limit. Each waiter gets its own copy of the error.

        Raises:
            ChatError: The gate has failed.
        """
        while self.value is None:
            if self._error is not None:
                # A shared exception instance would accumulate the tracebacks of all waiters.
                raise self._error.copy()
            await self._settled.wait()
        return self.value
