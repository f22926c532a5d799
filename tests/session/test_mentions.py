import pytest

from tui_chat.session.room_view import is_mentioned


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
def test_a_nickname_in_the_text_is_a_mention(text: str, nick: str) -> None:
    assert is_mentioned(text, nick)


@pytest.mark.parametrize(
    ("text", "nick"), [("channel", "ann"), ("ann2", "ann"), ("axb", "a.b"), ("annä", "ann"), ("", "ann"), ("x", "")]
)
def test_partial_and_empty_matches_are_not_mentions(text: str, nick: str) -> None:
    assert not is_mentioned(text, nick)
