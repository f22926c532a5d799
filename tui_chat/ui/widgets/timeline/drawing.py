"""From rows to strips: what a row of a line looks like.

Rule 1  Text of other people becomes plain segments with styles of ours; nothing
        in it is read as markup, as a style or as a control sequence.
Rule 2  A strip is exactly as wide as the timeline.
Rule 3  Each segment carries the offset that selection counts in: characters of
        the text of its line, or a negative number before the text (`HEAD`), so
        that a selection which begins on the time or the nickname takes them too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zlib import crc32

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from wcwidth import iter_graphemes

from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine
from tui_chat.ui.widgets.timeline.clusters import drawn
from tui_chat.ui.widgets.timeline.layout import Geometry, LineLayout, Row, RowKind, quoted_in, reactions_of
from tui_chat.ui.widgets.timeline.words import TimelineWords
from tui_chat.ui.widgets.timeline.wrapping import measure

HEAD = -10_000

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Styles:
    """How the parts of a timeline look in the present theme.

    The first three are whole, with background; the others are laid over one of them.
    """

    text: Style
    cursor: Style
    mentioned: Style
    time: Style
    notice: Style
    rule: Style
    gap: Style
    unread: Style
    link: Style
    mention: Style
    sent: Style
    pending: Style
    failed: Style
    aside: Style
    selection: Style
    nick: Callable[[str], Style]


class _Draft:
    """One row in the making, from left to right."""

    __slots__ = ("background", "cells", "picked", "place", "segments", "selected")

    def __init__(self, background: Style, place: int, picked: bool, selected: Span | None) -> None:
        self.background = background
        self.place = place
        self.picked = picked
        self.selected = selected
        self.segments: list[Segment] = []
        self.cells = 0

    def add(self, text: str, cells: int, style: Style | None = None, offset: int | None = None, link: str = "") -> None:
        """Put text in a style of its own on the background; `offset` is where it stands in its line's text."""
        if text:
            style = self.background if style is None else self.background + style
            if offset is not None:
                style += Style.from_meta({"offset": (offset, self.place)})
            if link:
                style = _linked(style, link)
            self.segments.append(Segment(text, style))
            self.cells += cells

    def cursor(self) -> None:
        """The first column: where the cursor shows without colour."""
        self.add("▌" if self.picked else " ", 1, None, HEAD)


