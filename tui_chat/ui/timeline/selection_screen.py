"""Screen with a text selection that stays on the lines of a timeline.

Textual extends a selection to the end of a widget when the pointer leaves the widget (`Screen._forward_event`).
"""

from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget

from tui_chat.ui.timeline.widget import Timeline


class SelectionScreen(Screen[None], inherit_bindings=False):
    """Screen with one timeline; the other widgets set `ALLOW_SELECT` to False."""

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """Return the widget and the text offset at a cell.

        In the timeline, and anywhere during a selection, the nearest visible text cell of the timeline replaces the
        cell: the first one for a cell above the text, and the last one for a cell below. During a selection, the result
        is (None, None) if another widget covers that cell.
        """
        timeline = self.query_one(Timeline)
        if self._selecting or timeline.scrollable_content_region.contains(x, y):
            text = timeline.text_region
            x = text.x if y < text.y else text.right - 1 if y >= text.bottom else min(max(x, text.x), text.right - 1)
            y = min(max(y, text.y), text.bottom - 1)
        widget, offset = super().get_widget_and_offset_at(x, y)
        return (None, None) if self._selecting and widget is not timeline else (widget, offset)
