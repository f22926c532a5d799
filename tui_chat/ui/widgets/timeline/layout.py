"""From a line to rows: what stands on each row, not yet how it looks.

Rule 1  Whatever a line holds, it is cleaned here once more before it can reach
        the screen (the server cleaned it first; a server need not be ours).
Rule 2  Rows are spans of the line's text; offsets into that text are what
        selection counts in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from msgspec.structs import replace

from server.protocol.text import sanitize_body, sanitize_line
from tui_chat.session.lines import ACTION_PREFIX, DeliveryState, GapLine, Line, MessageLine, NoticeLine, ReactionCount
from tui_chat.ui.widgets.timeline.decoration import Decoration
from tui_chat.ui.widgets.timeline.links import Link, find_links
from tui_chat.ui.widgets.timeline.words import TimelineWords
from tui_chat.ui.widgets.timeline.wrapping import wrap

NARROW = 60


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the columns stand in a timeline of a given width.

    Wide: cursor, time, nickname (right-aligned), mark, text. Narrow: cursor,
    mark, text, with nickname and time on a row of their own.

    Attributes:
        width: Cells the timeline has.
        narrow: There is no column for nicknames.
        time_width: Cells of the column of times, 0 when there is none.
        nick_width: Cells of the column of nicknames.
        text_start: The column where text begins.
        text_width: Cells a row of text has, at least 1.
    """

    width: int
    narrow: bool
    time_width: int
    nick_width: int
    text_start: int
    text_width: int

    @classmethod
    def of(cls, width: int, time_width: int = 5, nick_width: int = 0) -> "Geometry":
        """The columns for a timeline.

        Args:
            width: Cells it has.
            time_width: Cells a time takes, 0 for no times.
            nick_width: Cells for nicknames, 0 for as many as the width allows.
        """
        if width < NARROW:
            return cls(width, True, time_width, max(1, width - time_width - 4), 3, max(1, width - 4))
        nick_width = nick_width or max(9, min(16, width // 8))
        text_start = 1 + time_width + (time_width > 0) + nick_width + 3
        return cls(width, False, time_width, nick_width, text_start, width - text_start - 1)

    @property
    def notice_start(self) -> int:
        """The column where a notice begins: beside its time where text has no such column."""
        beside_time = 2 + self.time_width
        return beside_time if self.narrow and self.time_width and self.width > beside_time + 9 else self.text_start

    @property
    def notice_width(self) -> int:
        """Cells a row of a notice has."""
        return max(1, self.width - self.notice_start - 1)


class RowKind(Enum):
    """What stands on a row."""

    DATE = auto()
    NAME = auto()
    QUOTE = auto()
    TEXT = auto()
    REACTIONS = auto()
    PROBLEM = auto()
    NOTICE = auto()
    GAP = auto()
    UNREAD = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a line.

    Attributes:
        kind: What stands on it.
        start: Its first character in the text (or the problem) of its line.
        end: The character after its last.
        first: It is the first of its kind in its line.
    """

    kind: RowKind
    start: int = 0
    end: int = 0
    first: bool = True


@dataclass(frozen=True, slots=True)
class LineLayout:
    """A line laid out for one width.

    Attributes:
        line: What was laid out.
        decoration: With which decoration.
        rows: Its rows, at least one.
        lead: How many rows stand before its own text (date, nickname, what it answers).
        nick: Who said it, cleaned, as it stands beside the text.
        speaker: Who said it, cleaned.
        text: What is drawn, cleaned, with `(edited)` at its end.
        written: How many characters of `text` the person wrote; the rest is not copied.
        problem: Why it was not sent, in words.
        links: The addresses in `text`.
    """

    line: Line
    decoration: Decoration
    rows: tuple[Row, ...]
    lead: int
    nick: str = ""
    speaker: str = ""
    text: str = ""
    written: int = 0
    problem: str = ""
    links: tuple[Link, ...] = ()


def lay_out(line: Line, decoration: Decoration, geometry: Geometry, words: TimelineWords) -> LineLayout:
    """The rows of a line."""
    rows: list[Row] = []
    if decoration.day is not None:
        rows.append(Row(RowKind.DATE))
    if isinstance(line, NoticeLine):
        text = written_in(line)
        lead = len(rows)
        rows.extend(_rows(RowKind.NOTICE, text, geometry.notice_width))
        return LineLayout(line, decoration, tuple(rows), lead, text=text, written=len(text))
    if not isinstance(line, MessageLine):
        return LineLayout(line, decoration, (Row(RowKind.GAP if isinstance(line, GapLine) else RowKind.UNREAD),), 0)
    if geometry.narrow and not decoration.grouped:
        rows.append(Row(RowKind.NAME))
    if line.reply_to is not None:
        rows.append(Row(RowKind.QUOTE))
    written = written_in(line)
    text = written
    if line.deleted:
        text = words.deleted
    elif line.edited:
        text = f"{written} {words.edited}"
    lead = len(rows)
    rows.extend(_rows(RowKind.TEXT, text, geometry.text_width))
    if line.reactions:
        rows.append(Row(RowKind.REACTIONS, len(text), len(text)))
    problem = ""
    if line.delivery in (DeliveryState.FAILED, DeliveryState.UNCONFIRMED):
        told = words.failure if line.delivery is DeliveryState.FAILED else words.doubt
        problem = told(_line(line.problem))
        rows.extend(_rows(RowKind.PROBLEM, problem, geometry.text_width))
    links = () if line.deleted else tuple(find_links(written))
    nick, speaker = speaker_of(line), _line(line.nick)
    return LineLayout(
        line, decoration, tuple(rows), lead, nick, speaker, text, len(written), problem=problem, links=links
    )


def written_in(line: Line) -> str:
    """What a line says, cleaned, an action without its `/me`; empty for what says nothing (any more)."""
    if isinstance(line, MessageLine) and line.is_action:
        return sanitize_body(_without_surrogates(line.text[len(ACTION_PREFIX) :])).strip("\n")
    if isinstance(line, NoticeLine) or (isinstance(line, MessageLine) and not line.deleted):
        return sanitize_body(_without_surrogates(line.text)).strip("\n")
    return ""


def quoted_in(line: Line) -> str:
    """What it answers, cleaned, in one line."""
    return _line(line.quote) if isinstance(line, MessageLine) else ""


def reactions_of(line: Line) -> tuple[ReactionCount, ...]:
    """The emojis under it, cleaned."""
    if not isinstance(line, MessageLine):
        return ()
    return tuple(replace(reacted, emoji=_line(reacted.emoji)) for reacted in line.reactions)


def speaker_of(line: Line) -> str:
    """Who said it, cleaned, with a star before who does something; empty for what nobody said."""
    if not isinstance(line, MessageLine):
        return ""
    return f"* {_line(line.nick)}" if line.is_action else _line(line.nick)


def estimate(line: Line, geometry: Geometry) -> int:
    """About how many rows a line takes, without looking at its text."""
    if isinstance(line, MessageLine):
        beside = (line.reply_to is not None) + bool(line.reactions)
        return 1 + beside + len(line.text) // geometry.text_width
    return 1


def _rows(kind: RowKind, text: str, width: int) -> Iterator[Row]:
    for number, (start, end) in enumerate(wrap(text, width)):
        yield Row(kind, start, end, number == 0)


def _line(text: str) -> str:
    return sanitize_line(_without_surrogates(text))


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
