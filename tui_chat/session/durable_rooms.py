"""Durable memberships of an account (docs/protocol.md, `myRooms`)."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from tui_chat.client.events import ReadMarker
from tui_chat.protocol import names
from tui_chat.protocol.events import MemberRef
from tui_chat.protocol.responses import OwnRoom


@dataclass(frozen=True, slots=True)
class DurableRoom:
    """Room with a durable membership of the account.

    Attributes:
        name: Name or address of the room.
        title: Display name: nicknames of the other members of a direct room, title of a private room, or the name.
        members: Other members of a direct room, empty for other rooms.
    """

    name: str
    title: str
    members: tuple[MemberRef, ...] = ()
    unread_count: int = 0
    mention_count: int = 0

    @property
    def is_direct(self) -> bool:
        """True for a direct room."""
        return bool(self.members)


class DurableRooms:
    """Durable memberships of the account, including open rooms, latest activity first; empty for a guest."""

    def __init__(self) -> None:
        self._rooms: dict[str, DurableRoom] = {}  # by canonical key

    def replace_all(self, rooms: Sequence[OwnRoom]) -> None:
        """Replace the memberships with those of the server."""
        self._rooms = {names.canonical_key(room.name): _to_durable_room(room) for room in rooms}

    def list_closed(self, open_keys: Container[str]) -> list[DurableRoom]:
        """Return the rooms whose canonical keys are not in `open_keys`, latest activity first, direct rooms last."""
        closed_rooms = [room for key, room in self._rooms.items() if key not in open_keys]
        return sorted(closed_rooms, key=lambda room: room.is_direct)

    def set_read_marker(self, name: str, marker: ReadMarker) -> None:
        """Set the unread counts of a room; no effect for an unknown room."""
        key = names.canonical_key(name)
        if key in self._rooms:
            counts = {"unread_count": marker.unread, "mention_count": marker.mentions}
            self._rooms[key] = replace(self._rooms[key], **counts)

    def remove(self, name: str) -> None:
        """Remove a room; no effect for an unknown room."""
        self._rooms.pop(names.canonical_key(name), None)

    @property
    def direct_contacts(self) -> list[MemberRef]:
        """Other members of the direct rooms of two."""
        return [room.members[0] for room in self._rooms.values() if len(room.members) == 1]


def _to_durable_room(room: OwnRoom) -> DurableRoom:
    members = tuple(room.direct or ())
    title = ", ".join(member.nick_name for member in members) or room.title or room.name
    return DurableRoom(room.name, title, members, max(0, room.read.unread), max(0, room.read.mentions))
