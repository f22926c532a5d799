from tui_chat.client.search_page import SearchCursor, SearchPage, SearchSource
from tui_chat.protocol.events import Message
from tui_chat.protocol.search_query import SearchQuery
from tui_chat.session.search_state import MAX_EMPTY_PAGES, SearchState, build_hit


def make_message(seq: int, text: str) -> Message:
    return Message(room="tea", seq=seq, id=seq, nick_name="bob", member_id="b", message=text, ts=seq)


def make_page(*seqs: int, cursor: SearchCursor | None = None, source: SearchSource = SearchSource.SERVER) -> SearchPage:
    return SearchPage(tuple(make_message(seq, "green") for seq in seqs), cursor, False, source)


def test_pages_are_loaded_one_after_another_on_request() -> None:
    search = SearchState()
    first = search.start(" green ", None)
    assert first is not None
    assert (first.query, first.room, first.cursor) == ("green", None, None)
    assert search.load_more() is None
    assert search.apply_page(first, make_page(9, 8, cursor=SearchCursor("8"))) is None
    second = search.load_more()
    assert second is not None
    assert second.cursor == SearchCursor("8")
    assert search.apply_page(second, make_page(3)) is None
    assert [hit.seq for hit in search.hits] == [9, 8, 3]
    assert search.load_more() is None


def test_responses_to_superseded_requests_are_ignored() -> None:
    search = SearchState()
    old = search.start("gre", None)
    new = search.start("green", "tea")
    assert old is not None
    assert new is not None
    assert search.apply_page(old, make_page(1, cursor=SearchCursor("1"))) is None
    search.fail(old, "no")
    assert (search.hits, search.is_loading, search.problem) == ([], True, "")
    search.apply_page(new, make_page(2, source=SearchSource.LOCAL))
    assert ([hit.seq for hit in search.hits], search.source) == ([2], SearchSource.LOCAL)
    assert search.start("  ", None) is None
    assert search.hits == []


def test_a_limited_number_of_empty_pages_is_skipped() -> None:
    search = SearchState()
    request = search.start("rare", None)
    request_count = 0
    while request is not None:
        request_count += 1
        request = search.apply_page(request, make_page(cursor=SearchCursor(str(request_count))))
    assert request_count == MAX_EMPTY_PAGES + 1
    assert search.has_more
    next_request = search.load_more()
    assert next_request is not None
    assert next_request.cursor == SearchCursor(str(request_count))


def test_a_failed_page_is_reported_and_can_be_requested_again() -> None:
    search = SearchState()
    first = search.start("green", None)
    assert first is not None
    search.apply_page(first, make_page(9, cursor=SearchCursor("9")))
    second = search.load_more()
    assert second is not None
    search.fail(second, "too many searches")
    assert (search.problem, len(search.hits)) == ("too many searches", 1)
    retry = search.load_more()
    assert retry is not None
    assert retry.cursor == SearchCursor("9")


def test_a_search_with_a_rejected_cursor_starts_again() -> None:
    search = SearchState()
    first = search.start("green", "tea")
    assert first is not None
    search.apply_page(first, make_page(9, cursor=SearchCursor("old")))
    second = search.load_more()
    assert second is not None
    search.fail(second, "search again", is_cursor_invalid=True)
    assert (search.problem, len(search.hits)) == ("search again", 1)
    restarted = search.load_more()
    assert restarted is not None
    assert (restarted.query, restarted.room, restarted.cursor) == ("green", "tea", None)
    assert (search.problem, search.hits) == ("", [])
    search.apply_page(restarted, make_page(9, 8, cursor=SearchCursor("8")))
    third = search.load_more()
    assert third is not None
    assert third.cursor == SearchCursor("8")


def test_a_hit_excerpt_is_one_line_with_match_ranges() -> None:
    hit = build_hit(make_message(1, "first\nGreen and\tgreen"), SearchQuery("green"))
    assert hit.excerpt == "first Green and green"
    assert [hit.excerpt[start:end] for start, end in hit.match_ranges] == ["Green", "green"]


def test_the_excerpt_of_a_late_match_starts_shortly_before_the_match() -> None:
    hit = build_hit(make_message(1, "x " * 500 + "的 needle 在这里"), SearchQuery("needle 在"))
    assert len(hit.excerpt) < 60
    assert [hit.excerpt[start:end] for start, end in hit.match_ranges] == ["needle", "在"]
    assert hit.excerpt.startswith("…")


def test_action_messages_match_without_the_me_command() -> None:
    hit = build_hit(make_message(1, "/me brews green tea"), SearchQuery("green"))
    assert (hit.excerpt, hit.is_action) == ("brews green tea", True)
    assert [hit.excerpt[start:end] for start, end in hit.match_ranges] == ["green"]
    assert build_hit(make_message(1, "green /me"), SearchQuery("green")).is_action is False
