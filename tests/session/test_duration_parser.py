from datetime import datetime

import pytest

from tui_chat.session.duration_parser import is_duration_like, parse_end

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1_800),
        ("2h", 7_200),
        ("7D", 604_800),
        ("2w", 1_209_600),
        ("1h30m", 5_400),
        ("30分钟", 1_800),
        ("2小时", 7_200),
        ("7天", 604_800),
    ],
)
def test_the_end_of_a_duration_is_relative_to_the_current_time(text: str, seconds: int) -> None:
    assert parse_end(text, NOW) == NOW + 1_000 * seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2027-12-31", datetime(2027, 12, 31)), ("2027-12-31T18:30", datetime(2027, 12, 31, 18, 30))],
)
def test_a_date_is_in_local_time(text: str, moment: datetime) -> None:
    assert parse_end(text, NOW) == moment.timestamp() * 1_000


@pytest.mark.parametrize("text", ["", "3", "7x", "h2", "2026-13-01", "999999w", "9" * 30 + "d", "-1h", "1.5h"])
def test_texts_in_other_forms_have_no_end(text: str) -> None:
    assert parse_end(text, NOW) is None


def test_only_words_with_a_digit_at_the_start_can_be_durations() -> None:
    assert [is_duration_like(word) for word in ("7x", "2026", "spam", "", "-1h")] == [True, True, False, False, False]
