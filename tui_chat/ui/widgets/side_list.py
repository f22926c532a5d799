"""A pane of one-line rows that draws only the rows in view: thousands cost what a screenful costs."""

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_chat.ui.steady import steady

HEADING_LINES = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        left: What stands at the left, shortened when it does not fit.
        right: What stands at the right, always whole.
        style: The component class for the whole row, without `side-list--`; empty for the usual one.
        left_style: What is laid over the left part.
        right_style: The component class of the right part.
    """

    left: str
    right: str = ""
    style: str = ""
    left_style: Style = Style.null()  # noqa: RUF009 (immutable)
    right_style: str = ""


class SideList(ScrollView, can_focus=False):
    """Rows under a heading. A row is made when it is drawn, by `row`."""

    COMPONENT_CLASSES = {  # noqa: RUF012 (as Textual declares it)
        "side-list--heading",
        "side-list--quiet",
        "side-list--mark",
        "side-list--current",
    }

    def __init__(self, *, id: str) -> None:  # noqa: A002 (Textual's word)
        super().__init__(id=id)
        self._count = 0

    @property
    def heading(self) -> str:
        """What stands above the rows."""
        raise NotImplementedError

    def row(self, index: int) -> Row:
        """The row at this place, from 0."""
        raise NotImplementedError

    def set_count(self, count: int) -> None:
        """There are now this many rows; those in view are drawn anew."""
        if count != self._count:
            self._count = count
            self.virtual_size = Size(0, count + HEADING_LINES)
        self.refresh()

    def index_at(self, y: int) -> int | None:
        """The row at this line of the widget's content, None when there is none."""
        index = y + self.scroll_offset.y - HEADING_LINES
        return index if 0 <= index < self._count else None

    def render_line(self, y: int) -> Strip:
        """One line of the widget (Textual's line API)."""
        line = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if line == 0:
            return self._strip(Row(self.heading, style="heading"), width)
        if HEADING_LINES <= line < self._count + HEADING_LINES:
            return self._strip(self.row(line - HEADING_LINES), width)
        return Strip.blank(width, self.rich_style)

    def _strip(self, row: Row, width: int) -> Strip:
        base = self.get_component_rich_style(f"side-list--{row.style}") if row.style else self.rich_style
        right = Content(row.right)
        left = steady(Content(row.left)).truncate(max(1, width - right.cell_length - 2), ellipsis=True)
        fill = max(0, width - left.cell_length - right.cell_length - 2)
        right_style = base
        if row.right_style:
            right_style = base + self.get_component_rich_style(f"side-list--{row.right_style}", partial=True)
        segments = [
            Segment(" ", base),
            Segment(left.plain, base + row.left_style),
            Segment(" " * fill, base),
            Segment(right.plain, right_style),
            Segment(" ", base),
        ]
        return Strip(segments).adjust_cell_length(width, base)
