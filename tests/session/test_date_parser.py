from datetime import UTC, date

import pytest

from tui_chat.session import date_parser

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-18", date(2026, 11, 18)),
        ("2025/1/2", date(2025, 1, 2)),
        ("2026年11月18日", date(2026, 11, 18)),
        ("11-20", FRIDAY),
        ("11-21", date(2025, 11, 21)),
        ("11月18日", date(2026, 11, 18)),
        (" Today ", FRIDAY),
        ("yesterday", date(2026, 11, 19)),
        ("昨天", date(2026, 11, 19)),
        ("前天", date(2026, 11, 18)),
        ("monday", date(2026, 11, 16)),
        ("Fri", date(2026, 11, 13)),
        ("周一", date(2026, 11, 16)),
        ("星期天", date(2026, 11, 15)),
        ("-3", date(2026, 11, 17)),
        ("3 days ago", date(2026, 11, 17)),
        ("3天前", date(2026, 11, 17)),
        ("2w", date(2026, 11, 6)),
    ],
)
def test_supported_date_formats_are_parsed(text: str, day: date) -> None:
    assert date_parser.parse(text, FRIDAY) == day


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "13-40", "99999-1-1", "0000-01-01", "-99999999", "2-29"])
def test_invalid_dates_are_rejected(text: str) -> None:
    assert date_parser.parse(text, FRIDAY) is None


def test_29_february_without_a_year_is_valid_in_a_leap_year() -> None:
    assert date_parser.parse("2-29", date(2028, 3, 1)) == date(2028, 2, 29)


def test_the_start_of_a_day_is_midnight_and_never_before_the_epoch() -> None:
    assert date_parser.start_of_day(date(1970, 1, 2), UTC) == 86_400_000
    assert date_parser.start_of_day(date(1, 1, 1), UTC) == 0
    assert date_parser.start_of_day(date(9999, 12, 31), UTC) > 0
