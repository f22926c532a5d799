"""Rooms of one client by name."""

from collections.abc import Iterator

from tui_chat.client.membership import RoomMembership
from tui_chat.client.room import Room
from tui_chat.protocol import names


class RoomDirectory:
    """Joined, observed and cached rooms, and rooms with a first join in progress. Iteration is in order of creation."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}  # by canonical key of the requested name
        self._rooms_by_pushed_name: dict[str, Room] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(tuple(self._rooms.values()))

    def get(self, name: str) -> Room | None:
        """Return the room that was requested under a name, None if absent; case and width are ignored.

        Raises:
            ChatError: Invalid room name.
        """
        return self._rooms.get(names.canonical_key(names.validate_room_name(name)))

    def find_pushed(self, name: str) -> Room | None:
        """Return the room of a push, by the server's spelling or as `get`, whose exceptions are raised."""
        # Pushes before the join response, or after a change of the server's spelling, have another name.
        return self._rooms_by_pushed_name.get(name) or self.get(name)

    def add(self, room: Room) -> None:
        """Add a room under its requested name; a room of the same name is replaced."""
        self._rooms[room.membership.context.key] = room

    def add_pushed_name(self, room: Room) -> None:
        """Register the server's spelling of a room name, for `find_pushed`."""
        self._rooms_by_pushed_name[room.name] = room

    def rename(self, room: Room, new_name: str) -> None:
        """Set a valid new name, also in the room's context; without effect if another room has this name."""
        context = room.membership.context
        key = names.canonical_key(new_name)
        if self._rooms.get(key, room) is room:
            self.remove(room.membership)
            context.key, context.name = key, new_name
            self.add(room)
            self.add_pushed_name(room)

    def remove(self, membership: RoomMembership) -> None:
        """Remove a room; no effect if absent."""
        for rooms in (self._rooms, self._rooms_by_pushed_name):
            for name in [name for name, room in rooms.items() if room.membership is membership]:
                del rooms[name]
