"""The words and dates that a timeline adds to what people said."""

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
    """A day in full: `Friday, 20 November 2026`."""
    weekday, month = tr(_WEEKDAYS[day.weekday()]), tr(_MONTHS[day.month - 1])
    return tr("{weekday}, {day} {month} {year}", weekday=weekday, day=day.day, month=month, year=day.year)


def format_gap(missing: int) -> str:
    """What a gap says of the entries that are not here."""
    return plural("{count:,} message not loaded · Enter", "{count:,} messages not loaded · Enter", missing)


def format_failure(reason: str) -> str:
    """What stands under a message that could not be sent."""
    return tr("not sent: {problem} — retry", problem=reason) if reason else tr("not sent — retry")


def format_unconfirmed(reason: str) -> str:
    """What stands under a message of which nobody knows whether it was sent."""
    return tr("perhaps sent: {problem} — retry?", problem=reason)


@dataclass(frozen=True, slots=True)
class TimelineStrings:
    """What a timeline says; by itself in the language that is in use when this is made.

    Attributes:
        day: Names a day, for the row above its first line.
        gap: Says how many entries are missing.
        failure: Says why a message was not sent, and what to do.
        doubt: Says why nobody knows whether a message was sent, and what to do.
        unread: Stands above the first message not seen.
        edited: Follows a message that was changed.
        deleted: Stands for a message that was taken back.
        not_here: Stands for a message that is answered and was not loaded.
    """

    date_label: Callable[[date], str] = format_full_date
    gap_label: Callable[[int], str] = format_gap
    failure_label: Callable[[str], str] = format_failure
    unconfirmed_label: Callable[[str], str] = format_unconfirmed
    unread_label: str = field(default_factory=lambda: tr("new"))
    edited_suffix: str = field(default_factory=lambda: tr("(edited)"))
    deleted_text: str = field(default_factory=lambda: tr("message deleted"))
    missing_quote: str = field(default_factory=lambda: tr("an earlier message"))
