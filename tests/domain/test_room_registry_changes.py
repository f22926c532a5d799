"""Changes of live rooms by the gateway: locks, renames, observations and members of several rooms."""

import pytest

from server.domain.account_directory import Account, AccountDirectory
from server.domain.direct_members import DirectMembers
from server.domain.room_registry import RoomRegistry
from tui_chat.protocol.errors import Conflict, NotFound, NotJoined, Unavailable

ADDRESS = "~" + "a" * 16


def test_a_locked_room_accepts_neither_members_nor_observers() -> None:
    registry = RoomRegistry[int]()
    observed = registry.observe(1, "tea")
    with registry.lock_rooms("room_not_empty", "tea", "coffee"):
        for enter in (lambda: registry.join(2, "Tea", "g2", "ann"), lambda: registry.observe(2, "coffee")):
            with pytest.raises(Unavailable) as rejection:
                enter()
            assert rejection.value.retry_after
        registry.join(2, "water", "g2", "ann")
        assert registry.rooms["tea"] is observed
    registry.join(2, "tea", "g2", "ann")


def test_a_locked_or_occupied_room_cannot_be_locked() -> None:
    registry = RoomRegistry[int]()
    with (
        registry.lock_rooms("room_not_empty", "tea", "coffee"),
        pytest.raises(Conflict),
        registry.lock_rooms("room_not_empty", "water", "tea"),
    ):
        raise AssertionError
    registry.join(1, "water", "g1", "bob")
    registry.join(2, "tea", "g2", "ann")
    with pytest.raises(Conflict) as conflict, registry.lock_rooms("room_not_empty", "coffee", "tea"):
        raise AssertionError
    assert conflict.value.reason == "room_not_empty"
    registry.join(2, "coffee", "g2", "ann")


def test_a_renamed_room_keeps_its_members_and_gains_the_observers_of_its_new_name() -> None:
    registry = RoomRegistry[int]()
    room = registry.join(1, "tea", "g1", "ann").room
    registry.observe(2, "Coffee", "irc")
    with registry.lock_rooms("room_exists", "coffee"):
        registry.rename(room, "Coffee")
    assert (room.key, room.name, registry.rooms) == ("coffee", "Coffee", {"coffee": room})
    assert room.subscribers == {"native": {1: None}, "irc": {2: None}}
    assert registry.find_room(1, "tea") is registry.find_room(2, "coffee") is room
    assert registry.find_room(2, "tea") is None
    registry.rename(room, "COFFEE")
    assert (room.name, registry.rooms, registry.count_observers()) == ("COFFEE", {"coffee": room}, 1)
    registry.leave(1, "tea")
    assert registry.count_rooms(1) == 0
    assert registry.end_observations("coffee") == {2: "irc"}
    assert registry.rooms == {}
    assert registry.end_observations("coffee") == {}


def test_the_end_of_an_observation_keeps_members_and_other_observers() -> None:
    registry = RoomRegistry[int]()
    room = registry.join(1, "tea", "g1", "ann").room
    registry.observe(1, "tea")
    registry.observe(2, "tea")
    assert [registry.is_observer(connection, "Tea") for connection in (1, 2, 3)] == [False, True, False]
    for connection in (1, 2, 3):
        registry.unobserve(connection, "tea")
    assert room.list_subscribers() == [1]
    registry.observe(2, "tea")
    assert registry.end_observations("tea") == {2: "native"}
    assert room.list_subscribers() == [1]
    assert registry.find_participant(1, "Tea") is room.participants["g1"]
    assert registry.find_participant(2, "tea") is registry.find_participant(1, "coffee") is None


def test_a_request_outside_of_a_room_does_not_reveal_addresses() -> None:
    registry = RoomRegistry[int]()
    registry.observe(2, "tea")
    for room_name, error_type in (("tea", NotJoined), (ADDRESS, NotFound)):
        with pytest.raises(error_type):
            registry.require_reader(1, room_name)
    with pytest.raises(NotJoined):
        registry.require_membership(2, "tea")


def test_common_rooms_contain_both_members_and_exclude_direct_rooms() -> None:
    registry = RoomRegistry[int]()
    rooms = [registry.join(1, name, "g1", "ann").room for name in ("tea", "coffee", "water")]
    for name in ("tea", "coffee"):
        registry.join(2, name, "g2", "bob")
    rooms[1].direct = DirectMembers({}, frozenset())
    assert registry.find_common_rooms("g1", "g2") == [rooms[0]]
    assert registry.find_common_rooms("g1", "g3") == []
    assert set(registry.get_member_rooms("g1")) == set(rooms)
    assert registry.get_joined_rooms(1) == tuple(rooms)


def test_the_members_of_a_room_that_is_not_live_are_those_of_other_nodes() -> None:
    registry = RoomRegistry[int]()
    registry.cluster_counts = {"tea": 3, "coffee": 4}
    room = registry.join(1, "Tea", "g1", "ann").room
    assert [registry.count_members(key) for key in ("tea", "coffee", "water")] == [1, 4, 0]
    assert registry.get_ref("TEA") == room.to_ref()
    assert (registry.get_ref("Water").key, registry.get_ref("Water").name) == ("water", "Water")


def test_nicknames_that_contradict_a_changed_account_are_outdated() -> None:
    directory = AccountDirectory()
    registry = RoomRegistry[int](directory)
    room = registry.join(1, "tea", "g1", "Ann").room
    registry.join(2, "tea", "g2", "bob")
    registry.join(3, "tea", "a1", "Captain")
    account = Account(id=1, name="ann", nick_name="Captain", member_id="a1")
    guest, captain = room.participants["g1"], room.participants["a1"]
    assert room.find_outdated_nicks(account) == [(guest, "Ann"), (captain, "Captain")]
    directory.put(account)
    assert registry.change_nick(room, guest, "Ann") == "Ann"
    assert guest.member.nick_name == "Ann2"
    deleted = Account(id=1, name="deleted", nick_name="Captain", member_id="a1", deleted=True)
    assert room.find_outdated_nicks(deleted) == []


def test_a_private_room_is_displayed_with_its_title() -> None:
    registry = RoomRegistry[int]()
    room, private = registry.observe(1, "Tea"), registry.observe(1, ADDRESS)
    assert (room.display_name, private.display_name) == ("Tea", "")
    private.title = "Plans"
    assert private.display_name == "Plans"
