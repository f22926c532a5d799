"""Texts that the timeline adds to messages: dates, gaps and delivery errors."""

from datetime import date

from tui_chat.session.i18n import mark, plural, tr
from tui_chat.session.lines import DeliveryState

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


def format_delivery_error(delivery: DeliveryState, reason: str) -> str:
    """Return the error of an unsent message or of one with an unknown delivery state, otherwise an empty string."""
    if delivery is DeliveryState.UNCONFIRMED:
        return tr("not confirmed: {problem} — retry?", problem=reason)
    if delivery is not DeliveryState.FAILED:
        return ""
    return tr("not sent: {problem} — retry", problem=reason) if reason else tr("not sent — retry")
