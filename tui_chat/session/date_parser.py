"""Parser for typed dates.

- Dates: `2026-11-18` (also with `/` or `.`), `11-18` (also with `/`), `2026年11月18日`, `11月18日`.
- Days: `today`, `now`, `yesterday`, `monday`, `mon`, `今天`, `昨天`, `前天`, `大前天`, `周一`, `星期一`.
- Distances: `3 days ago`, `3d`, `-3` (days), `2 weeks ago`, `2w`, `3天前`, `2周前`.
"""

import re
from datetime import date, datetime, time, timedelta, tzinfo

_RELATIVE_DAYS = {
    "today": 0, "now": 0, "yesterday": 1,
    "今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2, "大前天": 3,
}  # fmt: skip
_ENGLISH_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CHINESE_WEEK = ("周", "星期", "礼拜")
_WEEKDAYS = {
    **{name: number for number, day in enumerate(_ENGLISH_WEEKDAYS) for name in (day, day[:3])},
    **{f"{prefix}{day}": number for number, day in enumerate("一二三四五六日") for prefix in _CHINESE_WEEK},
    **{f"{prefix}天": 6 for prefix in _CHINESE_WEEK},
}
_DAYS_AGO = re.compile(r"(?:-(\d{1,5})|(\d{1,5}) ?(?:d|days?)(?: ago)?|(\d{1,5}) ?天前)")
_WEEKS_AGO = re.compile(r"(\d{1,4}) ?(?:w|weeks?)(?: ago)?|(\d{1,4}) ?(?:周|星期)前")
_FULL_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})[日号]?")
_MONTH_AND_DAY = re.compile(r"(\d{1,2})[-/](\d{1,2})|(\d{1,2})月(\d{1,2})[日号]?")


def parse(text: str, today: date) -> date | None:
    """Return the date that a text denotes in a format of the module docstring, in any case; None if unknown or invalid.

    A weekday denotes its last occurrence before `today`. A date without a year is in the year of `today`, or in the
    previous year if the date would be after `today`; February 29 is invalid if the year of `today` has none. A date
    with a year may be after `today`.
    """
    normalized = " ".join(text.casefold().split())
    try:
        if normalized in _RELATIVE_DAYS:
            return today - timedelta(_RELATIVE_DAYS[normalized])
        if normalized in _WEEKDAYS:
            return today - timedelta((today.weekday() - _WEEKDAYS[normalized] - 1) % 7 + 1)
        if offset := _DAYS_AGO.fullmatch(normalized):
            return today - timedelta(_numbers(offset)[0])
        if offset := _WEEKS_AGO.fullmatch(normalized):
            return today - timedelta(weeks=_numbers(offset)[0])
        if date_match := _FULL_DATE.fullmatch(normalized):
            return date(*_numbers(date_match))
        if date_match := _MONTH_AND_DAY.fullmatch(normalized):
            month, day_of_month = _numbers(date_match)
            this_year = date(today.year, month, day_of_month)
            return this_year if this_year <= today else date(today.year - 1, month, day_of_month)
    except (ValueError, OverflowError):
        return None
    return None


def start_of_day(day: date, zone: tzinfo | None = None) -> int:
    """Return the start of a day in milliseconds since the epoch; 0 before 1970 and outside the range of the clock.

    Without `zone`, the time zone of the system applies.
    """
    try:
        return max(0, int(datetime.combine(day, time.min, zone).timestamp() * 1000))
    except (OverflowError, OSError, ValueError):
        return 0


def _numbers(matched: re.Match[str]) -> list[int]:
    return [int(group) for group in matched.groups() if group is not None]
