"""A day as one types it: `2026-11-18`, `yesterday`, `monday`, `3 days ago`, `昨天`, `周一`, `11月18日`."""

import re
from datetime import date, datetime, time, timedelta, tzinfo

_AGO = {
    "today": 0, "now": 0, "yesterday": 1,
    "今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2, "大前天": 3,
}  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS_SHORT = tuple(name[:3] for name in _WEEKDAYS)
_CHINESE_WEEKDAY = re.compile("(?:周|星期|礼拜)([一二三四五六日天])")
_DAYS_AGO = re.compile(r"(?:-(\d{1,5})|(\d{1,5}) ?(?:d|days?)(?: ago)?|(\d{1,5}) ?天前)")
_WEEKS_AGO = re.compile(r"(\d{1,4}) ?(?:w|weeks?)(?: ago)?|(\d{1,4}) ?(?:周|星期)前")
_FULL = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})[日号]?")
_IN_YEAR = re.compile(r"(\d{1,2})[-/](\d{1,2})|(\d{1,2})月(\d{1,2})[日号]?")


def parse(text: str, today: date) -> date | None:
    """The day that is meant, None when it is not understood.

    A weekday is the last one before today; a day without a year is the last such day, today included.

    Args:
        text: As it was typed.
        today: The day it is.
    """
    said = " ".join(text.casefold().split())
    try:
        if said in _AGO:
            return today - timedelta(_AGO[said])
        if (weekday := _weekday(said)) is not None:
            return today - timedelta((today.weekday() - weekday - 1) % 7 + 1)
        if ago := _DAYS_AGO.fullmatch(said):
            return today - timedelta(_numbers(ago)[0])
        if ago := _WEEKS_AGO.fullmatch(said):
            return today - timedelta(weeks=_numbers(ago)[0])
        if day := _FULL.fullmatch(said):
            return date(*_numbers(day))
        if day := _IN_YEAR.fullmatch(said):
            month, number = _numbers(day)
            this_year = date(today.year, month, number)
            return this_year if this_year <= today else date(today.year - 1, month, number)
    except (ValueError, OverflowError):
        return None
    return None


def begin(day: date, zone: tzinfo | None = None) -> int:
    """When a day begins, in milliseconds since the epoch.

    Args:
        day: It.
        zone: Whose day; None is this computer's.
    """
    try:
        return max(0, int(datetime.combine(day, time.min, zone).timestamp() * 1000))
    except (OverflowError, OSError, ValueError):
        return 0  # a day that no clock of this computer has: before everything


def _weekday(said: str) -> int | None:
    for known in (_WEEKDAYS, _WEEKDAYS_SHORT):
        if said in known:
            return known.index(said)
    chinese = _CHINESE_WEEKDAY.fullmatch(said)
    return None if chinese is None else "一二三四五六日".index(chinese[1].replace("天", "日"))


def _numbers(found: re.Match[str]) -> list[int]:
    return [int(group) for group in found.groups() if group is not None]
