"""Encode-once fan-out: one encoding per distinct frame of a dialect."""

import json
from collections.abc import Iterable

import pytest

from server.domain.live_room import LiveRoom
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame
from server.gateway.dialects.registry import create_dialects
from server.gateway.fanout import Fanout, RoomEvent
from server.gateway.file_lines import FileLines
from tests.support.wait import wait_until
from tui_chat.protocol.events import Message, PresencePush

MEMBERS = 5


class RecordingSink:
    """Frame sink that stores the pushed frames."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def push(self, frame: Frame) -> None:
        self.frames.append(frame)

    def close(self, reason: str) -> None:
        raise AssertionError(reason)


def reject_delivery(
    room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
) -> None:
    """Fail, as the delivery function of a dialect without subscribers."""
    raise AssertionError(room_event)


def build_message(room: str, member_id: str) -> Message:
    """Return a message of a member."""
    return Message(room=room, seq=1, id=1, nick_name="ann", member_id=member_id, message="hi", ts=0)


def join_members(
    registry: RoomRegistry[ClientConnection], dialect_name: str
) -> tuple[list[RecordingSink], LiveRoom[ClientConnection]]:
    """Join members of one dialect; return their sinks and the room."""
    sinks = [RecordingSink() for _ in range(MEMBERS)]
    room = None
    for number, sink in enumerate(sinks):
        connection = ClientConnection(sink.push, sink.close, f"{dialect_name}{number}", "127.0.0.1", {})
        room = registry.join(connection, "tea", f"{dialect_name} {number}", "ann", dialect=dialect_name).room
    assert room is not None
    return sinks, room


@pytest.mark.parametrize(
    ("dialect_name", "frames"), [("native", 1), ("string_join", 1), ("server_msg", 2), ("resource_crud", 0)]
)
def test_a_message_is_encoded_once_per_representation(dialect_name: str, frames: int) -> None:
    registry = RoomRegistry[ClientConnection]()
    fanout = Fanout({dialect.name: dialect.deliver for dialect in create_dialects(registry, None)}, FileLines(str))
    sinks, room = join_members(registry, dialect_name)
    fanout.send_to_room(room, build_message("tea", f"{dialect_name} 0"))
    # `server_msg` has one representation for the author and one for the other members.
    assert len({id(frame) for sink in sinks for frame in sink.frames}) == frames
    assert all(len(sink.frames) == bool(frames) for sink in sinks)


async def test_a_user_list_is_encoded_once_for_members_of_the_same_rooms() -> None:
    registry = RoomRegistry[ClientConnection]()
    fanout = Fanout({dialect.name: dialect.deliver for dialect in create_dialects(registry, None)}, FileLines(str))
    sinks, room = join_members(registry, "server_msg")
    native_sinks, _ = join_members(registry, "native")
    for connection in list(room.subscribers["server_msg"]):
        registry.join(connection, "coffee", connection.sid, "ann", dialect="server_msg")
    for changed_room in registry.rooms.values():
        fanout.send_to_room(changed_room, PresencePush(room=changed_room.name, joined=[], left=[], renamed=[]))
    await wait_until(lambda: sinks[0].frames)
    assert [len(sink.frames) for sink in sinks] == [1] * MEMBERS  # one list although both rooms changed
    assert len({id(sink.frames[0]) for sink in sinks}) == 1
    assert set(json.loads(sinks[0].frames[0].polling_bytes[2:])[1]) == {"tea", "coffee"}
    assert {bytes(frame.polling_bytes[:12]) for sink in native_sinks for frame in sink.frames} == {b'42["presence'}


def test_a_dialect_without_subscribers_encodes_nothing() -> None:
    registry = RoomRegistry[ClientConnection]()
    native = next(dialect for dialect in create_dialects(registry, None) if dialect.name == "native")
    sinks, room = join_members(registry, "native")
    fanout = Fanout(
        {
            "native": native.deliver,
            "string_join": reject_delivery,
            "server_msg": reject_delivery,
            "resource_crud": reject_delivery,
        },
        FileLines(str),
    )
    fanout.send_to_room(room, build_message("tea", "native 0"))
    assert [len(sink.frames) for sink in sinks] == [1] * MEMBERS
