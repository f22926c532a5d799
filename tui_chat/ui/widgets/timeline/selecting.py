"""Which part of a timeline is selected, and what copying it gives.

Selection counts in numbers of lines and characters of their text as written,
so what is copied has no wrapping in it. A message that is selected whole,
among others or from its time on, is copied with its time and nickname.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.geometry import Offset
from textual.selection import Selection
from wcwidth import iter_graphemes

from tui_chat.session.lines import GapLine, Line, MessageLine, NoticeLine, Splice, UnreadLine
from tui_chat.ui.widgets.timeline.drawing import HEAD
from tui_chat.ui.widgets.timeline.layout import LineLayout, speaker_of, written_in

_TO_END = 1 << 31


@dataclass(frozen=True, slots=True)
class Selected:
    """The selected part of one line.

    Attributes:
        start: Its first character; negative when it begins before the text.
        end: The character after its last.
    """

    start: int
    end: int

    def span(self, text: str) -> tuple[int, int]:
        """The selected characters of the line's text as (first, after last), never half of what is seen as one."""
        start, end = max(0, self.start), max(0, self.end)
        if (start == 0 or start >= len(text)) and end >= len(text):
            return min(start, len(text)), len(text)
        position = 0
        first: int | None = None
        for cluster in iter_graphemes(text):
            after = position + len(cluster)
            if first is None and after > start:
                first = position
            if after >= end:
                return (position if first is None else first, after) if end > 0 else (0, 0)
            position = after
        return (len(text) if first is None else first), len(text)


def selected_part(selection: Selection, place: int) -> Selected | None:
    """The selected part of the line with that number, None for nothing."""
    start, end = selection.start, selection.end
    if (start is not None and place < start.y) or (end is not None and place > end.y):
        return None
    first = start.x if start is not None and place == start.y else HEAD
    last = end.x if end is not None and place == end.y else _TO_END
    return Selected(first, last) if first < last else None


def copied(lines: Sequence[Line], selection: Selection, origin: int, clock: Callable[[int], str]) -> str | None:
    """What a selection gives to a copy, None for nothing.

    Args:
        lines: The timeline.
        selection: What is selected.
        origin: What makes an index the number of a line.
        clock: A moment (milliseconds since the epoch) as a time of day, empty for none.
    """
    first = 0 if selection.start is None else max(0, selection.start.y - origin)
    last = len(lines) - 1 if selection.end is None else min(len(lines) - 1, selection.end.y - origin)
    texts: list[str] = []
    for index in range(first, last + 1):
        line = lines[index]
        part = selected_part(selection, index + origin)
        if part is None or isinstance(line, GapLine | UnreadLine):
            continue
        text = _copied_line(line, clock, part, first == last)
        if text is not None:
            texts.append(text)
    return "\n".join(texts) if texts else None


def _copied_line(
    line: MessageLine | NoticeLine, clock: Callable[[int], str], part: Selected, alone: bool
) -> str | None:
    text = written_in(line)
    start, end = part.span(text)
    if part.end <= 0 and text:
        return None
    chosen = text[start:end]
    if start > 0 or end < len(text) or (alone and part.start >= 0):
        return chosen
    nick = speaker_of(line)
    time = clock(line.ts)
    return (f"{time} " if time else "") + (f"{nick}{' ' if _does(line) else ': '}{chosen}" if nick else chosen)


def _does(line: MessageLine | NoticeLine) -> bool:
    return isinstance(line, MessageLine) and line.is_action


def word_at(layout: LineLayout, place: int, character: int) -> Selection:
    """The word, or the address, around a character of a line."""
    for link in layout.links:
        if link.start <= character < link.end:
            return Selection(Offset(link.start, place), Offset(link.end, place))
    for word in re.finditer(r"\w+|\s+|[^\w\s]+", layout.text[: layout.written]):
        if word.start() <= character < word.end():
            return Selection(Offset(word.start(), place), Offset(word.end(), place))
    return whole_text(layout, place)


def whole_text(layout: LineLayout, place: int) -> Selection:
    """All that was written in a line."""
    return Selection(Offset(0, place), Offset(layout.written, place))


def goes_through(selection: Selection, origin: int, change: Splice) -> bool:
    """A change alters how many lines are within a selection."""
    start = 0 if selection.start is None else selection.start.y - origin
    return start < change.index + change.removed and (selection.end is None or change.index <= selection.end.y - origin)
