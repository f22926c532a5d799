"""Texts of the message search and date navigation."""

from tui_chat.session.i18n import mark, tr

SEARCH_TITLE = mark("Search")
SEARCH_HINT = mark("words, or Chinese from one character on")
SEARCH_FOOTER = mark("↑↓ choose · Enter go there · Alt+S this room / all · Esc back")
SEARCH_HELP = mark("A message is found when it has all the words.")
SEARCHING = mark("searching…")
JUMPING_TO_MESSAGE = mark("Going there…")
MESSAGE_GONE = mark("That message is no longer there.")
ROOM_EMPTY = mark("Nothing was said in this room yet.")


def search_scope(room: str | None) -> str:
    """Return the scope label of a search, None for all rooms."""
    return tr("in {room}", room=room) if room is not None else tr("in all rooms")


def result_count(count: int, has_more: bool) -> str:
    """Return the status line with the number of results."""
    if count:
        return tr("{count:,} found, ↓ for more", count=count) if has_more else tr("{count:,} found", count=count)
    return tr("nothing found yet, ↓ looks further back") if has_more else tr("nothing found")


SEARCHED_LOCALLY = mark("offline: searched what is on this computer")
SEARCH_INCOMPLETE = mark("older messages are still being indexed")
ROOM_NOT_OPEN = mark("not open")


def confirm_join(room: str) -> str:
    """Return the prompt to join the room of a search hit."""
    return tr("You are not in {room}. Enter once more joins it.", room=room)


def invalid_date(text: str) -> str:
    """Return the error for an unknown date format."""
    return tr("No day is called {day}. Try 2026-11-18 or yesterday.", day=text[:40])


def no_messages_on(day: str, is_later: bool) -> str:
    """Return the note for a date without messages; `is_later` means that a later message follows."""
    if is_later:
        return tr("Nothing on {day}; this came next.", day=day)
    return tr("Nothing on {day} or later; this is the newest.", day=day)