class Painter:
    """Draws rows in one geometry, one set of styles and one language."""

    def __init__(self, geometry: Geometry, styles: Styles, words: TimelineWords) -> None:
        self._geometry = geometry
        self._styles = styles
        self._words = words

    @property
    def background(self) -> Style:
        """Of the cells where nothing stands."""
        return self._styles.text

    def paint(self, layout: LineLayout, number: int, place: int, picked: bool, selected: Span | None) -> Strip:
        """One row of a line.

        Args:
            layout: The line.
            number: Which of its rows.
            place: The line's number in selections.
            picked: The cursor is on this line.
            selected: The selected characters of its text as (first, after last), None for none.
        """
        row = layout.rows[number]
        styles = self._styles
        picked = picked and row.kind is not RowKind.DATE
        background = styles.cursor if picked else styles.mentioned if _mentions(layout.line, row) else styles.text
        out = _Draft(background, place, picked, selected)
        match row.kind:
            case RowKind.DATE:
                day = layout.decoration.day
                self._rule(out, self._words.day(day) if day else "", styles.rule)
            case RowKind.GAP:
                missing = layout.line.missing_count if isinstance(layout.line, GapLine) else 0
                self._rule(out, self._words.gap(missing), styles.gap)
            case RowKind.UNREAD:
                self._rule(out, self._words.unread, styles.unread, across=True)
            case RowKind.NAME:
                self._name(out, layout)
            case RowKind.QUOTE:
                self._quote(out, layout)
            case RowKind.REACTIONS:
                self._reactions(out, layout)
            case _:
                self._head(out, layout, row)
                self._content(out, layout, row)
        width = self._geometry.width
        if row.start == row.end and row.kind in {RowKind.TEXT, RowKind.NOTICE}:
            # An empty row has nothing else that says which line it is.
            out.add(" ", 1, None, row.end)
        room = width - out.cells
        if room > 0:
            out.add(" " * room, room)
        return Strip(out.segments, out.cells).adjust_cell_length(width, out.background)

    def _rule(self, out: _Draft, label: str, style: Style, across: bool = False) -> None:
        """A label between dashes where text begins; `across` draws them over the whole width."""
        width, start = self._geometry.width, self._geometry.text_start
        text, cells = fit(label, max(0, width - start - 5))
        out.cursor()
        before = start - 1 if across else 2
        out.add(" " * (start - 1 - before), start - 1 - before, None, HEAD)
        out.add("─" * before, before, style, HEAD)
        out.add(f" {text} ", cells + 2, style, HEAD)
        after = width - out.cells - 1 if across else 2
        out.add("─" * max(0, after), max(0, after), style, HEAD)

    def _name(self, out: _Draft, layout: LineLayout) -> None:
        nick, cells = fit(layout.nick, self._geometry.nick_width)
        out.cursor()
        out.add(nick, cells, self._styles.nick(layout.speaker), HEAD)
        time = layout.decoration.time
        out.add(f"  {time}", 2 + len(time), self._styles.time, HEAD)

    def _quote(self, out: _Draft, layout: LineLayout) -> None:
        """What it answers, in one row above it."""
        start = self._geometry.text_start
        text, cells = fit(quoted_in(layout.line) or self._words.not_here, self._geometry.text_width)
        out.cursor()
        out.add(" " * (start - 3), start - 3, None, HEAD)
        out.add("╭ ", 2, self._styles.rule, HEAD)
        out.add(text, cells, self._styles.aside, HEAD)

    def _reactions(self, out: _Draft, layout: LineLayout) -> None:
        """The emojis under it with their counts; those that are yours too stand in brackets."""
        styles, start = self._styles, self._geometry.text_start
        out.cursor()
        out.add(" " * (start - 2), start - 2)
        room = self._geometry.text_width
        for reacted in reactions_of(layout.line):
            shown = f"[{reacted.emoji} {reacted.count:,}]" if reacted.is_own else f" {reacted.emoji} {reacted.count:,} "
            text, cells = fit(shown, room)
            out.add(text, cells, styles.mention if reacted.is_own else styles.notice)
            room -= cells
            if room <= 0:
                return

    def _head(self, out: _Draft, layout: LineLayout, row: Row) -> None:
        """What stands left of the text."""
        styles, geometry = self._styles, self._geometry
        begins = row.first and row.kind is not RowKind.PROBLEM
        start = geometry.notice_start if row.kind is RowKind.NOTICE else geometry.text_start
        out.cursor()
        times = geometry.time_width
        if begins and times and start > times + 1:
            out.add(f"{layout.decoration.time:>{times}} ", times + 1, styles.time, HEAD)
        if begins and row.kind is RowKind.TEXT and not geometry.narrow and not layout.decoration.grouped:
            nick, cells = fit(layout.nick, geometry.nick_width)
            room = geometry.nick_width - cells
            out.add(" " * room, room, None, HEAD)
            out.add(nick, cells, styles.nick(layout.speaker), HEAD)
        mark, style = self._mark(layout.line, row)
        room = start - out.cells - 2
        offset = HEAD if begins else None
        out.add(" " * room, room, None, offset)
        out.add(mark, 1, style, offset)
        out.add(" ", 1, None, -1 if begins else None)

    def _mark(self, line: Line, row: Row) -> tuple[str, Style]:
        styles = self._styles
        if not row.first or row.kind is RowKind.PROBLEM:
            return " ", Style.null()
        if not isinstance(line, MessageLine):
            return "·", styles.notice
        if line.delivery is DeliveryState.PENDING:
            return "…", styles.pending
        if line.delivery is DeliveryState.FAILED:
            return "✗", styles.failed
        if line.delivery is DeliveryState.UNCONFIRMED:
            return "?", styles.failed
        if line.is_own:
            return "✓", styles.sent
        return ("@", styles.mention) if line.is_mention else (" ", Style.null())

    def _content(self, out: _Draft, layout: LineLayout, row: Row) -> None:
        """The text of a row."""
        problem = row.kind is RowKind.PROBLEM
        text = (layout.problem if problem else layout.text)[row.start : row.end]
        width = self._geometry.notice_width if row.kind is RowKind.NOTICE else self._geometry.text_width
        position, start = row.start, out.cells
        for end, style, link in self._runs(layout, row, out.selected):
            run = text[position - row.start : end - row.start]
            for picture, cells, length in _stretches(run, out.cells - start, width):
                out.add(picture, cells, style, None if problem else position, link)
                position += length

    def _runs(self, layout: LineLayout, row: Row, selected: Span | None) -> Iterator[tuple[int, Style, str]]:
        """The styles of a row's text from left to right: where each ends, and where it leads."""
        base = self._base(layout.line, row)
        text = row.kind is not RowKind.PROBLEM
        links = [link for link in layout.links if text and link.start < row.end and link.end > row.start]
        edges = {row.end, *(edge for link in links for edge in (link.start, link.end))}
        if text:
            edges.add(layout.written)
            if selected is not None:
                edges.update(selected)
        start = row.start
        for end in sorted(edge for edge in edges if row.start < edge <= row.end):
            style, url = base, ""
            for link in links:
                if link.start <= start < link.end:
                    style += self._styles.link
                    url = link.url
            if text and start >= layout.written and not getattr(layout.line, "deleted", False):
                style += self._styles.aside
            if text and selected is not None and selected[0] <= start < selected[1]:
                style += self._styles.selection
            yield end, style, url
            start = end

    def _base(self, line: Line, row: Row) -> Style:
        styles = self._styles
        if row.kind is RowKind.PROBLEM:
            return styles.failed
        if not isinstance(line, MessageLine):
            return styles.notice
        if line.deleted:
            return styles.aside
        if line.delivery is DeliveryState.PENDING:
            return styles.pending
        return Style.null()


