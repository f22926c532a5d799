"""Open rooms of one session in display order, and the selected room."""

from collections.abc import Sequence

from tui_chat.protocol import names
from tui_chat.session.room_view import RoomView


class OpenRooms:
    """Ordered collection of room views.

    Attributes:
        by_key: Rooms by canonical key in display order; direct rooms are last.
    """

    def __init__(self) -> None:
        self.by_key: dict[str, RoomView] = {}
        self._current_key: str | None = None
        self._order: dict[str, int] = {}
        self._new_keys: dict[str, str] = {}  # of renamed rooms, by previous key

    @property
    def current(self) -> RoomView | None:
        """Selected room, None if no room is open."""
        return None if self._current_key is None else self.by_key[self._current_key]

    def find(self, name: str) -> RoomView | None:
        """Return the open room with this name, otherwise the one with this name before its renames, otherwise None."""
        key = names.canonical_key(name)
        return self.by_key.get(key) or self.by_key.get(self._new_keys.get(key, key))

    def select(self, view: RoomView) -> None:
        """Select a room of the collection."""
        self._current_key = names.canonical_key(view.name)

    def find_neighbor(self, offset: int) -> RoomView | None:
        """Return the room `offset` positions after the selected one, with wrap-around; None without a room."""
        if self._current_key is None:
            return None
        keys = list(self.by_key)
        return self.by_key[keys[(keys.index(self._current_key) + offset) % len(keys)]]

    def find_number(self, number: int) -> RoomView | None:
        """Return the room at a 1-based position, None for an invalid one."""
        return list(self.by_key.values())[number - 1] if 1 <= number <= len(self.by_key) else None

    def others(self) -> list[RoomView]:
        """Return the rooms that are not selected in display order, those after the selected one first."""
        views = list(self.by_key.values())
        index = next((index for index, view in enumerate(views) if view is self.current), 0)
        return views[index + 1 :] + views[:index]

    def set_order(self, rooms: Sequence[str]) -> None:
        """Set the order of the present and later rooms; rooms without a position sort last."""
        self._order = {names.canonical_key(name): index for index, name in enumerate(rooms)}
        self._sort()

    def add(self, view: RoomView) -> None:
        """Add a room at its position, without selecting the room."""
        self.by_key[names.canonical_key(view.name)] = view
        self._sort()

    def _sort(self) -> None:
        # The sort is stable, so rooms without a position keep their join order.
        order, end = self._order, len(self._order)
        self.by_key = dict(sorted(self.by_key.items(), key=lambda row: (row[1].room.is_direct, order.get(row[0], end))))

    def remove(self, view: RoomView) -> None:
        """Remove a room; if selected, select its predecessor, or the new first room without a predecessor."""
        key = names.canonical_key(view.name)
        index = list(self.by_key).index(key)
        del self.by_key[key]
        if self._current_key == key:
            self._current_key = next(iter(list(self.by_key)[max(0, index - 1) :]), None)

    def rename(self, view: RoomView, new_name: str) -> None:
        """Change the name of a room; position and selection remain."""
        old_key, key = names.canonical_key(view.name), names.canonical_key(new_name)
        view.name = new_name
        self.by_key = {key if room is view else other_key: room for other_key, room in self.by_key.items()}
        if old_key in self._order:
            self._order[key] = self._order.pop(old_key)
        self._new_keys = {before: key if after == old_key else after for before, after in self._new_keys.items()}
        self._new_keys[old_key] = key
        self._current_key = key if self._current_key == old_key else self._current_key
