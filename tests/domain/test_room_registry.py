import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.domain.room_registry import RoomRegistry
from tui_chat.protocol import names
from tui_chat.protocol.errors import BadRequest, NotJoined
from tui_chat.protocol.limits import ROOMS_PER_CONNECTION

connections = st.integers(1, 5)
members = st.sampled_from(["g1", "g2", "g3"])
nicks = st.sampled_from(["ann", "Ann", "ANN2", "ann2", "bob", "小明"])
rooms = st.sampled_from(["tea", "TEA", "coffee"])


class RoomRegistryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.registry = RoomRegistry[int]()
        self.model: dict[tuple[int, str], str] = {}

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
    def rename(self, connection: int, room: str, nick: str) -> None:
        if (connection, names.canonical_key(room)) in self.model:
            membership = self.registry.require_membership(connection, room)
            self.registry.change_nick(*membership, nick)

    @invariant()
    def nicknames_are_unique_and_memberships_match(self) -> None:
        assert set(self.registry.rooms) == {key for _, key in self.model}
        for room in self.registry.rooms.values():
            keys = [names.canonical_key(participant.member.nick_name) for participant in room.participants.values()]
            assert len(keys) == len(set(keys))
            expected = {connection: member_id for (connection, key), member_id in self.model.items() if key == room.key}
            assert {connection: member.member.member_id for connection, member in room.connections.items()} == expected
            assert set(room.participants) == set(expected.values())


TestRoomRegistry = RoomRegistryMachine.TestCase
TestRoomRegistry.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


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


def test_the_number_of_rooms_per_connection_is_limited() -> None:
    registry = RoomRegistry[int]()
    for number in range(ROOMS_PER_CONNECTION):
        registry.join(1, f"room {number}", "g1", "ann")
    with pytest.raises(BadRequest):
        registry.join(1, "one more", "g1", "ann")
    registry.join(1, "room 0", "g1", "ann")
    assert "one more" not in registry.rooms


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