def _stretches(text: str, column: int, width: int) -> Iterator[tuple[str, int, int]]:
    """What is drawn for a text: pictures, their cells, and how many characters as written they stand for.

    A stretch has as many characters as what it stands for, or stands for one cluster: offsets count characters.
    """
    if text.isascii() and "\t" not in text:
        yield text, len(text), len(text)
        return
    same: list[str] = []
    total = 0
    for cluster in iter_graphemes(text):
        picture, cells = measure(cluster, column, width)
        column += cells
        if picture == cluster:
            same.append(cluster)
            total += cells
            continue
        if same:
            stretch = "".join(same)
            yield stretch, total, len(stretch)
            same, total = [], 0
        yield picture, cells, len(cluster)
    if same:
        stretch = "".join(same)
        yield stretch, total, len(stretch)


def _mentions(line: Line, row: Row) -> bool:
    return isinstance(line, MessageLine) and line.is_mention and not line.is_own and row.kind is not RowKind.DATE


def _linked(style: Style, url: str) -> Style:
    """The style as a hyperlink of the terminal (OSC 8), with an id that all pieces of a wrapped address share."""
    linked = style.update_link(url)
    # Rich gives every copy of a style a random id, which makes each piece a link of its own.
    linked._link_id = str(crc32(url.encode()))  # pyright: ignore[reportPrivateUsage]
    return linked


def fit(text: str, width: int) -> tuple[str, int]:
    """As much of a line as fits into `width` cells, with an ellipsis where it is cut, and its width."""
    pictures: list[tuple[str, int]] = []
    total = 0
    for cluster in iter_graphemes(text):
        picture, cells = (" ", 1) if cluster == "\t" else drawn(cluster)
        pictures.append((picture, cells))
        total += cells
        if total > width:
            break
    if total > width:
        while pictures and total > width - 1:
            total -= pictures.pop()[1]
        if width > 0:
            pictures.append(("…", 1))
            total += 1
    return "".join(picture for picture, _ in pictures), total
