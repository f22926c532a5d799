"""Interface of the clocks of a server; tests pass clocks of their own."""

from typing import Protocol


class Clocks(Protocol):
    """Monotonic and wall clock."""

    def monotonic(self) -> float:
        """Return monotonic seconds."""
        ...

    def now(self) -> int:
        """Return the time in milliseconds since the epoch, UTC."""
        ...
