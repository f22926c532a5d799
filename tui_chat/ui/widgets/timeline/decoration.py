"""What a line's neighbours say about how it is drawn.

Nothing of this is in the list of lines: a date row, a nickname left out and a
time left out follow from a line and the lines before it, whenever it is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from tui_chat.session.lines import Line, MessageLine, NoticeLine

GROUP_MS = 5 * 60 * 1000
_LAST_MS = 253_402_214_400_000  # 9999-12-31, the last day the calendar has in every time zone


@dataclass(frozen=True, slots=True)
class Decoration:
    """How a line is set off from those before it.

    Attributes:
        day: The day named in a row above it, None for no such row.
        grouped: The same person goes on talking: the nickname is not repeated.
        time: `HH:MM`; empty where the line above shows the same.
    """

    day: date | None = None
    grouped: bool = False
    time: str = ""


def decorate(lines: Sequence[Line], index: int, zone: tzinfo | None) -> Decoration:
    """The decoration of `lines[index]`.

    Args:
        lines: The timeline.
        index: Which line.
        zone: Whose calendar and clock; None is this computer's.
    """
    line = lines[index]
    if not isinstance(line, MessageLine | NoticeLine):
        return Decoration()
    moment = _moment(line.ts, zone)
    time = f"{moment:%H:%M}"
    above = lines[index - 1] if index else None
    earlier = _timed_before(lines, index)
    before = _moment(earlier.ts, zone) if earlier is not None else None
    day = moment.date()
    new_day = before is None or before.date() != day
    grouped = (
        not new_day
        and isinstance(line, MessageLine)
        and isinstance(above, MessageLine)
        and above.member_id == line.member_id
        and above.nick == line.nick
        and 0 <= line.ts - above.ts < GROUP_MS
    )
    said = before is not None and grouped and f"{before:%H:%M}" == time
    return Decoration(day if new_day else None, grouped, "" if said else time)


def clock(ts: int, zone: tzinfo | None) -> str:
    """A moment (milliseconds since the epoch) as `HH:MM`."""
    return f"{_moment(ts, zone):%H:%M}"


def _timed_before(lines: Sequence[Line], index: int) -> MessageLine | NoticeLine | None:
    for earlier in range(index - 1, -1, -1):
        line = lines[earlier]
        if isinstance(line, MessageLine | NoticeLine):
            return line
    return None


def _moment(ts: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(max(86_400_000, min(ts, _LAST_MS)) / 1000, zone)
