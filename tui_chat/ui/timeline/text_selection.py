"""Text selection of a timeline and its plain-text copy.

- Coordinates: selections use line numbers and character offsets of the original text; copied text has no wrapping.
- Prefix: a completely selected message is copied with time and nickname if the selection covers several lines or starts
  in front of the text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
        position = 0
        first_character: int | None = None
        for cluster in iter_graphemes(text):
            cluster_end = position + len(cluster)
            if first_character is None and cluster_end > start:
                first_character = position
            if cluster_end >= end:
                return (position if first_character is None else first_character, cluster_end) if end > 0 else (0, 0)
            position = cluster_end
        return (len(text) if first_character is None else first_character), len(text)


def get_selected_range(selection: Selection, line_number: int) -> SelectedRange | None:
    """Return the selected range of the line with `line_number`, or None for an empty range."""
    start, end = selection.start, selection.end
    if (start is not None and line_number < start.y) or (end is not None and line_number > end.y):
        return None
    first_character = start.x if start is not None and line_number == start.y else PREFIX_OFFSET
    end_character = end.x if end is not None and line_number == end.y else _END_OFFSET
    return SelectedRange(first_character, end_character) if first_character < end_character else None


def copy_selection(
    lines: Sequence[Line], selection: Selection, line_number_offset: int, format_time: Callable[[int], str]
) -> str | None:
    """Return the plain text of a selection, or None for an empty selection.

    Lines are separated by newlines; gaps and unread markers are omitted.

    Args:
        lines: Lines of the timeline.
        selection: Selection in line numbers and character offsets.
        line_number_offset: Difference between line number and list index.
        format_time: Formats milliseconds since the epoch as a time of day; an empty result omits the time.
    """
    first_index = 0 if selection.start is None else max(0, selection.start.y - line_number_offset)
    last_index = len(lines) - 1 if selection.end is None else min(len(lines) - 1, selection.end.y - line_number_offset)
    texts: list[str] = []
    for index in range(first_index, last_index + 1):
        line = lines[index]
        selected = get_selected_range(selection, index + line_number_offset)
        if selected is None or isinstance(line, GapLine | UnreadLine):
            continue
        text = _copy_line(line, format_time, selected, first_index == last_index)
        if text is not None:
            texts.append(text)
    return "\n".join(texts) if texts else None


def _copy_line(
    line: MessageLine | NoticeLine, format_time: Callable[[int], str], selected: SelectedRange, is_only_line: bool
) -> str | None:
    text = extract_text(line)
    start, end = selected.snap_to_clusters(text)
    if selected.end <= 0 and text:
        return None
    selected_text = text[start:end]
    if start > 0 or end < len(text) or (is_only_line and selected.start >= 0):
        return selected_text
    nick = format_nick(line)
    time = format_time(line.ts)
    return (f"{time} " if time else "") + (
        f"{nick}{' ' if _is_action(line) else ': '}{selected_text}" if nick else selected_text
    )


def _is_action(line: MessageLine | NoticeLine) -> bool:
    return isinstance(line, MessageLine) and line.is_action


def select_word_at(layout: LineLayout, line_number: int, character: int) -> Selection:
    """Return the selection of the word or hyperlink at a character offset."""
    for link in layout.links:
        if link.start <= character < link.end:
            return Selection(Offset(link.start, line_number), Offset(link.end, line_number))
    for word in re.finditer(r"\w+|\s+|[^\w\s]+", layout.text[: layout.source_length]):
        if word.start() <= character < word.end():
            return Selection(Offset(word.start(), line_number), Offset(word.end(), line_number))
    return select_line(layout, line_number)


def select_line(layout: LineLayout, line_number: int) -> Selection:
    """Return the selection of the complete original text of a line."""
    return Selection(Offset(0, line_number), Offset(layout.source_length, line_number))


def splice_crosses_selection(selection: Selection, line_number_offset: int, change: Splice) -> bool:
    """Return whether a splice replaces or removes selected lines, or inserts lines between them."""
    start = 0 if selection.start is None else selection.start.y - line_number_offset
    return start < change.index + change.removed and (
        selection.end is None or change.index <= selection.end.y - line_number_offset
    )
