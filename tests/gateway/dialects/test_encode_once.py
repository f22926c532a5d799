"""A message is encoded once for each form in which it is read, and not at all in a form that nobody reads."""

import json
from collections.abc import Iterable

import pytest

from server.domain.room_registry import LiveRoom, RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.frames import Frame
from server.gateway.dialects.dialect import DialectContext
from server.gateway.dialects.registry import create_dialects
from server.gateway.fanout import Fanout, RoomEvent
from tests.support.wait import wait_until
from tui_chat.protocol.events import Message, PresencePush

READERS = 5


class Recorder:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def push(self, frame: Frame) -> None:
        self.frames.append(frame)

    def close(self, reason: str) -> None:
        raise AssertionError(reason)


class Unwanted:
    """A form that is not read."""

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        raise AssertionError(room_event)


def message(room: str, member_id: str) -> Message:
    return Message(room=room, seq=1, id=1, nick_name="ann", member_id=member_id, message="hi", ts=0)


def enter(lobby: RoomRegistry[ClientConnection], form: str) -> tuple[list[Recorder], LiveRoom[ClientConnection]]:
    """Some members of a room who read in this form."""
    wires = [Recorder() for _ in range(READERS)]
    room = None
    for number, wire in enumerate(wires):
        connection = ClientConnection(wire, f"{form}{number}", "127.0.0.1", {})
        room = lobby.join(connection, "tea", f"{form} {number}", "ann", dialect=form).room
    assert room is not None
    return wires, room


@pytest.mark.parametrize(
    ("form", "frames"), [("native", 1), ("string_join", 1), ("server_msg", 2), ("resource_crud", 0)]
)
def test_a_message_is_one_frame_for_all_who_read_it_alike(form: str, frames: int) -> None:
    lobby = RoomRegistry[ClientConnection]()
    dialects = {dialect.name: dialect for dialect in create_dialects(DialectContext(lobby, None))}
    wires, room = enter(lobby, form)
    Fanout(dialects).send_to_room(room, message("tea", f"{form} 0"))
    assert len({id(frame) for wire in wires for frame in wire.frames}) == frames  # at the right is not at the left
    assert all(len(wire.frames) == bool(frames) for wire in wires)


async def test_a_list_of_users_is_one_frame_for_all_who_are_in_the_same_rooms() -> None:
    lobby = RoomRegistry[ClientConnection]()
    dialects = {dialect.name: dialect for dialect in create_dialects(DialectContext(lobby, None))}
    wires, room = enter(lobby, "server_msg")
    other, _ = enter(lobby, "native")
    for reader in list(room.subscribers["server_msg"]):
        lobby.join(reader, "coffee", reader.sid, "ann", dialect="server_msg")
    for changed in lobby.rooms.values():
        Fanout(dialects).send_to_room(changed, PresencePush(room=changed.name, joined=[], left=[], renamed=[]))
    await wait_until(lambda: wires[0].frames)
    assert [len(wire.frames) for wire in wires] == [1] * READERS  # though both rooms changed
    assert len({id(wire.frames[0]) for wire in wires}) == 1
    assert set(json.loads(wires[0].frames[0].polling_bytes[2:])[1]) == {"tea", "coffee"}
    assert {bytes(frame.polling_bytes[:12]) for wire in other for frame in wire.frames} == {b'42["presence'}


def test_a_form_that_nobody_reads_is_not_asked() -> None:
    lobby = RoomRegistry[ClientConnection]()
    native = next(dialect for dialect in create_dialects(DialectContext(lobby, None)) if dialect.name == "native")
    wires, room = enter(lobby, "native")
    fanout = Fanout(
        {"native": native, "string_join": Unwanted(), "server_msg": Unwanted(), "resource_crud": Unwanted()}
    )
    fanout.send_to_room(room, message("tea", "native 0"))
    assert [len(wire.frames) for wire in wires] == [1] * READERS
