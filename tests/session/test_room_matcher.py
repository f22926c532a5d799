from tests.support.fake_room import FakeRoom
from tui_chat.protocol.responses import RoomSummary
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_matcher import rank_rooms
from tui_chat.session.room_view import RoomView


def make_view(name: str, ts: int = 0, unread: int = 0, mentions: int = 0) -> RoomView:
    room_view = RoomView(FakeRoom(name))
    room_view.reading.unread_count, room_view.reading.mention_count = unread, mentions
    if ts:
        room_view.transcript.put_messages([MessageLine("m", 1, ts, "bob", "b", False, "hi")])
    return room_view


def make_summary(name: str, members: int = 1) -> RoomSummary:
    return RoomSummary(name=name, topic="", members=members, last_seq=1)


def ranked_names(
    typed: str, *views: RoomView, current: RoomView | None = None, listed: tuple[str, ...] = ()
) -> list[str]:
    return [choice.name for choice in rank_rooms(typed, views, current, [make_summary(name) for name in listed])]


def test_an_empty_query_ranks_mentions_then_unread_then_recent_activity() -> None:
    tea, dev, ops, art, bar = (
        make_view("tea", 9),
        make_view("dev", 1),
        make_view("ops", 5, 3),
        make_view("art", 1, 1, 1),
        make_view("bar", 4),
    )
    names = ranked_names("", tea, dev, ops, art, bar, current=tea, listed=("lobby", "TEA", "big"))
    assert names == ["art", "ops", "bar", "dev", "tea", "lobby", "big"]


def test_queries_match_subsequences_and_better_matches_rank_first() -> None:
    names = ranked_names("dv", make_view("advent"), make_view("dev"), make_view("tea"), listed=("deep dive", "void"))
    assert names == ["dev", "advent", "deep dive", "dv"]
    assert ranked_names("DEV", make_view("dev")) == ["dev"]
    assert ranked_names("茶", make_view("下午茶")) == ["下午茶", "茶"]


def test_queries_match_independent_of_case_and_width() -> None:
    assert ranked_names("straße", make_view("straße")) == ["straße"]
    assert ranked_names("STRASSE", make_view("Straße")) == ["Straße"]
    assert ranked_names("ｔｅａ", make_view("tea")) == ["tea"]
    assert ranked_names("cafe\u0301", make_view("café")) == ["café"]


def test_a_name_with_the_canonical_key_of_the_query_is_offered_once() -> None:
    assert ranked_names("❤\ufe0f", make_view("❤"), make_view("tea")) == ["❤"]
    assert ranked_names("❤\ufe0f", listed=("❤", "tea")) == ["❤"]


def test_an_unknown_valid_name_is_offered_as_a_new_room() -> None:
    assert ranked_names("books", make_view("tea")) == ["books"]
    assert ranked_names("a\x00\u202e", make_view("tea")) == []


def test_the_position_is_the_number_in_the_room_list() -> None:
    rooms = [make_view("tea", 1), make_view("dev", 2)]
    assert [(choice.name, choice.position) for choice in rank_rooms("", rooms, rooms[1], [])] == [
        ("tea", 1),
        ("dev", 2),
    ]
