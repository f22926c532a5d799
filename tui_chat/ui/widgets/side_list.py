"""Side panes of single-line rows: rooms, and members of the current room.

Only visible rows are built and drawn, so the cost of drawing is independent of the row count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_chat.protocol.events import Member
from tui_chat.protocol.sanitize import is_blank
from tui_chat.session.durable_rooms import DurableRoom
from tui_chat.session.i18n import mark, plural, tr
from tui_chat.session.lines import CONFUSABLE_SIGN, REGISTERED_SIGN
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.theme import nick_style
from tui_chat.ui.widgets.stable_width import with_stable_width

HEADING_HEIGHT = 2

OWNER_SIGN, MODERATOR_SIGN, BASIC_CLIENT_SIGN = "&", "+", "~"
SIGNS = (
    (OWNER_SIGN, mark("owner of the room")),
    (MODERATOR_SIGN, mark("moderator")),
    (BASIC_CLIENT_SIGN, mark("basic client: may not show edits and reactions")),
    (CONFUSABLE_SIGN, chat_strings.LOOKS_LIKE_ANOTHER),
    (REGISTERED_SIGN, chat_strings.REGISTERED),
)
"""Signs beside nicknames, with their meaning. Source of the legend in the help."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """Row of a side list.

    Attributes:
        left: Left text, truncated if too long.
        right: Right text, never truncated.
        style: Component class of the row without the `side-list--` prefix, empty for the default.
        left_style: Additional style of the left text.
        right_style: Component class of the right text without the prefix.
    """

    left: str
    right: str = ""
    style: str = ""
    left_style: Style = Style.null()  # noqa: RUF009 (immutable)
    right_style: str = ""


class SideList(ScrollView, can_focus=False):
    """Scrollable list; the heading and an empty row above the rows scroll too."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {  # noqa: RUF012 (declared as in Textual)
        "side-list--heading",
        "side-list--muted",
        "side-list--mention",
        "side-list--current",
    }

    def __init__(self, *, id: str) -> None:  # noqa: A002 (parameter name of Textual)
        super().__init__(id=id)
        self._build_heading: Callable[[], str] = str
        self._build_row: Callable[[int], ListRow] = lambda index: ListRow("")
        self._row_count = 0

    def set_rows(self, build_heading: Callable[[], str], build_row: Callable[[int], ListRow], count: int) -> None:
        """Replace the rows and redraw the visible ones; `build_heading` is called for each drawing of the heading."""
        self._build_heading, self._build_row = build_heading, build_row
        if count != self._row_count:
            self._row_count = count
            self.virtual_size = Size(0, count + HEADING_HEIGHT)
        self.refresh()

    def row_index_at(self, event: events.Click) -> int | None:
        """Return the index of the clicked row, None outside of the rows."""
        index = event.y + self.scroll_offset.y - HEADING_HEIGHT
        return index if 0 <= index < self._row_count else None

    def render_line(self, y: int) -> Strip:
        """Return the strip of the visible row `y` (Textual line API), blank below the last row."""
        line = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if line == 0:
            return self._render_row(ListRow(self._build_heading(), style="heading"), width)
        if HEADING_HEIGHT <= line < self._row_count + HEADING_HEIGHT:
            return self._render_row(self._build_row(line - HEADING_HEIGHT), width)
        return Strip.blank(width, self.rich_style)

    def _render_row(self, row: ListRow, width: int) -> Strip:
        """Return a row of exactly `width` cells, with a margin of one cell on each side and a truncated left text."""
        base_style = self.get_component_rich_style(f"side-list--{row.style}") if row.style else self.rich_style
        right = Content(row.right)
        left = with_stable_width(Content(row.left)).truncate(max(1, width - right.cell_length - 2), ellipsis=True)
        right_style = base_style
        if row.right_style:
            right_style += self.get_component_rich_style(f"side-list--{row.right_style}", partial=True)
        return Strip(
            [
                Segment(" ", base_style),
                Segment(left.plain, base_style + row.left_style),
                Segment(" " * max(0, width - left.cell_length - right.cell_length - 2), base_style),
                Segment(right.plain, right_style),
                Segment(" ", base_style),
            ]
        ).adjust_cell_length(width, base_style)


