"""Monotonic clocks under the control of a test, in seconds."""

import time
from dataclasses import dataclass


@dataclass
class ManualMonotonicClock:
    """Clock that changes by assignment alone."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class OffsetMonotonicClock:
    """Clock that is ahead of the clock of the machine by `offset`."""

    offset: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.offset
