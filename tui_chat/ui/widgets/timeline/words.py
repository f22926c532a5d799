"""The words and dates that a timeline adds to what people said."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def english_day(day: date) -> str:
    """A day in full: `Friday, 20 November 2026`."""
    return f"{_DAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def english_gap(missing: int) -> str:
    """What a gap says of the entries that are not here."""
    return f"{missing:,} {'message' if missing == 1 else 'messages'} not loaded · Enter"


def english_failure(problem: str) -> str:
    """What stands under a message that could not be sent."""
    return f"not sent: {problem} — retry" if problem else "not sent — retry"


@dataclass(frozen=True, slots=True)
class TimelineWords:
    """What a timeline says, in one language.

    Attributes:
        day: Names a day, for the row above its first line.
        gap: Says how many entries are missing.
        failure: Says why a message was not sent, and what to do.
        unread: Stands above the first message not seen.
        edited: Follows a message that was changed.
        deleted: Stands for a message that was taken back.
        not_here: Stands for a message that is answered and was not loaded.
    """

    day: Callable[[date], str] = english_day
    gap: Callable[[int], str] = english_gap
    failure: Callable[[str], str] = english_failure
    unread: str = "new"
    edited: str = "(edited)"
    deleted: str = "message deleted"
    not_here: str = "an earlier message"
