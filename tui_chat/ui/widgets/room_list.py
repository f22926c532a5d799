"""List of the open rooms with their unread counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.message import Message

from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.widgets.side_list import ListRow, SideList


class RoomList(SideList):
    """Open rooms; the first nine show the digit of their key Alt+1 to Alt+9.

    Indicators are readable without colour: `3` unread messages, `@3` if one mentions the user, otherwise `(3)` in a
    muted room, and `✎` for a draft of another room. The number is always that of all unread messages.
    """

    @dataclass
    class RoomSelected(Message):
        """Click on a room.

        Attributes:
            room: Room name.
        """

        room: str

    def __init__(self, *, id: str) -> None:  # noqa: A002 (parameter name of Textual)
        super().__init__(id=id)
        self._room_views: Sequence[RoomView] = ()
        self._current_room: RoomView | None = None
        self._is_muted: Callable[[RoomView], bool] = lambda room: False

    @property
    def heading(self) -> str:
        """Heading of the list."""
        return tr(chat_strings.ROOMS)

    def set_rooms(
        self, rooms: Sequence[RoomView], current: RoomView | None, is_muted: Callable[[RoomView], bool]
    ) -> None:
        """Show the open rooms.

        Args:
            rooms: Rooms in display order.
            current: Current room.
            is_muted: Returns whether notifications of a room are off.
        """
        self._is_muted = is_muted
        self._room_views = rooms
        self._current_room = current
        self.set_row_count(len(rooms))

    def build_row(self, index: int) -> ListRow:
        """Return the row of the room at `index`."""
        room = self._room_views[index]
        number = f"{index + 1} " if index < 9 else "  "
        current, muted = room is self._current_room, self._is_muted(room)
        count = f"{room.unread_count:,}" if room.unread_count else ""
        if room.mention_count:
            count = f"@{count}"
        elif muted and count:
            count = f"({count})"
        draft_indicator = "✎" if room.draft.strip() and not current else ""
        return ListRow(
            number + room.name,
            " ".join(part for part in (draft_indicator, count) if part),
            "current" if current else "muted" if muted and not room.mention_count else "",
            Style(bold=bool(room.mention_count or (room.unread_count and not muted))),
            "mention" if room.mention_count else "",
        )

    async def _on_click(self, event: events.Click) -> None:
        index = self.row_index_at(event.y)
        if index is not None:
            self.post_message(self.RoomSelected(self._room_views[index].name))
