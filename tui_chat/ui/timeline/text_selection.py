"""Text selection of a timeline and its plain-text copy.

Selections use line numbers and character offsets of the original text; copied text has no wrapping.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from textual.geometry import Offset
from textual.selection import Selection
from wcwidth import iter_graphemes

from tui_chat.session.lines import GapLine, Line, MessageLine, NoticeLine, Splice, UnreadLine
from tui_chat.ui.timeline.layout import LineLayout, extract_text, format_nick
from tui_chat.ui.timeline.line_renderer import PREFIX_OFFSET

_END_OFFSET = 1 << 31


@dataclass(frozen=True, slots=True)
class SelectedRange:
    """Selected range of one line.

    Attributes:
        start: Offset of the first selected character; negative in front of the text.
        end: Offset after the last selected character.
    """

    start: int
    end: int

    def snap_to_clusters(self, text: str) -> tuple[int, int]:
        """Return the selected half-open range of `text`, extended to complete grapheme clusters."""
        start, end = max(0, self.start), max(0, self.end)
        if (start == 0 or start >= len(text)) and end >= len(text):
            return min(start, len(text)), len(text)
        boundaries = [0, *accumulate(map(len, iter_graphemes(text)))]
        return (
            boundaries[bisect_right(boundaries, start) - 1],
            boundaries[min(bisect_left(boundaries, end), len(boundaries) - 1)],
        )


class TextSelection:
    """Line numbers of a text selection, stable during changes of one list."""

    def __init__(self) -> None:
        self._line_number_offset = 0  # line number minus list index

    def line_number(self, index: int) -> int:
        """Return the line number of `lines[index]`."""
        return index + self._line_number_offset

    def selected_range(self, selection: Selection | None, index: int) -> SelectedRange | None:
        """Return the selected range of `lines[index]`, None for an unselected line or an empty range.

        The range starts at `PREFIX_OFFSET` in each line after the first, and is unbounded in each line before the last.
        """
        if selection is None:
            return None
        start, end, line_number = selection.start, selection.end, self.line_number(index)
        if (start is not None and line_number < start.y) or (end is not None and line_number > end.y):
            return None
        first_character = start.x if start is not None and line_number == start.y else PREFIX_OFFSET
        end_character = end.x if end is not None and line_number == end.y else _END_OFFSET
        return SelectedRange(first_character, end_character) if first_character < end_character else None

    def apply_splice(self, change: Splice, selection: Selection | None, first_visible_index: int) -> bool:
        """Shift the line numbers after a splice, so that selected or else visible lines keep their numbers.

        Returns:
            True if the splice changes the number of lines inside the selection, which becomes invalid.
        """
        shift = len(change.lines) - change.removed
        first_index, is_crossed = first_visible_index, False
        if shift and selection is not None:
            first_index = 0 if selection.start is None else selection.start.y - self._line_number_offset
            is_crossed = first_index < change.index + change.removed and (
                selection.end is None or change.index <= selection.end.y - self._line_number_offset
            )
        if change.index <= first_index:
            self._line_number_offset -= shift
        return is_crossed

    def select_at(self, layout: LineLayout, index: int, offset: Offset | None, is_word: bool) -> Selection | None:
        """Return the selection of the word or hyperlink (`is_word`) or of the complete original text at an offset.

        None for an `offset` (character, line number) of another line, and for None outside of text.
        """
        line_number = self.line_number(index)
        if offset is None or offset.y != line_number:
            return None
        start, end = _word_at(layout, offset.x) if is_word else (0, layout.source_length)
        return Selection(Offset(start, line_number), Offset(end, line_number))

    def copy(self, lines: Sequence[Line], selection: Selection, format_time: Callable[[int], str]) -> str | None:
        """Return the plain text of a selection, or None for an empty selection.

        Lines are separated by newlines; gaps and unread markers are omitted. A completely selected message is
        `[15:05] ann: text`, and a notice `[15:05] text`. A single line has this prefix only if the selection starts in
        front of its text. An empty result of `format_time`, for milliseconds since the epoch, omits the time.
        """
        first, last = 0, len(lines) - 1
        if selection.start is not None:
            first = max(first, selection.start.y - self._line_number_offset)
        if selection.end is not None:
            last = min(last, selection.end.y - self._line_number_offset)
        texts: list[str] = []
        for index in range(first, last + 1):
            line = lines[index]
            selected = self.selected_range(selection, index)
            if selected is not None and not isinstance(line, GapLine | UnreadLine):
                text = _copy_line(line, format_time, selected, first == last)
                if text is not None:
                    texts.append(text)
        return "\n".join(texts) if texts else None


def _copy_line(
    line: MessageLine | NoticeLine, format_time: Callable[[int], str], selected: SelectedRange, is_only_line: bool
) -> str | None:
    """Return the copied text of a line, None if the selection ends in front of its text."""
    text = extract_text(line)
    start, end = selected.snap_to_clusters(text)
    if selected.end <= 0 and text:
        return None
    selected_text = text[start:end]
    if start > 0 or end < len(text) or (is_only_line and selected.start >= 0):
        return selected_text
    nick, time = format_nick(line), format_time(line.ts)
    separator = " " if isinstance(line, MessageLine) and line.is_action else ": "
    return (f"[{time}] " if time else "") + (f"{nick}{separator}{selected_text}" if nick else selected_text)


def _word_at(layout: LineLayout, character: int) -> tuple[int, int]:
    """Return the range of the hyperlink at a character offset, otherwise of the word, or of the run of blanks or signs.

    An offset outside of the original text gives the range of the complete original text.
    """
    links = ((link.start, link.end) for link in layout.links)
    words = (word.span() for word in re.finditer(r"\w+|\s+|[^\w\s]+", layout.text[: layout.source_length]))
    spans = (span for span in chain(links, words) if span[0] <= character < span[1])
    return next(spans, (0, layout.source_length))
