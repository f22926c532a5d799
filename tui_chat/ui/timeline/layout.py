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

from tui_chat.protocol.sanitize import sanitize_body, sanitize_line
from tui_chat.session.lines import ACTION_PREFIX, DeliveryState, GapLine, Line, MessageLine, NoticeLine, ReactionCount
from tui_chat.ui.timeline.decoration import Decoration
from tui_chat.ui.timeline.hyperlinks import Hyperlink, find_hyperlinks
from tui_chat.ui.timeline.strings import TimelineStrings
from tui_chat.ui.timeline.wrapping import wrap_text

NARROW_WIDTH = 60


@dataclass(frozen=True, slots=True)
class TimelineGeometry:
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
    is_narrow: bool
    time_width: int
    nick_width: int
    text_start: int
    text_width: int

    @classmethod
    def for_width(cls, width: int, time_width: int = 5, nick_width: int = 0) -> "TimelineGeometry":
        """The columns for a timeline.

        Args:
            width: Cells it has.
            time_width: Cells a time takes, 0 for no times.
            nick_width: Cells for nicknames, 0 for as many as the width allows.
        """
        if width < NARROW_WIDTH:
            return cls(width, True, time_width, max(1, width - time_width - 4), 3, max(1, width - 4))
        nick_width = nick_width or max(9, min(16, width // 8))
        text_start = 1 + time_width + (time_width > 0) + nick_width + 3
        return cls(width, False, time_width, nick_width, text_start, width - text_start - 1)

    @property
    def notice_start(self) -> int:
        """The column where a notice begins: beside its time where text has no such column."""
        beside_time = 2 + self.time_width
        return beside_time if self.is_narrow and self.time_width and self.width > beside_time + 9 else self.text_start

    @property
    def notice_width(self) -> int:
        """Cells a row of a notice has."""
        return max(1, self.width - self.notice_start - 1)


class RowKind(Enum):
    """What stands on a row."""

    DATE = auto()
    NICK = auto()
    QUOTE = auto()
    TEXT = auto()
    REACTIONS = auto()
    DELIVERY_ERROR = auto()
    NOTICE = auto()
    GAP = auto()
    UNREAD_MARKER = auto()


@dataclass(frozen=True, slots=True)
class LayoutRow:
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
    is_first: bool = True


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
    rows: tuple[LayoutRow, ...]
    leading_rows: int
    nick_label: str = ""
    sender_nick: str = ""
    text: str = ""
    source_length: int = 0
    delivery_error: str = ""
    links: tuple[Hyperlink, ...] = ()


def layout_line(line: Line, decoration: Decoration, geometry: TimelineGeometry, strings: TimelineStrings) -> LineLayout:
    """The rows of a line."""
    rows: list[LayoutRow] = []
    if decoration.day is not None:
        rows.append(LayoutRow(RowKind.DATE))
    if isinstance(line, NoticeLine):
        text = extract_text(line)
        leading_rows = len(rows)
        rows.extend(_wrap_rows(RowKind.NOTICE, text, geometry.notice_width))
        return LineLayout(line, decoration, tuple(rows), leading_rows, text=text, source_length=len(text))
    if not isinstance(line, MessageLine):
        return LineLayout(
            line, decoration, (LayoutRow(RowKind.GAP if isinstance(line, GapLine) else RowKind.UNREAD_MARKER),), 0
        )
    if geometry.is_narrow and not decoration.is_grouped:
        rows.append(LayoutRow(RowKind.NICK))
    if line.reply_to is not None:
        rows.append(LayoutRow(RowKind.QUOTE))
    source_text = extract_text(line)
    text = source_text
    if line.deleted:
        text = strings.deleted_text
    elif line.edited:
        text = f"{source_text} {strings.edited_suffix}"
    leading_rows = len(rows)
    rows.extend(_wrap_rows(RowKind.TEXT, text, geometry.text_width))
    if line.reactions:
        rows.append(LayoutRow(RowKind.REACTIONS, len(text), len(text)))
    delivery_error = ""
    if line.delivery in (DeliveryState.FAILED, DeliveryState.UNCONFIRMED):
        format_error = strings.failure_label if line.delivery is DeliveryState.FAILED else strings.unconfirmed_label
        delivery_error = format_error(_sanitize_line(line.problem))
        rows.extend(_wrap_rows(RowKind.DELIVERY_ERROR, delivery_error, geometry.text_width))
    links = () if line.deleted else tuple(find_hyperlinks(source_text))
    nick_label, sender_nick = format_nick(line), _sanitize_line(line.nick)
    return LineLayout(
        line,
        decoration,
        tuple(rows),
        leading_rows,
        nick_label,
        sender_nick,
        text,
        len(source_text),
        delivery_error=delivery_error,
        links=links,
    )


def extract_text(line: Line) -> str:
    """What a line says, cleaned, an action without its `/me`; empty for what says nothing (any more)."""
    if isinstance(line, MessageLine) and line.is_action:
        return sanitize_body(_replace_surrogates(line.text[len(ACTION_PREFIX) :])).strip("\n")
    if isinstance(line, NoticeLine) or (isinstance(line, MessageLine) and not line.deleted):
        return sanitize_body(_replace_surrogates(line.text)).strip("\n")
    return ""


def extract_quote(line: Line) -> str:
    """What it answers, cleaned, in one line."""
    return _sanitize_line(line.quote) if isinstance(line, MessageLine) else ""


def sanitize_reactions(line: Line) -> tuple[ReactionCount, ...]:
    """The emojis under it, cleaned."""
    if not isinstance(line, MessageLine):
        return ()
    return tuple(replace(reaction, emoji=_sanitize_line(reaction.emoji)) for reaction in line.reactions)


def format_nick(line: Line) -> str:
    """Who said it, cleaned, with a star before who does something; empty for what nobody said."""
    if not isinstance(line, MessageLine):
        return ""
    return f"* {_sanitize_line(line.nick)}" if line.is_action else _sanitize_line(line.nick)


def estimate_rows(line: Line, geometry: TimelineGeometry) -> int:
    """About how many rows a line takes, without looking at its text."""
    if isinstance(line, MessageLine):
        extra_rows = (line.reply_to is not None) + bool(line.reactions)
        return 1 + extra_rows + len(line.text) // geometry.text_width
    return 1


def _wrap_rows(kind: RowKind, text: str, width: int) -> Iterator[LayoutRow]:
    for index, (start, end) in enumerate(wrap_text(text, width)):
        yield LayoutRow(kind, start, end, index == 0)


def _sanitize_line(text: str) -> str:
    return sanitize_line(_replace_surrogates(text))


def _replace_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
