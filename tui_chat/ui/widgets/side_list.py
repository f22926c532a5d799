"""Side pane of single-line rows. Only visible rows are built and drawn, so the cost is independent of the row count."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_chat.ui.widgets.stable_width import with_stable_width

HEADING_HEIGHT = 2


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
    """Scrollable list with a heading."""

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
        """Replace the rows and redraw the visible ones.

        Args:
            build_heading: Returns the heading in the active language.
            build_row: Returns the row at an index, counted from 0.
            count: Number of rows.
        """
        self._build_heading, self._build_row = build_heading, build_row
        if count != self._row_count:
            self._row_count = count
            self.virtual_size = Size(0, count + HEADING_HEIGHT)
        self.refresh()

    def row_index_at(self, y: int) -> int | None:
        """Return the index of the row at content line `y`, None outside the rows."""
        index = y + self.scroll_offset.y - HEADING_HEIGHT
        return index if 0 <= index < self._row_count else None

    def render_line(self, y: int) -> Strip:
        """Return the strip of the visible row `y` (Textual line API)."""
        line = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if line == 0:
            return self._render_row(ListRow(self._build_heading(), style="heading"), width)
        if HEADING_HEIGHT <= line < self._row_count + HEADING_HEIGHT:
            return self._render_row(self._build_row(line - HEADING_HEIGHT), width)
        return Strip.blank(width, self.rich_style)

    def _render_row(self, row: ListRow, width: int) -> Strip:
        base_style = self.get_component_rich_style(f"side-list--{row.style}") if row.style else self.rich_style
        right = Content(row.right)
        left = with_stable_width(Content(row.left)).truncate(max(1, width - right.cell_length - 2), ellipsis=True)
        fill = max(0, width - left.cell_length - right.cell_length - 2)
        right_style = base_style
        if row.right_style:
            right_style += self.get_component_rich_style(f"side-list--{row.right_style}", partial=True)
        return Strip(
            [
                Segment(" ", base_style),
                Segment(left.plain, base_style + row.left_style),
                Segment(" " * fill, base_style),
                Segment(right.plain, right_style),
                Segment(" ", base_style),
            ]
        ).adjust_cell_length(width, base_style)
