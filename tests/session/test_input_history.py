from tui_chat.session.history_search import HistorySearch
from tui_chat.session.input_history import MAX_HISTORY, InputHistory


def test_history_is_walked_up_and_down_and_ends_at_what_was_being_written() -> None:
    history = InputHistory()
    for text in ("one", "two", "two", "three"):
        history.add(text)
    walked = [history.older("draft"), history.older("three"), history.older("two"), history.older("one")]
    assert walked == ["three", "two", "one", None]
    assert [history.newer(), history.newer(), history.newer(), history.newer()] == ["two", "three", "draft", None]


def test_history_is_bounded() -> None:
    history = InputHistory(f"kept {number}" for number in range(MAX_HISTORY))
    for number in range(MAX_HISTORY):
        history.add(f"new {number}")
    walked = [history.older("") for _ in range(MAX_HISTORY + 1)]
    assert (walked[0], walked[-2:]) == (f"new {MAX_HISTORY - 1}", ["new 0", None])


def searching(*texts: str, began: str = "") -> HistorySearch:
    return HistorySearch(texts, began)


def test_a_search_finds_the_newest_first_and_goes_on_to_older_ones_and_back() -> None:
    search = searching("make tea", "Tea?", "coffee", "teapot", "teapot", "end")
    search.append("t")
    search.append("ea")
    assert (search.text, search.match_span) == ("teapot", (0, 3))
    search.older()
    assert (search.text, search.match_span, search.steps_back) == ("Tea?", (0, 3), 5)
    search.older()
    assert (search.text, search.match_span) == ("make tea", (5, 8))
    search.older()
    assert (search.text, search.failed) == ("make tea", True)
    search.newer()
    assert (search.text, search.failed) == ("Tea?", False)


def test_a_search_that_finds_nothing_shows_what_was_being_written() -> None:
    search = searching("one", "two", began="draft")
    search.append("x")
    assert (search.text, search.failed, search.match_span, search.steps_back) == ("draft", True, None, 0)
    search.backspace()
    search.append("on")
    assert (search.text, search.failed) == ("one", False)
    search.older()
    search.backspace()
    search.backspace()
    assert (search.query, search.text) == ("", "draft")


def test_what_is_searched_for_is_no_pattern_and_any_script_is_found() -> None:
    search = searching("a+b (c)", "你好世界", "ﬀ İstanbul")
    search.append("+b (")
    assert search.text == "a+b (c)"
    other = searching("a+b (c)", "你好世界", "ﬀ İstanbul")
    other.append("世")
    assert (other.text, other.match_span) == ("你好世界", (2, 3))
