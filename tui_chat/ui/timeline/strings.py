"""Labels, dates and errors that the timeline adds to messages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from tui_chat.session.i18n import mark, plural, tr

_WEEKDAYS = (
    mark("Monday"), mark("Tuesday"), mark("Wednesday"), mark("Thursday"),
    mark("Friday"), mark("Saturday"), mark("Sunday"),
)  # fmt: skip
_MONTHS = (
    mark("January"), mark("February"), mark("March"), mark("April"), mark("May"), mark("June"),
    mark("July"), mark("August"), mark("September"), mark("October"), mark("November"), mark("December"),
)  # fmt: skip


def format_full_date(day: date) -> str:
    """Return the long form of a date, such as `Friday, 20 November 2026`."""
    weekday, month = tr(_WEEKDAYS[day.weekday()]), tr(_MONTHS[day.month - 1])
    return tr("{weekday}, {day} {month} {year}", weekday=weekday, day=day.day, month=month, year=day.year)


def format_gap(missing: int) -> str:
    """Return the label of a gap of `missing` entries."""
    return plural("{count:,} message not loaded · Enter", "{count:,} messages not loaded · Enter", missing)


def format_failure(reason: str) -> str:
    """Return the delivery error of an unsent message."""
    return tr("not sent: {problem} — retry", problem=reason) if reason else tr("not sent — retry")


def format_unconfirmed(reason: str) -> str:
    """Return the delivery error of a message with an unknown delivery state."""
    return tr("not confirmed: {problem} — retry?", problem=reason)


@dataclass(frozen=True, slots=True)
class TimelineStrings:
    """Texts of a timeline, by default in the language that is active at construction.

    Attributes:
        date_label: Formats the date separator.
        gap_label: Formats the label of a gap from the number of missing entries.
        failure_label: Formats the delivery error of an unsent message from its reason.
        unconfirmed_label: Formats the delivery error of an unconfirmed message from its reason.
        unread_label: Label above the first unread message.
        edited_suffix: Suffix of an edited message.
        deleted_text: Replacement of a deleted message.
        missing_quote: Replacement of a quoted message that is not loaded.
    """

    date_label: Callable[[date], str] = format_full_date
    gap_label: Callable[[int], str] = format_gap
    failure_label: Callable[[str], str] = format_failure
    unconfirmed_label: Callable[[str], str] = format_unconfirmed
    unread_label: str = field(default_factory=lambda: tr("new"))
    edited_suffix: str = field(default_factory=lambda: tr("(edited)"))
    deleted_text: str = field(default_factory=lambda: tr("message deleted"))
    missing_quote: str = field(default_factory=lambda: tr("an earlier message"))
