"""The sentences of searching and going to what was said; the others are in `words`."""

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
    """Where it is searched."""
    return tr("in {room}", room=room) if room is not None else tr("in all rooms")


def result_count(count: int, has_more: bool) -> str:
    """How many messages a search has found so far."""
    if count:
        return tr("{count:,} found, ↓ for more", count=count) if has_more else tr("{count:,} found", count=count)
    return tr("nothing found yet, ↓ looks further back") if has_more else tr("nothing found")


SEARCHED_LOCALLY = mark("offline: searched what is on this computer")
SEARCH_INCOMPLETE = mark("older messages are still being indexed")
ROOM_NOT_OPEN = mark("not open")


def confirm_join(room: str) -> str:
    """What was found is in a room that is not open."""
    return tr("You are not in {room}. Enter once more joins it.", room=room)


def invalid_date(text: str) -> str:
    """A date was not understood."""
    return tr("No day is called {day}. Try 2026-11-18 or yesterday.", day=text[:40])


def no_messages_on(day: str, is_later: bool) -> str:
    """Nothing was said on this day."""
    if is_later:
        return tr("Nothing on {day}; this came next.", day=day)
    return tr("Nothing on {day} or later; this is the newest.", day=day)
