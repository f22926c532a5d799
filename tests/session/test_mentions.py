import pytest

from tui_chat.session.input_history import InputHistory
from tui_chat.session.mentions import names


@pytest.mark.parametrize(
    ("text", "nick"),
    [
        ("ann: tea?", "ann"),
        ("thanks @Ann!", "ann"),
        ("ANN", "ann"),
        ("小明你好", "小明"),
        ("你好ann在吗", "ann"),
        ("ping a.b now", "a.b"),
        ("(ann)", "ann"),
    ],
)
def test_a_text_names_a_nickname(text: str, nick: str) -> None:
    assert names(text, nick)


@pytest.mark.parametrize(
    ("text", "nick"), [("channel", "ann"), ("ann2", "ann"), ("axb", "a.b"), ("annä", "ann"), ("", "ann"), ("x", "")]
)
def test_a_text_does_not_name_a_nickname(text: str, nick: str) -> None:
    assert not names(text, nick)


def test_history_is_walked_up_and_down_and_ends_at_what_was_being_written() -> None:
    history = InputHistory()
    for text in ("one", "two", "two", "three"):
        history.add(text)
    walked = [history.older("draft"), history.older("three"), history.older("two"), history.older("one")]
    assert walked == ["three", "two", "one", None]
    assert [history.newer(), history.newer(), history.newer(), history.newer()] == ["two", "three", "draft", None]


def test_history_is_bounded() -> None:
    history = InputHistory(limit=3)
    for number in range(10):
        history.add(str(number))
    assert [history.older("") for _ in range(4)] == ["9", "8", "7", None]
