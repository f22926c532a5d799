"""Members of live rooms with connections to other nodes."""

import pytest
from msgspec.structs import replace

from server.domain.remote_members import apply_member, remove_node
from server.domain.room_registry import RoomRegistry
from tui_chat.protocol.events import Member

ANN = Member(member_id="ann", nick_name="Ann", role="member")


def test_a_member_of_two_nodes_leaves_with_the_connections_of_both() -> None:
    registry = RoomRegistry[int]()
    room = registry.observe(1, "tea")
    joined = apply_member(registry, room, ANN, "n1")
    assert (joined.room, joined.is_new, joined.participant.member, joined.participant.nodes) == (
        room,
        True,
        ANN,
        {"n1"},
    )
    assert registry.get_member_rooms("ann") == (room,)
    repeated = apply_member(registry, room, ANN, "n2")
    assert (repeated.is_new, repeated.old_nick, repeated.client_changed) == (False, None, False)
    first, last = (remove_node(registry, room, joined.participant, node_id) for node_id in ("n1", "n2"))
    assert (first.is_last, last.is_last, last.room, last.participant) == (False, True, room, joined.participant)
    assert room.participants == {}
    assert registry.get_member_rooms("ann") == ()


def test_a_connection_of_this_node_keeps_a_member_whose_other_node_leaves() -> None:
    registry = RoomRegistry[int]()
    room = registry.join(1, "tea", "ann", "Ann").room
    participant = apply_member(registry, room, ANN, "n1").participant
    assert not remove_node(registry, room, participant, "n1").is_last
    assert registry.leave(1, "tea").is_last
    assert registry.rooms == {}


def test_a_change_by_another_node_replaces_names_status_and_role(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = RoomRegistry[int]()
    room = registry.join(1, "tea", "ann", "Ann").room
    for member, old_nick, client_changed in (
        (replace(ANN, nick_name="Anna"), "Ann", False),
        (replace(ANN, nick_name="Anna", away="lunch"), None, True),
        (replace(ANN, nick_name="Anna", away="lunch", via="irc"), None, True),
        (replace(ANN, nick_name="Anna", away="lunch", via="irc", account="ann", role="owner"), None, False),
    ):
        change = apply_member(registry, room, member, None)
        assert (change.is_new, change.old_nick, change.client_changed) == (False, old_nick, client_changed)
        assert (change.participant.member, change.participant.nodes) == (member, set())
    assert room.find_by_nick("ann") is None
    assert room.find_by_nick("anna") is room.participants["ann"]
    registry.join(2, "tea", "bob", "Bob")
    monkeypatch.setattr("tui_chat.protocol.limits.MEMBER_PAGE", 1)
    assert room.list_prominent() == [room.participants["ann"]]


def test_a_member_of_another_node_takes_its_nickname_from_a_member_of_this_node() -> None:
    registry = RoomRegistry[int]()
    registry.observe(2, "tea")
    room = registry.join(1, "tea", "guest", "Ann").room
    apply_member(registry, room, ANN, "n1")
    assert room.find_by_nick("ann") is room.participants["ann"]
    assert registry.leave(1, "tea").is_last
    assert room.find_by_nick("ann") is room.participants["ann"]


def test_a_regained_nickname_that_looks_like_another_one_is_a_change() -> None:
    registry = RoomRegistry[int]()
    room = registry.observe(1, "tea")
    apply_member(registry, room, ANN, "n1")
    bob = Member(member_id="bob", nick_name="Ann", role="member")
    for member in (bob, replace(bob, nick_name="\N{CYRILLIC CAPITAL LETTER A}nn")):
        apply_member(registry, room, member, "n2")
    regained = apply_member(registry, room, ANN, "n1")
    assert (regained.old_nick, regained.client_changed, regained.participant.member.confusable) == (None, True, True)
    assert not apply_member(registry, room, ANN, "n1").client_changed
