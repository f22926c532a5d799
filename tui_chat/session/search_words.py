"""The sentences of searching and going to what was said; the others are in `words`."""

from tui_chat.session.language import mark, tr

SEARCH_TITLE = mark("Search")
SEARCH_HINT = mark("words, or Chinese from one character on")
SEARCH_FOOTER = mark("↑↓ choose · Enter go there · Alt+S this room / all · Esc back")
NO_SEARCH_YET = mark("A message is found when it has all the words.")
SEARCHING = mark("searching…")
GOING_THERE = mark("Going there…")
NO_SUCH_PLACE = mark("That message is no longer there.")
NOTHING_SAID_YET = mark("Nothing was said in this room yet.")


def searched_in(room: str | None) -> str:
    """Where it is searched."""
    return tr("in {room}", room=room) if room is not None else tr("in all rooms")


def found(count: int, more: bool) -> str:
    """How many messages a search has found so far."""
    if count:
        return tr("{count:,} found, ↓ for more", count=count) if more else tr("{count:,} found", count=count)
    return tr("nothing found yet, ↓ looks further back") if more else tr("nothing found")


SEARCHED_HERE = mark("offline: searched what is on this computer")
SEARCH_INCOMPLETE = mark("older messages are still being indexed")
ROOM_NOT_OPEN = mark("not open")


def enter_joins(room: str) -> str:
    """What was found is in a room that is not open."""
    return tr("You are not in {room}. Enter once more joins it.", room=room)


def not_a_day(text: str) -> str:
    """A date was not understood."""
    return tr("No day is called {day}. Try 2026-11-18 or yesterday.", day=text[:40])


def nothing_on(day: str, later: bool) -> str:
    """Nothing was said on this day."""
    if later:
        return tr("Nothing on {day}; this came next.", day=day)
    return tr("Nothing on {day} or later; this is the newest.", day=day)
