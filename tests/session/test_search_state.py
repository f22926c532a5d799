from tui_chat.client.search_page import SearchPage, SearchSource
from tui_chat.protocol.events import Message
from tui_chat.protocol.search_query import SearchQuery
from tui_chat.session.search_state import MAX_EMPTY_PAGES, SearchState, build_hit


def message(seq: int, text: str) -> Message:
    return Message(room="tea", seq=seq, id=seq, nick_name="bob", member_id="b", message=text, ts=seq)


def page(*seqs: int, before: int | None = None, source: SearchSource = SearchSource.SERVER) -> SearchPage:
    return SearchPage(tuple(message(seq, "green") for seq in seqs), before is not None, before, False, source)


def test_pages_follow_each_other_when_they_are_wanted() -> None:
    search = SearchState()
    first = search.start(" green ", None)
    assert first is not None
    assert (first.query, first.room, first.before) == ("green", None, None)
    assert search.load_more() is None
    assert search.apply_page(first, page(9, 8, before=8)) is None
    second = search.load_more()
    assert second is not None
    assert second.before == 8
    assert search.apply_page(second, page(3)) is None
    assert [found.seq for found in search.hits] == [9, 8, 3]
    assert search.load_more() is None


def test_an_answer_to_an_old_question_changes_nothing() -> None:
    search = SearchState()
    old = search.start("gre", None)
    new = search.start("green", "tea")
    assert old is not None
    assert new is not None
    assert search.apply_page(old, page(1, before=1)) is None
    search.fail(old, "no")
    assert (search.hits, search.is_loading, search.problem) == ([], True, "")
    search.apply_page(new, page(2, source=SearchSource.LOCAL))
    assert ([found.seq for found in search.hits], search.source) == ([2], SearchSource.LOCAL)
    assert search.start("  ", None) is None
    assert search.hits == []


def test_empty_pages_are_passed_over_for_a_while() -> None:
    search = SearchState()
    question = search.start("rare", None)
    asked = 0
    while question is not None:
        asked += 1
        question = search.apply_page(question, page(before=1000 - asked))
    assert asked == MAX_EMPTY_PAGES + 1
    assert search.has_more
    wanted = search.load_more()
    assert wanted is not None
    assert wanted.before == 1000 - asked


def test_a_refusal_is_said_and_the_next_page_can_be_asked_for_again() -> None:
    search = SearchState()
    first = search.start("green", None)
    assert first is not None
    search.apply_page(first, page(9, before=9))
    second = search.load_more()
    assert second is not None
    search.fail(second, "too many searches")
    assert (search.problem, len(search.hits)) == ("too many searches", 1)
    again = search.load_more()
    assert again is not None
    assert again.before == 9


def test_a_hit_is_one_line_with_its_words_marked() -> None:
    found = build_hit(message(1, "first\nGreen and\tgreen"), SearchQuery("green"))
    assert found.excerpt == "first Green and green"
    assert [found.excerpt[start:end] for start, end in found.match_ranges] == ["Green", "green"]


def test_a_hit_far_into_a_long_text_is_shown_with_a_little_before_it() -> None:
    found = build_hit(message(1, "x " * 500 + "的 needle 在这里"), SearchQuery("needle 在"))
    assert len(found.excerpt) < 60
    assert [found.excerpt[start:end] for start, end in found.match_ranges] == ["needle", "在"]
    assert found.excerpt.startswith("…")


def test_what_somebody_does_is_found_without_the_command() -> None:
    found = build_hit(message(1, "/me brews green tea"), SearchQuery("green"))
    assert (found.excerpt, found.is_action) == ("brews green tea", True)
    assert [found.excerpt[start:end] for start, end in found.match_ranges] == ["green"]
    assert build_hit(message(1, "green /me"), SearchQuery("green")).is_action is False
