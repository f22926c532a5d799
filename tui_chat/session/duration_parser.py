"""Parser of durations, and of the end of a sanction.

- Durations: `30m`, `2h`, `7d`, `2w`, `1h30m`, `30分钟`, `2小时`, `7天`, `2周`.
- Dates: `2026-12-01`, the start of this day, `2026-12-01T18:30`, and the other forms of `datetime.fromisoformat`.
"""

import re
from datetime import datetime

_UNIT_SECONDS = {
    "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800,
    "分钟": 60, "分": 60, "小时": 3_600, "天": 86_400, "周": 604_800,
}  # fmt: skip
_PART = rf"(\d{{1,6}})({'|'.join(sorted(_UNIT_SECONDS, key=len, reverse=True))})"
_DURATION = re.compile(rf"(?:{_PART})+")


def is_duration_like(word: str) -> bool:
    """Return whether a word starts with a digit, as each duration and date does."""
    return word[:1].isdecimal()


def parse_duration(word: str) -> int | None:
    """Return a duration in seconds, the sum of its parts; None for an unknown form. Units are case-insensitive."""
    normalized = word.casefold()
    if not _DURATION.fullmatch(normalized):
        return None
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in re.findall(_PART, normalized))


def parse_end(word: str, now_ms: int) -> int | None:
    """Return the end of a sanction in milliseconds since the epoch, None if unknown, before 1970 or after 9999.

    The word is a date or a duration from `now_ms` on, in a form of the module docstring and in any case. A date without
    an offset is local time.
    """
    seconds = parse_duration(word)
    if seconds is not None:
        end = now_ms + 1_000 * seconds
    else:
        try:
            end = int(datetime.fromisoformat(word.upper()).timestamp() * 1_000)
        except (ValueError, OverflowError, OSError):
            return None
    try:
        datetime.fromtimestamp(end / 1_000)
    except (ValueError, OverflowError, OSError):
        return None
    return end if end >= 0 else None
