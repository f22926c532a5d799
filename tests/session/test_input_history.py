from tui_chat.session.history_search import HistorySearch
from tui_chat.session.input_history import MAX_HISTORY, InputHistory


def test_history_is_traversed_in_both_directions_and_ends_at_the_draft() -> None:
    history = InputHistory()
    for text in ("one", "two", "two", "three"):
        history.add(text)
    visited = [
        history.step_back("draft"),
        history.step_back("three"),
        history.step_back("two"),
        history.step_back("one"),
    ]
    assert visited == ["three", "two", "one", None]
    assert [history.step_forward(), history.step_forward(), history.step_forward(), history.step_forward()] == [
        "two",
        "three",
        "draft",
        None,
    ]


def test_a_sent_text_returns_to_the_draft() -> None:
    history = InputHistory(["one", "two"])
    assert [history.step_back("draft"), history.step_back("draft")] == ["two", "one"]
    history.add("three")
    assert history.step_forward() is None
    assert history.step_back("next draft") == "three"
    assert history.step_forward() == "next draft"


def test_history_is_bounded() -> None:
    history = InputHistory(f"saved {number}" for number in range(MAX_HISTORY))
    for number in range(MAX_HISTORY):
        history.add(f"new {number}")
    visited = [history.step_back("") for _ in range(MAX_HISTORY + 1)]
    assert (visited[0], visited[-2:]) == (f"new {MAX_HISTORY - 1}", ["new 0", None])


def start_search(*texts: str, draft: str = "") -> HistorySearch:
    return HistorySearch(texts, draft)


def test_history_search_starts_at_the_newest_match_and_steps_in_both_directions() -> None:
    search = start_search("make tea", "Tea?", "coffee", "teapot", "teapot", "end")
    search.append("t")
    search.append("ea")
    assert (search.text, search.match_span) == ("teapot", (0, 3))
    search.find_older()
    assert (search.text, search.match_span, search.steps_back) == ("Tea?", (0, 3), 5)
    search.find_older()
    assert (search.text, search.match_span) == ("make tea", (5, 8))
    search.find_older()
    assert (search.text, search.failed) == ("make tea", True)
    search.find_newer()
    assert (search.text, search.failed) == ("Tea?", False)


def test_history_search_without_a_match_shows_the_draft() -> None:
    search = start_search("one", "two", draft="draft")
    search.append("x")
    assert (search.text, search.failed, search.match_span, search.steps_back) == ("draft", True, None, 0)
    search.backspace()
    search.append("on")
    assert (search.text, search.failed) == ("one", False)
    search.find_older()
    search.backspace()
    search.backspace()
    assert (search.query, search.text) == ("", "draft")


def test_history_search_is_literal_and_matches_any_script() -> None:
    search = start_search("a+b (c)", "你好世界", "ﬀ İstanbul")
    search.append("+b (")
    assert search.text == "a+b (c)"
    second_search = start_search("a+b (c)", "你好世界", "ﬀ İstanbul")
    second_search.append("世")
    assert (second_search.text, second_search.match_span) == ("你好世界", (2, 3))
