import time
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from tui_chat.protocol.responses import RoomSummary
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_matcher import match_name, rank_rooms
from tui_chat.session.room_view import RoomView


def view(name: str, ts: int = 0, unread: int = 0, mentions: int = 0) -> RoomView:
    made = RoomView(name, "", "ann", "a")
    made.unread_count, made.mention_count = unread, mentions
    if ts:
        made.transcript.put_messages([MessageLine("m", 1, ts, "bob", "b", False, "hi")])
    return made


def summary(name: str, members: int = 1) -> RoomSummary:
    return RoomSummary(name=name, topic="", members=members, last_seq=1)


def offered(typed: str, *views: RoomView, current: RoomView | None = None, listed: tuple[str, ...] = ()) -> list[str]:
    return [choice.name for choice in rank_rooms(typed, views, current, [summary(name) for name in listed])]


def test_without_letters_mentions_come_first_then_unread_then_what_was_active_last() -> None:
    tea, dev, ops, art, bar = view("tea", 9), view("dev", 1), view("ops", 5, 3), view("art", 1, 1, 1), view("bar", 4)
    found = offered("", tea, dev, ops, art, bar, current=tea, listed=("lobby", "TEA", "big"))
    assert found == ["art", "ops", "bar", "dev", "tea", "lobby", "big"]


def test_letters_match_in_their_order_and_the_better_match_comes_first() -> None:
    found = offered("dv", view("advent"), view("dev"), view("tea"), listed=("deep dive", "void"))
    assert found == ["dev", "advent", "deep dive", "dv"]
    assert offered("DEV", view("dev")) == ["dev"]
    assert offered("茶", view("下午茶")) == ["下午茶", "茶"]


def test_a_name_that_no_room_has_offers_a_new_room() -> None:
    assert offered("books", view("tea")) == ["books"]
    assert offered("a\x00\u202e", view("tea")) == []


def test_the_number_is_the_rooms_place_in_the_list() -> None:
    rooms = [view("tea", 1), view("dev", 2)]
    assert [(choice.name, choice.position) for choice in rank_rooms("", rooms, rooms[1], [])] == [
        ("tea", 1),
        ("dev", 2),
    ]


@settings(deadline=None)  # a busy machine is slow
@given(st.text("abc -", max_size=9), st.text("abc", min_size=1, max_size=4))
def test_a_match_is_any_subsequence_and_says_where(name: str, query: str) -> None:
    _, matched = match_name(query, name)
    possible = any("".join(name[at] for at in places) == query for places in combinations(range(len(name)), len(query)))
    assert (matched is not None) is possible
    if matched is not None:
        assert "".join(name[at] for at in matched) == query
        assert list(matched) == sorted(set(matched))


def test_a_name_made_to_match_in_many_ways_costs_no_more() -> None:
    began = time.process_time()
    assert match_name("ab" * 16, "ab" * 32)[1] is not None
    assert match_name("ab" * 16 + "x", "ab" * 32)[1] is None
    assert time.process_time() - began < 1
