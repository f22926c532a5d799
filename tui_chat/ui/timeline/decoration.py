"""What a line's neighbours say about how it is drawn.

Nothing of this is in the list of lines: a date row, a nickname left out and a
time left out follow from a line and the lines before it, whenever it is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Literal

from tui_chat.session.lines import Line, MessageLine, NoticeLine

GROUP_WINDOW_MS = 5 * 60 * 1000
_MAX_TS = 253_402_214_400_000  # 9999-12-31, the last day the calendar has in every time zone


TimeStyle = Literal["24h", "12h", "seconds", "none"]

_TIME_WIDTHS = {"24h": 5, "12h": 7, "seconds": 8, "none": 0}


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a moment (milliseconds since the epoch) is told.

    Attributes:
        zone: Whose calendar and clock; None is this computer's.
        style: How the time of day is written; `none` leaves it out.
    """

    tz: tzinfo | None = None
    style: TimeStyle = "24h"

    @property
    def width(self) -> int:
        """The most cells that a time takes."""
        return _TIME_WIDTHS[self.style]

    def local_date(self, ts: int) -> date:
        """The day of a moment."""
        return self._local_datetime(ts).date()

    def format_time(self, ts: int) -> str:
        """The time of a moment."""
        local_datetime = self._local_datetime(ts)
        match self.style:
            case "24h":
                return f"{local_datetime:%H:%M}"
            case "12h":  # strftime's %p is empty in many languages
                return (
                    f"{local_datetime.hour % 12 or 12}:{local_datetime:%M}{'am' if local_datetime.hour < 12 else 'pm'}"
                )
            case "seconds":
                return f"{local_datetime:%H:%M:%S}"
            case "none":
                return ""

    def _local_datetime(self, ts: int) -> datetime:
        return datetime.fromtimestamp(max(86_400_000, min(ts, _MAX_TS)) / 1000, self.tz)


@dataclass(frozen=True, slots=True)
class Decoration:
    """How a line is set off from those before it.

    Attributes:
        day: The day named in a row above it, None for no such row.
        grouped: The same person goes on talking: the nickname is not repeated.
        time: The time of day; empty where the line above shows the same.
    """

    day: date | None = None
    is_grouped: bool = False
    time: str = ""


def decorate(lines: Sequence[Line], index: int, time_format: TimeFormat) -> Decoration:
    """The decoration of `lines[index]`.

    Args:
        lines: The timeline.
        index: Which line.
        clock: How moments are told.
    """
    line = lines[index]
    if not isinstance(line, MessageLine | NoticeLine):
        return Decoration()
    time_text = time_format.format_time(line.ts)
    previous = lines[index - 1] if index else None
    previous_timed = _previous_timed_line(lines, index)
    day = time_format.local_date(line.ts)
    is_new_day = previous_timed is None or time_format.local_date(previous_timed.ts) != day
    is_grouped = (
        not is_new_day
        and isinstance(line, MessageLine)
        and isinstance(previous, MessageLine)
        and previous.member_id == line.member_id
        and previous.nick == line.nick
        and not (line.is_action or previous.is_action)
        and 0 <= line.ts - previous.ts < GROUP_WINDOW_MS
    )
    is_same_time = previous_timed is not None and is_grouped and time_format.format_time(previous_timed.ts) == time_text
    return Decoration(day if is_new_day else None, is_grouped, "" if is_same_time else time_text)


def _previous_timed_line(lines: Sequence[Line], index: int) -> MessageLine | NoticeLine | None:
    for position in range(index - 1, -1, -1):
        line = lines[position]
        if isinstance(line, MessageLine | NoticeLine):
            return line
    return None
