"""Which part of a timeline is selected, and what copying it gives.

Selection counts in numbers of lines and characters of their text as written,
so what is copied has no wrapping in it. A message that is selected whole,
among others or from its time on, is copied with its time and nickname.
"""

from dataclasses import dataclass

from textual.selection import Selection

from tui_chat.session.lines import GapLine, MessageLine, UnreadLine
from tui_chat.ui.widgets.timeline.drawing import HEAD, TO_END
from tui_chat.ui.widgets.timeline.layout import LineLayout


@dataclass(frozen=True, slots=True)
class Selected:
    """The selected part of one line.

    Attributes:
        start: Its first character; negative when it begins before the text.
        end: The character after its last.
    """

    start: int
    end: int

    @property
    def span(self) -> tuple[int, int]:
        """The selected characters of the text."""
        return max(0, self.start), self.end


def selected_part(selection: Selection, place: int) -> Selected | None:
    """The selected part of the line with that number, None for nothing."""
    start, end = selection.start, selection.end
    if (start is not None and place < start.y) or (end is not None and place > end.y):
        return None
    first = start.x if start is not None and place == start.y else HEAD
    last = end.x if end is not None and place == end.y else TO_END
    return Selected(first, last) if first < last else None


def copied(layout: LineLayout, time: str, part: Selected, alone: bool) -> str | None:
    """What one line gives to a copy, None for nothing.

    Args:
        layout: The line.
        time: When it was said, as `HH:MM`.
        part: What of it is selected.
        alone: Nothing else is selected.
    """
    if isinstance(layout.line, GapLine | UnreadLine):
        return None
    text = layout.text[: layout.written]
    start, end = part.span
    if part.end <= 0 and not (start == 0 and not text):
        return None
    chosen = text[start:end]
    whole = start == 0 and end >= len(text) and (part.start < 0 or not alone)
    if not whole:
        return chosen
    return f"{time} {layout.nick}: {chosen}" if isinstance(layout.line, MessageLine) else f"{time} {chosen}"
