"""Context-dependent parts of a line: date separator, grouping and time.

A decoration is a pure function of a line, its predecessors and the time format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Literal

from tui_chat.session.lines import Line, MessageLine, NoticeLine

GROUP_WINDOW_MS = 5 * 60 * 1000

TimeStyle = Literal["24h", "12h", "seconds", "none"]

_TIME_WIDTHS = {"24h": 5, "12h": 7, "seconds": 8, "none": 0}
_TIME_PATTERNS = {"24h": "%H:%M", "seconds": "%H:%M:%S", "none": ""}


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """Display format of timestamps (milliseconds since the epoch).

    Attributes:
        tz: Time zone; None is the local time zone of the computer.
        style: Notation of the time of day; `none` hides times.
    """

    tz: tzinfo | None = None
    style: TimeStyle = "24h"

    @property
    def width(self) -> int:
        """Maximum width of a formatted time in cells, 0 for the style `none`."""
        return _TIME_WIDTHS[self.style]

    def local_date(self, ts: int) -> date:
        """Return the calendar date of `ts` in the configured time zone."""
        return self._local_datetime(ts).date()

    def format_time(self, ts: int) -> str:
        """Return the time of day of `ts`: `14:05` (`24h`), `2:05pm` (`12h`), `14:05:09` (`seconds`), empty (`none`)."""
        local_datetime = self._local_datetime(ts)
        if self.style == "12h":  # `%p` of strftime is empty in many locales
            return f"{local_datetime.hour % 12 or 12}:{local_datetime:%M}{'am' if local_datetime.hour < 12 else 'pm'}"
        return local_datetime.strftime(_TIME_PATTERNS[self.style])

    def _local_datetime(self, ts: int) -> datetime:
        return datetime.fromtimestamp(ts / 1000, self.tz)


@dataclass(frozen=True, slots=True)
class Decoration:
    """Date separator, grouping and displayed time of one line.

    Attributes:
        day: Date of the separator above the line; None for no separator.
        is_grouped: True if the line continues the messages of the same sender, without a repeated nickname.
        time: Time of day; empty if times are hidden or the previous line of the group has the same time.
    """

    day: date | None = None
    is_grouped: bool = False
    time: str = ""


def decorate(lines: Sequence[Line], index: int, time_format: TimeFormat) -> Decoration:
    """Return the decoration of `lines[index]`, empty for a gap or an unread marker.

    The first timed line and the first one of a day have a date separator. A group consists of adjacent messages of one
    day by the same sender with the same nickname, each less than `GROUP_WINDOW_MS` after the previous, without actions.
    """
    line = lines[index]
    if not isinstance(line, MessageLine | NoticeLine):
        return Decoration()
    time_text = time_format.format_time(line.ts)
    previous = lines[index - 1] if index else None
    earlier_lines = (lines[earlier_index] for earlier_index in range(index - 1, -1, -1))
    previous_timed = next((earlier for earlier in earlier_lines if isinstance(earlier, MessageLine | NoticeLine)), None)
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
