"""Which rooms the switcher offers for what was typed, best first.

Rule 1  Open rooms first: those that name you, those with something unread, then
        those where something was said last; the one that is shown comes last, so
        that Enter alone leads elsewhere.
Rule 2  Then the other rooms of the server, the fullest first; then, when no room
        has the typed name, a new one.
Rule 3  Letters match in their order, with others between them; how well decides
        before everything else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.protocol import names
from server.protocol.answers import RoomSummary
from server.protocol.errors import ChatError
from tui_chat.session.room_view import RoomView

_HERE, _BESIDE, _STARTS = 1, 3, 4  # what a matching letter counts: alone, behind the one before, beginning a word


@dataclass(frozen=True, slots=True)
class Choice:
    """One room to go to.

    Attributes:
        name: The room.
        matched: The characters of the name that were typed.
        view: The room as it is open, None when it is not.
        number: Its place in the list of rooms from 1, 0 when it is not open.
        summary: What the server says of a room that is not open, None for a new one.
    """

    name: str
    matched: tuple[int, ...] = ()
    view: RoomView | None = None
    number: int = 0
    summary: RoomSummary | None = None


def choices(
    typed: str, open_rooms: Sequence[RoomView], current: RoomView | None, listed: Iterable[RoomSummary]
) -> list[Choice]:
    """What to offer.

    Args:
        typed: What was typed, empty for everything.
        open_rooms: The open rooms in their order.
        current: The one that is shown.
        listed: The rooms that the server has.
    """
    query = "".join(typed.casefold().split())
    found: list[tuple[int, int, Choice]] = []
    for number, view in enumerate(_by_activity(open_rooms, current)):
        score, matched = match(query, view.name)
        if matched is not None:
            found.append((-score, number, Choice(view.name, matched, view, open_rooms.index(view) + 1)))
    first = [choice for _, _, choice in sorted(found, key=lambda each: each[:2])]
    taken = {names.canonical_key(view.name) for view in open_rooms}
    found = []
    for number, summary in enumerate(listed):
        key = names.canonical_key(summary.name)
        score, matched = match(query, summary.name) if key not in taken else (0, None)
        if matched is not None:
            found.append((-score, number, Choice(summary.name, matched, summary=summary)))
            taken.add(key)
    second = [choice for _, _, choice in sorted(found, key=lambda each: each[:2])]
    return [*first, *second, *_new(typed, taken)]


def match(query: str, name: str) -> tuple[int, tuple[int, ...] | None]:
    """How well a folded query matches a name, and which characters it matches; None when it does not.

    The best way to place the letters, found in `len(query) * len(name)` steps whatever the name holds.
    """
    if not query:
        return 0, ()
    letters = [character.casefold() for character in name]
    # best[j]: score and places of the query so far, with its last letter at j.
    best: list[tuple[int, tuple[int, ...]] | None] = [
        (_worth(letters, at), (at,)) if letter == query[0] else None for at, letter in enumerate(letters)
    ]
    for wanted in query[1:]:
        following: list[tuple[int, tuple[int, ...]] | None] = [None] * len(letters)
        before: tuple[int, tuple[int, ...]] | None = None
        for at in range(1, len(letters)):
            beside = best[at - 1]
            if at >= 2 and (farther := best[at - 2]) is not None and (before is None or farther[0] > before[0]):
                before = farther
            if letters[at] != wanted:
                continue
            worth = _worth(letters, at)
            ways = [(beside[0] + worth + _BESIDE, (*beside[1], at))] if beside is not None else []
            ways += [(before[0] + worth, (*before[1], at))] if before is not None else []
            following[at] = max(ways, key=lambda way: way[0], default=None)
        best = following
    reached = [way for way in best if way is not None]
    return max(reached, key=lambda way: way[0]) if reached else (0, None)


def _worth(letters: Sequence[str], at: int) -> int:
    return _HERE + (_STARTS if at == 0 or not letters[at - 1].isalnum() else 0)


def _by_activity(rooms: Sequence[RoomView], current: RoomView | None) -> list[RoomView]:
    def rank(view: RoomView) -> tuple[bool, bool, bool, int]:
        return view is current, not view.mentions, not view.unread, -view.last_ts

    return sorted(rooms, key=rank)


def _new(typed: str, taken: set[str]) -> list[Choice]:
    try:
        name = names.validate_room_name(typed) if typed else ""
    except ChatError:
        return []
    return [Choice(name)] if name and names.canonical_key(name) not in taken else []
