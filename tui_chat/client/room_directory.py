"""Rooms of one client by name."""

from collections.abc import Iterator

from tui_chat.client.membership import RoomMembership
from tui_chat.client.room import Room
from tui_chat.protocol import names


class RoomDirectory:
    """Joined, observed and cached rooms, and rooms with a first join in progress. Iteration is in order of creation."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}  # by `RoomContext.key`

    def __iter__(self) -> Iterator[Room]:
        return iter(tuple(self._rooms.values()))

    def get(self, name: str) -> Room | None:
        """Return the room of a name, None if absent; case and width are ignored. An invalid name raises `ChatError`."""
        return self._rooms.get(names.canonical_key(names.validate_room_name(name)))

    def add(self, room: Room) -> None:
        """Add a room under its key, in place of a room with the same key."""
        self._rooms[room.membership.context.key] = room

    def rename(self, room: Room, new_name: str) -> None:
        """Set a valid new name of a room and its membership, and move the room to the end of the iteration.

        No effect if another room has this name.
        """
        if self._rooms.get(names.canonical_key(new_name), room) is room:
            self.remove(room.membership)
            room.membership.on_renamed(new_name)
            self.add(room)

    def remove(self, membership: RoomMembership) -> None:
        """Remove a room; no effect if absent or replaced."""
        key = membership.context.key
        if key in self._rooms and self._rooms[key].membership is membership:
            del self._rooms[key]

    def has_replacement(self, membership: RoomMembership) -> bool:
        """Return whether another room with the name of a removed one is joined or observed in the same way."""
        room = self._rooms.get(membership.context.key)
        return (
            room is not None
            and room.membership is not membership
            and room.membership.is_observed == membership.is_observed
        )
