from tui_chat.session.input_history import HISTORY_MAX, InputHistory


def test_history_is_walked_up_and_down_and_ends_at_what_was_being_written() -> None:
    history = InputHistory()
    for text in ("one", "two", "two", "three"):
        history.add(text)
    walked = [history.older("draft"), history.older("three"), history.older("two"), history.older("one")]
    assert walked == ["three", "two", "one", None]
    assert [history.newer(), history.newer(), history.newer(), history.newer()] == ["two", "three", "draft", None]


def test_history_is_bounded() -> None:
    history = InputHistory(f"kept {number}" for number in range(HISTORY_MAX))
    for number in range(HISTORY_MAX):
        history.add(f"new {number}")
    walked = [history.older("") for _ in range(HISTORY_MAX + 1)]
    assert (walked[0], walked[-2:]) == (f"new {HISTORY_MAX - 1}", ["new 0", None])
