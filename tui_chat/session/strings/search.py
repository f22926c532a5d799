"""Texts of the message search and date navigation."""

from tui_chat.session.i18n import mark, tr

ROOM_EMPTY = mark("No messages in this room yet.")


def result_count(count: int, has_more: bool) -> str:
    """Return the number of results, `3 found` or `no results`, with a hint for the ↓ key if `has_more`."""
    if count:
        return tr("{count:,} found, ↓ for more", count=count) if has_more else tr("{count:,} found", count=count)
    return tr("no results yet, ↓ to search older messages") if has_more else tr("no results")


def invalid_date(text: str) -> str:
    """Return the error for an unknown date format, with the first 40 characters of the text."""
    return tr("Unknown date: {day}. Try 2026-11-18 or yesterday.", day=text[:40])


def no_messages_on(day: str, has_later: bool) -> str:
    """Return the note for a date without messages.

    Names the displayed message: the next one (`has_later`), otherwise the newest one.
    """
    if has_later:
        return tr("No messages on {day}; this is the next.", day=day)
    return tr("No messages on {day} or later; this is the newest.", day=day)
