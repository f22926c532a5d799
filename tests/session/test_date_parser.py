from datetime import UTC, date

import pytest

from tui_chat.session import date_parser

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("said", "day"),
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
def test_a_day_is_understood(said: str, day: date) -> None:
    assert date_parser.parse(said, FRIDAY) == day


@pytest.mark.parametrize("said", ["", "soon", "2026-02-30", "13-40", "99999-1-1", "0000-01-01", "-99999999", "2-29"])
def test_what_is_no_day_is_not_understood(said: str) -> None:
    assert date_parser.parse(said, FRIDAY) is None


def test_the_last_29_february_is_found_in_a_leap_year() -> None:
    assert date_parser.parse("2-29", date(2028, 3, 1)) == date(2028, 2, 29)


def test_a_day_begins_at_midnight_and_never_before_the_epoch() -> None:
    assert date_parser.start_of_day(date(1970, 1, 2), UTC) == 86_400_000
    assert date_parser.start_of_day(date(1, 1, 1), UTC) == 0
    assert date_parser.start_of_day(date(9999, 12, 31), UTC) > 0
