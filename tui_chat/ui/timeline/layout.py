"""Layout of a line into rows, without styles.

- Sanitizing: all text is sanitized again before display, because a third-party server may not sanitize.
- Offsets: a row is a character range in the text of its line, and selections use the same offsets.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto

from msgspec.structs import replace

from tui_chat.protocol.sanitize import sanitize_body, sanitize_line
from tui_chat.session.hyperlinks import Hyperlink, find_hyperlinks, host_labels
from tui_chat.session.i18n import mark, plural, tr
from tui_chat.session.lines import (
    DeletionState,
    DeliveryState,
    GapLine,
    Line,
    MessageLine,
    NoticeLine,
    ReactionCount,
    action_text,
)
from tui_chat.ui.images.image_layout import ImageBox, ImageLimits, count_image_rows, layout_images
from tui_chat.ui.timeline.decoration import Decoration
from tui_chat.ui.timeline.wrapping import wrap_text

NARROW_WIDTH = 60

_WEEKDAYS = (
    mark("Monday"), mark("Tuesday"), mark("Wednesday"), mark("Thursday"),
    mark("Friday"), mark("Saturday"), mark("Sunday"),
)  # fmt: skip
_MONTHS = (
    mark("January"), mark("February"), mark("March"), mark("April"), mark("May"), mark("June"),
    mark("July"), mark("August"), mark("September"), mark("October"), mark("November"), mark("December"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimelineGeometry:
    """Column geometry of a timeline.

    A wide timeline has the columns cursor, time, nickname (right-aligned), status mark and text. A narrow timeline has
    the columns cursor, status mark and text, and a separate row for nickname and time.

    Attributes:
        width: Total width in cells.
        is_narrow: True if the nickname column is missing.
        time_width: Width of a formatted time in cells, 0 if times are hidden.
        nick_width: Width of nicknames in cells.
        text_start: Start column of message text.
        text_width: Width of a text row in cells, at least 1.
        images: Limits of images.
    """

    width: int
    is_narrow: bool
    time_width: int
    nick_width: int
    text_start: int
    text_width: int
    images: ImageLimits = field(default_factory=ImageLimits)

    @classmethod
    def for_width(
        cls, width: int, time_width: int = 5, nick_width: int = 0, images: ImageLimits | None = None
    ) -> "TimelineGeometry":
        """Return the geometry for a total width, narrow below `NARROW_WIDTH`.

        Arguments as the attributes. In a wide timeline, `nick_width` 0 stands for a share of the width; a narrow one
        ignores `nick_width`. None for `images` hides all images.
        """
        images = images or ImageLimits()
        if width < NARROW_WIDTH:
            return cls(width, True, time_width, max(1, width - time_width - 4), 3, max(1, width - 4), images)
        nick_width = nick_width or max(9, min(16, width // 8))
        text_start = 1 + time_width + (time_width > 0) + nick_width + 3
        return cls(width, False, time_width, nick_width, text_start, width - text_start - 1, images)

    @property
    def notice_start(self) -> int:
        """Start column of notices: next to the time if a narrow timeline has the space, else the text column."""
        beside_time = 4 + self.time_width  # cursor, time, blank, status mark and blank
        return beside_time if self.is_narrow and self.time_width and self.width > beside_time + 9 else self.text_start

    @property
    def notice_width(self) -> int:
        """Width of a notice row in cells."""
        return max(1, self.width - self.notice_start - 1)


class RowKind(Enum):
    """Content type of a row."""

    DATE = auto()
    NICK = auto()
    QUOTE = auto()
    TEXT = auto()
    IMAGE = auto()
    REACTIONS = auto()
    DELIVERY_ERROR = auto()
    NOTICE = auto()
    GAP = auto()
    UNREAD_MARKER = auto()


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """Row of a line.

    Attributes:
        kind: Content type.
        start: Index of the first character of the row in the text, or in the delivery error, of the line.
        end: Index after the last character of the row. Rows of images and reactions are empty at the end of the text.
        is_first: True if no earlier row of the line has the same kind, and for each row of images.
    """

    kind: RowKind
    start: int = 0
    end: int = 0
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class LineLayout:
    """Layout of a line at one width.

    Attributes:
        line: Source line.
        decoration: Decoration of the line.
        rows: At least one row.
        leading_rows: Number of rows above the text (date, nickname, quote).
        nick_label: Sanitized nickname column, with the signs of an action and of a confusable nickname.
        sender_nick: Sanitized nickname of the sender.
        text: Sanitized text, followed by the real hosts of disguised links and `(edited)`; the note of a deletion.
        source_length: Length of the original part of `text`, 0 for a deletion; a copy excludes the rest.
        quote: Sanitized quote of a reply as a single line; empty if unknown and for other messages.
        reactions: Reactions with sanitized texts.
        delivery_error: Translated reason of a failed or unconfirmed delivery, otherwise empty.
        links: Hyperlinks in `text`.
        images: Areas of the images.
        image_start: Index of the first row with images, or of the row after the text without images.
    """

    line: Line
    decoration: Decoration
    rows: tuple[LayoutRow, ...]
    leading_rows: int
    nick_label: str = ""
    sender_nick: str = ""
    text: str = ""
    source_length: int = 0
    quote: str = ""
    reactions: tuple[ReactionCount, ...] = ()
    delivery_error: str = ""
    links: tuple[Hyperlink, ...] = ()
    images: tuple[ImageBox, ...] = ()
    image_start: int = 0


def layout_line(line: Line, decoration: Decoration, geometry: TimelineGeometry) -> LineLayout:
    """Return the layout of a line; only messages with a visible text have links and images.

    A gap and an unread marker have one row and no date row.
    """
    rows = [LayoutRow(RowKind.DATE)] if decoration.day is not None else []
    if isinstance(line, MessageLine):
        return _layout_message(line, decoration, geometry, rows)
    if isinstance(line, NoticeLine):
        text = extract_text(line)
        return LineLayout(
            line,
            decoration,
            (*rows, *_wrap_rows(RowKind.NOTICE, text, geometry.notice_width)),
            len(rows),
            text=text,
            source_length=len(text),
        )
    return LineLayout(
        line, decoration, (LayoutRow(RowKind.GAP if isinstance(line, GapLine) else RowKind.UNREAD_MARKER),), 0
    )


def _layout_message(
    line: MessageLine, decoration: Decoration, geometry: TimelineGeometry, rows: list[LayoutRow]
) -> LineLayout:
    """Return the layout of a message below the rows in `rows`."""
    if geometry.is_narrow and not decoration.is_grouped:
        rows.append(LayoutRow(RowKind.NICK))
    if line.reply_to is not None:
        rows.append(LayoutRow(RowKind.QUOTE))
    source_text = extract_text(line)
    links = tuple(find_hyperlinks(source_text))
    shown_text = " ".join([source_text, *host_labels(links), *[tr("(edited)")] * bool(line.edited)])
    text = _deletion_text(line) if line.is_text_hidden else shown_text
    leading_rows = len(rows)
    rows.extend(_wrap_rows(RowKind.TEXT, text, geometry.text_width))
    images = () if line.is_text_hidden else layout_images(line.images, geometry.text_width, geometry.images)
    image_start = len(rows)
    rows.extend([LayoutRow(RowKind.IMAGE, len(text), len(text))] * count_image_rows(images))
    if line.reactions:
        rows.append(LayoutRow(RowKind.REACTIONS, len(text), len(text)))
    delivery_error = format_delivery_error(line.delivery, _sanitize_line(line.problem))
    if delivery_error:
        rows.extend(_wrap_rows(RowKind.DELIVERY_ERROR, delivery_error, geometry.text_width))
    return LineLayout(
        line,
        decoration,
        tuple(rows),
        leading_rows,
        nick_label=format_nick(line),
        sender_nick=_sanitize_line(line.nick),
        text=text,
        source_length=len(source_text),
        quote=_sanitize_line(line.quote),
        reactions=tuple(
            replace(reaction, emoji=_sanitize_line(reaction.emoji), names=tuple(map(_sanitize_line, reaction.names)))
            for reaction in line.reactions
        ),
        delivery_error=delivery_error,
        links=links,
        images=images,
        image_start=image_start,
    )


def _deletion_text(line: MessageLine) -> str:
    """Return the text in place of a message that is deleted or about to be deleted."""
    if line.deleted:
        return tr("message deleted")
    return tr("deleting · /undo restores it") if line.deletion is DeletionState.DELAYED else tr("deleting…")


def extract_text(line: Line) -> str:
    """Return the sanitized text without the `/me` of an action and without newlines at its start and end.

    Empty for a deleted message and one that is being deleted, for gaps and for unread markers.
    """
    if isinstance(line, MessageLine) and line.is_action:
        return sanitize_body(_replace_surrogates(action_text(line.content)))
    if isinstance(line, MessageLine) and not line.is_text_hidden:
        return sanitize_body(_replace_surrogates(line.content)).strip("\n")
    return sanitize_body(_replace_surrogates(line.text)).strip("\n") if isinstance(line, NoticeLine) else ""


def format_nick(line: Line) -> str:
    """Return the sanitized nickname with its signs, after `* ` for an action; empty unless the line is a message."""
    return ("* " if line.is_action else "") + _sanitize_line(line.marked_nick) if isinstance(line, MessageLine) else ""


def format_full_date(day: date) -> str:
    """Return the long form of a date, such as `Friday, 20 November 2026`."""
    weekday, month = tr(_WEEKDAYS[day.weekday()]), tr(_MONTHS[day.month - 1])
    return tr("{weekday}, {day} {month} {year}", weekday=weekday, day=day.day, month=month, year=day.year)


def format_gap(missing: int) -> str:
    """Return the label of a gap of `missing` entries: `3 messages not loaded · Enter`."""
    return plural("{count:,} message not loaded · Enter", "{count:,} messages not loaded · Enter", missing)


def format_delivery_error(delivery: DeliveryState, reason: str) -> str:
    """Return the error of a failed or unconfirmed message, empty for any other state.

    A failed message has `not sent: REASON — retry`, or `not sent — retry` without a reason. An unconfirmed message has
    `not confirmed: REASON — retry?`.
    """
    if delivery is DeliveryState.UNCONFIRMED:
        return tr("not confirmed: {problem} — retry?", problem=reason)
    if delivery is not DeliveryState.FAILED:
        return ""
    return tr("not sent: {problem} — retry", problem=reason) if reason else tr("not sent — retry")


def estimate_rows(line: Line, geometry: TimelineGeometry) -> int:
    """Return an estimated number of rows, without wrapping the text; 1 for a line that is no message."""
    if isinstance(line, MessageLine):
        image_rows = geometry.images.max_rows * bool(line.images)
        text_rows = 1 + len(line.content) // geometry.text_width
        return (line.reply_to is not None) + text_rows + image_rows + bool(line.reactions)
    return 1


def _wrap_rows(kind: RowKind, text: str, width: int) -> Iterator[LayoutRow]:
    for index, (start, end) in enumerate(wrap_text(text, width)):
        yield LayoutRow(kind, start, end, index == 0)


def _sanitize_line(text: str) -> str:
    return sanitize_line(_replace_surrogates(text))


def _replace_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
