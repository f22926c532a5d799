"""A gate that opens and shuts as a connection comes and goes; those before it wait in their order."""

import asyncio
from typing import Generic, TypeVar

from tui_chat.protocol.errors import ChatError

T = TypeVar("T")


class Gate(Generic[T]):
    """Shut at first. Open it has a value, locked it has an error, for good."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._error: ChatError | None = None
        self._settled = asyncio.Event()

    @property
    def value(self) -> T | None:
        """What it is open with, None while it is not."""
        return self._value

    @property
    def has_failed(self) -> bool:
        """It will not open again."""
        return self._error is not None

    def set(self, value: T) -> None:
        """Let through whoever waits; a locked gate stays locked."""
        if self._error is None:
            self._value = value
            self._settled.set()

    def clear(self, value: T | None = None) -> None:
        """Hold back whoever comes (only while it is open with this value, if one is given)."""
        if self._error is None and (value is None or value is self._value):
            self._value = None
            self._settled.clear()

    def fail(self, error: ChatError) -> None:
        """Whoever waits or comes gets this error; the first one stays."""
        self._value = None
        self._error = self._error or error
        self._settled.set()

    async def wait(self) -> T:
        """Wait until it is open.

        Raises:
            ChatError: It is locked.
        """
        while self._value is None:
            if self._error is not None:
                # Each waiter gets an exception of its own: one that is raised twice gathers tracebacks.
                raise type(self._error)(self._error.message, self._error.retry_after)
            await self._settled.wait()
        return self._value