class RoomList(SideList):
    """Open rooms, then the closed rooms of the account. The first nine open ones show the digit of Alt+1 to Alt+9.

    Indicators are readable without color: `3` unread messages, `@3` if one of them mentions the user, otherwise `(3)`
    in a muted room, and `✎` for a draft of another room. `@` precedes the members of a direct room.
    """

    @dataclass
    class RoomSelected(Message):
        """Click on a room."""

        room: str

    _room_names: Sequence[str] = ()  # by row; empty for the heading of the closed rooms

    def set_rooms(
        self,
        rooms: Sequence[RoomView],
        closed_rooms: Sequence[DurableRoom],
        current: RoomView | None,
        is_muted: Callable[[str], bool],
    ) -> None:
        """Show open and closed rooms in display order; a heading precedes the closed ones.

        `is_muted` returns whether notifications of the room with this name are off.
        """

        def build_row(index: int) -> ListRow:
            if index < len(rooms):
                return _room_row(index, rooms[index], rooms[index] is current, is_muted(rooms[index].name))
            if index == len(rooms):
                return ListRow(tr("Not open"), style="heading")
            room = closed_rooms[index - len(rooms) - 1]
            return _closed_room_row(room, is_muted(room.name))

        closed_names = ("", *(room.name for room in closed_rooms)) if closed_rooms else ()
        self._room_names = (*(room.name for room in rooms), *closed_names)
        self.set_rows(lambda: tr("Rooms"), build_row, len(self._room_names))

    async def _on_click(self, event: events.Click) -> None:
        index = self.row_index_at(event)
        if index is not None and self._room_names[index]:
            self.post_message(self.RoomSelected(self._room_names[index]))


def _unread_label(room: RoomView | DurableRoom, is_muted: bool) -> str:
    """Return the unread indicator of a room, empty without unread messages."""
    count = f"{room.unread_count:,}" if room.unread_count else ""
    if room.mention_count:
        return f"@{count}"
    return f"({count})" if is_muted and count else count


def _closed_room_row(room: DurableRoom, is_muted: bool) -> ListRow:
    """Return the row of a closed room, dimmed unless it shows mentions or unread messages with notifications."""
    return ListRow(
        "  " + "@" * room.is_direct + room.title,
        _unread_label(room, is_muted),
        "" if room.mention_count or (room.unread_count and not is_muted) else "muted",
        right_style="mention" if room.mention_count else "",
    )


def _room_row(index: int, room: RoomView, is_current: bool, is_muted: bool) -> ListRow:
    """Return the row of an open room, with the digit of its key, draft mark and unread indicator."""
    return ListRow(
        (f"{index + 1} " if index < 9 else "  ") + "@" * room.room.is_direct + room.title,
        " ".join(filter(None, ("" if is_current or is_blank(room.draft) else "✎", _unread_label(room, is_muted)))),
        "current" if is_current else "muted" if is_muted and not room.mention_count else "",
        Style(bold=bool(room.mention_count or (room.unread_count and not is_muted))),
        "mention" if room.mention_count else "",
    )


def member_sign(member: Member) -> str:
    """Return the signs before a nickname, for role and look-alike; empty for a plain member."""
    role_sign = {"owner": OWNER_SIGN, "moderator": MODERATOR_SIGN}.get(member.role, "")
    return role_sign + CONFUSABLE_SIGN * member.confusable


class MemberList(SideList):
    """Members in the given order, in their nickname colors, with signs for roles, look-alikes, accounts and clients.

    In the row of the user, the label `you` replaces the sign or label of the client; `away` replaces both.
    """

    @dataclass
    class MemberSelected(Message):
        """Click on a member.

        Attributes:
            member_id: Member id, empty for the row of the unlisted members.
        """

        member_id: str

    _members: Sequence[Member] = ()

    def set_members(self, members: Sequence[Member], count: int, own_member_id: str) -> None:
        """Show the members of a room in display order.

        `count` includes the unlisted members, whose number is in the last row.
        """

        def build_row(index: int) -> ListRow:
            if index == len(members):
                unlisted_count = count - len(members)
                return ListRow(plural("and {count:,} more", "and {count:,} more", unlisted_count), style="muted")
            member = members[index]
            client_sign = BASIC_CLIENT_SIGN if member.via is not None else tr("bot") * member.bot
            note = tr("you") if member.member_id == own_member_id else client_sign
            if member.away is not None:
                note = tr("away")
            registered_sign = REGISTERED_SIGN if member.account is not None else ""
            label = " ".join(filter(None, (note, registered_sign)))
            return ListRow(
                member_sign(member) + member.nick_name, label, "", nick_style(self, member.nick_name), "muted"
            )

        self._members = members
        row_count = len(members) + (count > len(members))
        self.set_rows(lambda: chat_strings.member_list_heading(count), build_row, row_count)

    async def _on_click(self, event: events.Click) -> None:
        index = self.row_index_at(event)
        if index is not None:
            self.post_message(self.MemberSelected([*(member.member_id for member in self._members), ""][index]))
