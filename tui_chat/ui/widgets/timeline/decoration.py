"""What a line's neighbours say about how it is drawn.

Nothing of this is in the list of lines: a date row, a nickname left out and a
time left out follow from a line and the lines before it, whenever it is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Literal

from tui_chat.session.lines import Line, MessageLine, NoticeLine

GROUP_MS = 5 * 60 * 1000
_LAST_MS = 253_402_214_400_000  # 9999-12-31, the last day the calendar has in every time zone


ClockStyle = Literal["24h", "12h", "seconds", "none"]

_WIDTHS = {"24h": 5, "12h": 7, "seconds": 8, "none": 0}


@dataclass(frozen=True, slots=True)
class Clock:
    """How a moment (milliseconds since the epoch) is told.

    Attributes:
        zone: Whose calendar and clock; None is this computer's.
        style: How the time of day is written; `none` leaves it out.
    """

    zone: tzinfo | None = None
    style: ClockStyle = "24h"

    @property
    def width(self) -> int:
        """The most cells that a time takes."""
        return _WIDTHS[self.style]

    def day(self, ts: int) -> date:
        """The day of a moment."""
        return self._moment(ts).date()

    def time(self, ts: int) -> str:
        """The time of a moment."""
        moment = self._moment(ts)
        match self.style:
            case "24h":
                return f"{moment:%H:%M}"
            case "12h":  # strftime's %p is empty in many languages
                return f"{moment.hour % 12 or 12}:{moment:%M}{'am' if moment.hour < 12 else 'pm'}"
            case "seconds":
                return f"{moment:%H:%M:%S}"
            case "none":
                return ""

    def _moment(self, ts: int) -> datetime:
        return datetime.fromtimestamp(max(86_400_000, min(ts, _LAST_MS)) / 1000, self.zone)


@dataclass(frozen=True, slots=True)
class Decoration:
    """How a line is set off from those before it.

    Attributes:
        day: The day named in a row above it, None for no such row.
        grouped: The same person goes on talking: the nickname is not repeated.
        time: The time of day; empty where the line above shows the same.
    """

    day: date | None = None
    grouped: bool = False
    time: str = ""


def decorate(lines: Sequence[Line], index: int, clock: Clock) -> Decoration:
    """The decoration of `lines[index]`.

    Args:
        lines: The timeline.
        index: Which line.
        clock: How moments are told.
    """
    line = lines[index]
    if not isinstance(line, MessageLine | NoticeLine):
        return Decoration()
    time = clock.time(line.ts)
    above = lines[index - 1] if index else None
    earlier = _timed_before(lines, index)
    day = clock.day(line.ts)
    new_day = earlier is None or clock.day(earlier.ts) != day
    grouped = (
        not new_day
        and isinstance(line, MessageLine)
        and isinstance(above, MessageLine)
        and above.member_id == line.member_id
        and above.nick == line.nick
        and not (line.is_action or above.is_action)
        and 0 <= line.ts - above.ts < GROUP_MS
    )
    said = earlier is not None and grouped and clock.time(earlier.ts) == time
    return Decoration(day if new_day else None, grouped, "" if said else time)


def _timed_before(lines: Sequence[Line], index: int) -> MessageLine | NoticeLine | None:
    for earlier in range(index - 1, -1, -1):
        line = lines[earlier]
        if isinstance(line, MessageLine | NoticeLine):
            return line
    return None
