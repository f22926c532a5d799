import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.domain.room_registry import RoomRegistry
from tui_chat.protocol import names
from tui_chat.protocol.errors import BadRequest, NotJoined
from tui_chat.protocol.limits import ROOMS_PER_CONNECTION

connections = st.integers(1, 5)
members = st.sampled_from(["g1", "g2", "g3"])
nicks = st.sampled_from(["ann", "Ann", "ANN2", "ann2", "bob", "小明"])
rooms = st.sampled_from(["tea", "TEA", "coffee"])


class LobbyMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.lobby = RoomRegistry[int]()
        self.model: dict[tuple[int, str], str] = {}

    @rule(connection=connections, room=rooms, member=members, nick=nicks)
    def join(self, connection: int, room: str, member: str, nick: str) -> None:
        key = names.canonical_key(room)
        present = member in {who for (_, where), who in self.model.items() if where == key}
        if self.model.get((connection, key), member) != member:
            with pytest.raises(BadRequest):
                self.lobby.join(connection, room, member, nick)
            return
        arrival = self.lobby.join(connection, room, member, nick)
        self.model[connection, key] = member
        assert arrival.is_new == (not present)
        assert names.canonical_key(arrival.participant.nick_name).startswith(names.canonical_key(nick))

    @rule(connection=connections, room=rooms)
    def leave(self, connection: int, room: str) -> None:
        key = names.canonical_key(room)
        if (connection, key) not in self.model:
            with pytest.raises(NotJoined):
                self.lobby.leave(connection, room)
            return
        member = self.model.pop((connection, key))
        departure = self.lobby.leave(connection, room)
        assert departure.is_last == (member not in {who for (_, where), who in self.model.items() if where == key})

    @rule(connection=connections)
    def drop(self, connection: int) -> None:
        departures = self.lobby.leave_all(connection)
        assert {departure.room.key for departure in departures} == {key for who, key in self.model if who == connection}
        self.model = {place: member for place, member in self.model.items() if place[0] != connection}

    @rule(connection=connections, room=rooms, nick=nicks)
    def rename(self, connection: int, room: str, nick: str) -> None:
        if (connection, names.canonical_key(room)) in self.model:
            place = self.lobby.require_membership(connection, room)
            self.lobby.change_nick(*place, nick)

    @invariant()
    def nobody_shares_a_nickname_and_all_are_where_they_are(self) -> None:
        assert set(self.lobby.rooms) == {key for _, key in self.model}
        for room in self.lobby.rooms.values():
            keys = [names.canonical_key(occupant.nick_name) for occupant in room.participants.values()]
            assert len(keys) == len(set(keys))
            here = {connection: who for (connection, key), who in self.model.items() if key == room.key}
            assert {connection: who.member_id for connection, who in room.connections.items()} == here
            assert set(room.participants) == set(here.values())


TestLobby = LobbyMachine.TestCase
TestLobby.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_whoever_asks_for_a_taken_nickname_gets_the_next_free_one() -> None:
    lobby = RoomRegistry[int]()
    got = [lobby.join(number, "tea", f"g{number}", "小明").participant.nick_name for number in range(1, 5)]
    assert got == ["小明", "小明2", "小明3", "小明4"]
    lobby.leave(2, "tea")
    assert lobby.join(9, "tea", "g9", "小明").participant.nick_name == "小明2"


def test_a_member_who_comes_back_before_its_dead_connection_ended_keeps_its_nickname() -> None:
    lobby = RoomRegistry[int]()
    lobby.join(1, "tea", "g1", "ann")
    again = lobby.join(2, "tea", "g1", "ann")
    assert (again.is_new, again.participant.nick_name) == (False, "ann")
    assert not lobby.leave(1, "tea").is_last
    assert lobby.leave(2, "tea").is_last


def test_a_connection_can_be_in_so_many_rooms() -> None:
    lobby = RoomRegistry[int]()
    for number in range(ROOMS_PER_CONNECTION):
        lobby.join(1, f"room {number}", "g1", "ann")
    with pytest.raises(BadRequest):
        lobby.join(1, "one more", "g1", "ann")
    lobby.join(1, "room 0", "g1", "ann")
    assert "one more" not in lobby.rooms


def test_five_thousand_of_the_same_name_all_get_in() -> None:
    lobby = RoomRegistry[int]()
    nicks = {lobby.join(number, "tea", f"g{number}", "ann").participant.nick_name for number in range(5000)}
    assert len(nicks) == 5000


def test_a_member_who_asks_again_for_a_taken_nickname_keeps_the_one_it_got() -> None:
    lobby = RoomRegistry[int]()
    lobby.join(1, "tea", "g1", "ann")
    assert lobby.join(2, "tea", "g2", "Ann").participant.nick_name == "Ann2"
    again = lobby.join(2, "tea", "g2", "Ann")
    assert (again.participant.nick_name, again.old_nick) == ("Ann2", None)
    assert lobby.join(2, "tea", "g2", "Bob").participant.nick_name == "Bob"


def test_a_room_knows_its_readers_by_their_form() -> None:
    lobby = RoomRegistry[int]()
    room = lobby.join(1, "tea", "g1", "ann").room
    lobby.join(2, "tea", "g2", "guest", dialect="string_join", client_kind="string_join")
    assert {form: list(readers) for form, readers in room.subscribers.items()} == {"native": [1], "string_join": [2]}
    assert [member.via for member in room.list_members()] == [None, "string_join"]
    assert lobby.join(2, "tea", "g2", "guest").client_changed
    assert {form: list(readers) for form, readers in room.subscribers.items()} == {"native": [1, 2]}
    lobby.leave_all(1)
    lobby.leave(2, "tea")
    assert room.subscribers == {}
