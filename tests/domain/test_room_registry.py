"""Members, nicknames and observers of live rooms."""

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.domain.nick_suffixes import NickSuffixes
from server.domain.room_registry import RoomRegistry
from tui_chat.protocol import names
from tui_chat.protocol.errors import BadRequest, NotJoined
from tui_chat.protocol.limits import MEMBER_PAGE, ROOMS_PER_CONNECTION

connections = st.integers(1, 5)
members = st.sampled_from(["g1", "g2", "g3"])
nicks = st.sampled_from(["ann", "Ann", "ANN2", "ann2", "bob", "小明"])
rooms = st.sampled_from(["tea", "TEA", "coffee"])


class RoomRegistryMachine(RuleBasedStateMachine):
    """State machine of a registry, a model of its memberships, and a model of the statuses of members."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = RoomRegistry[int]()
        self.model: dict[tuple[int, str], str] = {}
        self.statuses: dict[str, str] = {}

    @rule(connection=connections, room=rooms, member=members, nick=nicks)
    def join(self, connection: int, room: str, member: str, nick: str) -> None:
        key = names.canonical_key(room)
        present = member in {member_id for (_, room_key), member_id in self.model.items() if room_key == key}
        if self.model.get((connection, key), member) != member:
            with pytest.raises(BadRequest):
                self.registry.join(connection, room, member, nick)
            return
        joined = self.registry.join(connection, room, member, nick)
        self.model[connection, key] = member
        assert joined.is_new == (not present)
        assert names.canonical_key(joined.participant.member.nick_name).startswith(names.canonical_key(nick))

    @rule(connection=connections, room=rooms)
    def leave(self, connection: int, room: str) -> None:
        key = names.canonical_key(room)
        if (connection, key) not in self.model:
            with pytest.raises(NotJoined):
                self.registry.leave(connection, room)
            return
        member = self.model.pop((connection, key))
        result = self.registry.leave(connection, room)
        assert result.is_last == (
            member not in {member_id for (_, room_key), member_id in self.model.items() if room_key == key}
        )

    @rule(connection=connections)
    def leave_all(self, connection: int) -> None:
        results = self.registry.leave_all(connection)
        assert {result.room.key for result in results} == {
            key for joined_connection, key in self.model if joined_connection == connection
        }
        self.model = {membership: member for membership, member in self.model.items() if membership[0] != connection}

    @rule(connection=connections, room=rooms, nick=nicks)
    def change_nick(self, connection: int, room: str, nick: str) -> None:
        if (connection, names.canonical_key(room)) in self.model:
            membership = self.registry.require_membership(connection, room)
            self.registry.change_nick(*membership, nick)

    @rule(connection=connections, away=st.none() | st.sampled_from(["", "lunch"]))
    def set_status(self, connection: int, away: str | None) -> None:
        member_ids = {
            member_id for (joined_connection, _), member_id in self.model.items() if joined_connection == connection
        }
        expected = {
            (key, member_id)
            for (_, key), member_id in self.model.items()
            if member_id in member_ids and self.statuses.get(member_id) != away
        }
        changed = self.registry.set_status(connection, away)
        assert sorted((room.key, participant.member.member_id) for room, participant in changed) == sorted(expected)
        for member_id in member_ids:
            self.statuses.pop(member_id, None)
            if away is not None:
                self.statuses[member_id] = away

    @invariant()
    def members_have_their_status_in_all_rooms(self) -> None:
        self.statuses = {
            member_id: away for member_id, away in self.statuses.items() if member_id in self.model.values()
        }
        for room in self.registry.rooms.values():
            for member_id, participant in room.participants.items():
                assert participant.member.away == self.statuses.get(member_id)

    @invariant()
    def nicknames_are_unique_and_memberships_match(self) -> None:
        assert set(self.registry.rooms) == {key for _, key in self.model}
        for room in self.registry.rooms.values():
            keys = [names.canonical_key(participant.member.nick_name) for participant in room.participants.values()]
            assert len(keys) == len(set(keys))
            expected = {connection: member_id for (connection, key), member_id in self.model.items() if key == room.key}
            assert {connection: member.member.member_id for connection, member in room.connections.items()} == expected
            assert set(room.participants) == set(expected.values())


RoomRegistryMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_memberships_nicknames_and_statuses_match_the_model = RoomRegistryMachine.TestCase


def test_a_taken_nickname_gets_the_next_free_suffix() -> None:
    registry = RoomRegistry[int]()
    assigned = [
        registry.join(number, "tea", f"g{number}", "小明").participant.member.nick_name for number in range(1, 5)
    ]
    assert assigned == ["小明", "小明2", "小明3", "小明4"]
    registry.leave(2, "tea")
    assert registry.join(9, "tea", "g9", "小明").participant.member.nick_name == "小明2"


def test_a_second_connection_of_a_member_has_the_same_nickname() -> None:
    registry = RoomRegistry[int]()
    registry.join(1, "tea", "g1", "ann")
    rejoined = registry.join(2, "tea", "g1", "ann")
    assert (rejoined.is_new, rejoined.participant.member.nick_name) == (False, "ann")
    assert not registry.leave(1, "tea").is_last
    assert registry.leave(2, "tea").is_last


def test_the_number_of_rooms_per_connection_is_limited_and_a_renamed_room_counts_once() -> None:
    registry = RoomRegistry[int]()
    for number in range(ROOMS_PER_CONNECTION):
        registry.join(1, f"room {number}", "g1", "ann")
    with pytest.raises(BadRequest):
        registry.join(1, "one more", "g1", "ann")
    registry.join(1, "room 0", "g1", "ann")
    assert "one more" not in registry.rooms
    registry.leave(1, "room 1")
    registry.rename(registry.rooms["room 0"], "renamed")
    registry.join(1, "one more", "g1", "ann")
    assert registry.require_reader(1, "room 0") is registry.require_reader(1, "renamed")
    for enter in (lambda: registry.join(1, "room 0", "g1", "ann"), lambda: registry.observe(1, "room 0")):
        with pytest.raises(BadRequest):  # another room than the renamed one
            enter()
    assert "room 0" not in registry.rooms


def test_five_thousand_equal_nicknames_get_distinct_suffixes() -> None:
    registry = RoomRegistry[int]()
    nicks = {registry.join(number, "tea", f"g{number}", "ann").participant.member.nick_name for number in range(5000)}
    assert len(nicks) == 5000


def test_a_repeated_request_for_a_taken_nickname_changes_nothing() -> None:
    registry = RoomRegistry[int]()
    registry.join(1, "tea", "g1", "ann")
    assert registry.join(2, "tea", "g2", "Ann").participant.member.nick_name == "Ann2"
    rejoined = registry.join(2, "tea", "g2", "Ann")
    assert (rejoined.participant.member.nick_name, rejoined.old_nick) == ("Ann2", None)
    assert registry.join(2, "tea", "g2", "Bob").participant.member.nick_name == "Bob"


def test_a_repeated_join_reports_a_change_of_case() -> None:
    registry = RoomRegistry[int]()
    registry.join(1, "tea", "g1", "ann")
    assert registry.join(1, "tea", "g1", "Ann").old_nick == "ann"
    assert registry.join(1, "tea", "g1", "Ann").old_nick is None


def test_subscribers_are_grouped_by_dialect() -> None:
    registry = RoomRegistry[int]()
    room = registry.join(1, "tea", "g1", "ann").room
    registry.join(2, "tea", "g2", "guest", dialect="string_join", client_kind="string_join")
    assert {dialect: list(connections) for dialect, connections in room.subscribers.items()} == {
        "native": [1],
        "string_join": [2],
    }
    assert [participant.member.via for participant in room.participants.values()] == [None, "string_join"]
    assert registry.join(2, "tea", "g2", "guest").client_changed
    assert {dialect: list(connections) for dialect, connections in room.subscribers.items()} == {"native": [1, 2]}
    registry.leave_all(1)
    registry.leave(2, "tea")
    assert room.subscribers == {}


def test_a_join_with_one_of_2000_equal_nicknames_attempts_few_suffixes(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = RoomRegistry[int]()
    for number in range(2000):
        registry.join(number, "tea", f"g{number}", "ann")
    attempts: list[str] = []
    with_suffix = names.with_suffix

    def count_attempt(name: str, number: int) -> str:
        attempts.append(name)
        return with_suffix(name, number)

    monkeypatch.setattr(names, "with_suffix", count_attempt)
    for number in range(500, 600):
        nick = registry.leave(number, "tea").participant.member.nick_name
        assert registry.join(number, "tea", f"n{number}", "ann").participant.member.nick_name == nick
    assert len(attempts) <= 600


def test_freed_suffixes_are_assigned_in_ascending_order() -> None:
    registry = RoomRegistry[int]()
    for number in range(1, 8):
        registry.join(number, "tea", f"g{number}", "ann")
    for number in (5, 3, 6):
        registry.leave(number, "tea")
    registry.join(8, "tea", "g8", "ann3")
    assigned = [
        registry.join(number, "tea", f"n{number}", "ann").participant.member.nick_name for number in (9, 10, 11)
    ]
    assert assigned == ["ann5", "ann6", "ann8"]
    registry.leave(8, "tea")
    assert registry.join(12, "tea", "n12", "ann").participant.member.nick_name == "ann3"


@given(st.lists(st.tuples(st.sampled_from(["ann", "ann1", "x" * 32, "x" * 31 + "y", "x" * 30]), st.booleans())))
def test_suffixes_stay_unique_and_unused_pools_are_removed(steps: list[tuple[str, bool]]) -> None:
    suffixes, taken = NickSuffixes(), list[str]()
    for requested, is_release in steps:
        if is_release and taken:
            suffixes.release(taken.pop(0))
        else:
            nick_key = suffixes.allocate(requested, lambda key: key not in taken)[1]
            assert nick_key not in taken
            taken.append(nick_key)
    for nick_key in taken:
        suffixes.release(nick_key)
    assert not suffixes._pools  # pyright: ignore[reportPrivateUsage]


def test_a_number_below_two_and_a_repeated_release_free_no_suffix() -> None:
    suffixes = NickSuffixes()
    assert [suffixes.allocate("ann", lambda _: True)[0] for _ in range(3)] == ["ann2", "ann3", "ann4"]
    for nick_key in ("ann1", "ann2", "ann2"):
        suffixes.release(nick_key)
    assert [suffixes.allocate("ann", lambda _: True)[0] for _ in range(2)] == ["ann2", "ann5"]


def test_previews_and_former_nicknames_are_not_reserved() -> None:
    registry = RoomRegistry[int]()
    joined = registry.join(1, "tea", "g1", "ann")
    room = joined.room
    assert [room.preview_nick("ann", member_id) for member_id in ("g2", "g3")] == ["ann2", "ann2"]
    assert registry.join(2, "tea", "g2", "ann").participant.member.nick_name == "ann2"
    registry.change_nick(room, joined.participant, "bob")
    assert registry.join(3, "tea", "g3", "ann").participant.member.nick_name == "ann"


def test_the_assignment_of_a_nickname_lost_to_another_node_is_a_change() -> None:
    registry = RoomRegistry[int]()
    joined = registry.join(1, "tea", "g1", "ann")
    other = registry.join(2, "tea", "g2", "bob").participant
    joined.room.assign_nick(other, "ann", "ann")
    assert registry.change_nick(joined.room, joined.participant, "ann") == "ann"
    assert joined.participant.member.nick_name == "ann2"
    joined.room.assign_nick(other, "ann2", "ann2")
    registry.leave(2, "tea")
    assert joined.room.find_by_nick("ann2") is None
    assert registry.change_nick(joined.room, joined.participant, "ann2") == "ann2"
    assert joined.room.find_by_nick("ann2") is joined.participant
    assert registry.change_nick(joined.room, joined.participant, "ann2") is None
    joined.room.assign_nick(registry.join(2, "tea", "g2", "bob").participant, "ann2", "ann2")
    registry.leave(2, "tea")
    assert registry.join(3, "tea", "g1", "ann2").old_nick == "ann2"
    assert joined.room.find_by_nick("ann2") is joined.participant
    assert registry.join(4, "tea", "g1", "ann2").old_nick is None


def test_a_large_room_lists_the_joiner_owners_moderators_and_recent_speakers() -> None:
    registry = RoomRegistry[int]()
    room = registry.join(0, "tea", "first", "first").room
    for number in range(1, 12_000):
        registry.join(number, "tea", f"g{number:05}", f"member {number}")
    room.record_speaker("g00007")
    room.record_speaker("g00003")
    for member_id, role in (("g00002", "moderator"), ("g00001", "moderator"), ("g00003", "owner"), ("g00005", "owner")):
        room.set_role(room.participants[member_id], role)
    room.set_role(room.participants["g00005"], "member")
    listed = [present.member.member_id for present in room.list_prominent(room.participants["first"])]
    assert listed[:6] == ["first", "g00003", "g00002", "g00001", "g00007", "g11999"]
    assert len(listed) == len(set(listed)) == MEMBER_PAGE
    assert len(msgspec.json.encode([room.participants[member_id].member for member_id in listed])) < 100_000
    registry.leave(3, "tea")
    registry.leave(2, "tea")
    assert [present.member.member_id for present in room.list_prominent()][:3] == ["g00001", "g00007", "g11999"]


def test_pages_list_each_member_once_and_filter_by_nickname() -> None:
    registry = RoomRegistry[int]()
    for number in range(25):
        registry.join(number, "tea", f"g{number * 7 % 25:02}", f"Ann {number}")
    room = registry.rooms["tea"]
    listed: list[str] = []
    has_more, after = True, ""
    while has_more:
        page, has_more = room.list_page(after, 10, "")
        after = page[-1].member.member_id
        listed += [present.member.member_id for present in page]
    assert listed == sorted(f"g{number:02}" for number in range(25))
    page, has_more = room.list_page("", 10, names.canonical_key("ANN 24"))
    assert ([present.member.nick_name for present in page], has_more) == (["Ann 24"], False)


def test_lists_of_members_with_long_nicknames_are_limited_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 20_000
    monkeypatch.setattr("server.domain.live_room.MEMBER_PAGE_BYTES", limit)
    registry = RoomRegistry[int]()
    for number in range(30):
        registry.join(number, "tea", f"g{number:02}", f"{number}" + "😀" * 250)
    room = registry.rooms["tea"]
    room.set_role(room.participants["g07"], "owner")
    listed = [present.member for present in room.list_prominent(room.participants["g00"])]
    assert [member.member_id for member in listed][:3] == ["g00", "g07", "g29"]
    page, has_more = room.list_page("", MEMBER_PAGE, "")
    assert has_more
    for members in (listed, [present.member for present in page]):
        assert limit // 2 < len(msgspec.json.encode(members)) < limit


def test_an_observed_room_has_no_members_and_ends_with_its_last_observer() -> None:
    registry = RoomRegistry[int]()
    room = registry.observe(1, "tea")
    assert (registry.count_members("tea"), registry.count_observers(), list(room.subscribers["native"])) == (0, 1, [1])
    assert registry.require_reader(1, "Tea") is room
    registry.join(2, "tea", "g2", "ann")
    assert registry.leave(2, "tea").is_last
    assert registry.rooms == {"tea": room}
    registry.join(1, "tea", "g1", "bob")
    assert registry.count_observers() == 0
    registry.observe(1, "tea")
    registry.leave_all(1)
    registry.observe(1, "tea")
    assert registry.leave_all(1) == []
    assert registry.rooms == registry._rooms_by_connection == {}  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(NotJoined):
        registry.require_reader(1, "tea")


def test_observed_rooms_count_towards_the_limit() -> None:
    registry = RoomRegistry[int]()
    for number in range(ROOMS_PER_CONNECTION):
        registry.observe(1, f"room {number}")
    with pytest.raises(BadRequest):
        registry.join(1, "one more", "g1", "ann")
    with pytest.raises(BadRequest):
        registry.observe(1, "one more")
    registry.observe(1, "room 0")
