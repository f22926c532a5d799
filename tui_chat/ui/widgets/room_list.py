"""List of the open rooms with their unread counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.message import Message

from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
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

    _room_views: Sequence[RoomView] = ()

    def set_rooms(
        self, rooms: Sequence[RoomView], current: RoomView | None, is_muted: Callable[[RoomView], bool]
    ) -> None:
        """Show the open rooms.

        Args:
            rooms: Rooms in display order.
            current: Current room.
            is_muted: Returns whether notifications of a room are off.
        """

        def build_row(index: int) -> ListRow:
            return _room_row(index, rooms[index], rooms[index] is current, is_muted(rooms[index]))

        self._room_views = rooms
        self.set_rows(lambda: tr("Rooms"), build_row, len(rooms))

    async def _on_click(self, event: events.Click) -> None:
        index = self.row_index_at(event.y)
        if index is not None:
            self.post_message(self.RoomSelected(self._room_views[index].name))


def _room_row(index: int, room: RoomView, is_current: bool, is_muted: bool) -> ListRow:
    number = f"{index + 1} " if index < 9 else "  "
    count = f"{room.unread_count:,}" if room.unread_count else ""
    if room.mention_count:
        count = f"@{count}"
    elif is_muted and count:
        count = f"({count})"
    draft_indicator = "✎" if room.draft.strip() and not is_current else ""
    return ListRow(
        number + room.name,
        " ".join(part for part in (draft_indicator, count) if part),
        "current" if is_current else "muted" if is_muted and not room.mention_count else "",
        Style(bold=bool(room.mention_count or (room.unread_count and not is_muted))),
        "mention" if room.mention_count else "",
    )
