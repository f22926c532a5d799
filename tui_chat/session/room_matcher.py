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

from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.responses import RoomSummary
from tui_chat.session.room_view import RoomView

_LETTER_SCORE, _ADJACENT_BONUS, _WORD_START_BONUS = (
    1,
    3,
    4,
)  # what a matching letter counts: alone, behind the one before, beginning a word


@dataclass(frozen=True, slots=True)
class RoomCandidate:
    """One room to go to.

    Attributes:
        name: The room.
        matched: The characters of the name that were typed.
        view: The room as it is open, None when it is not.
        number: Its place in the list of rooms from 1, 0 when it is not open.
        summary: What the server says of a room that is not open, None for a new one.
    """

    name: str
    matched_indices: tuple[int, ...] = ()
    view: RoomView | None = None
    position: int = 0
    summary: RoomSummary | None = None


def rank_rooms(
    text: str, open_rooms: Sequence[RoomView], current: RoomView | None, server_rooms: Iterable[RoomSummary]
) -> list[RoomCandidate]:
    """What to offer.

    Args:
        typed: What was typed, empty for everything.
        open_rooms: The open rooms in their order.
        current: The one that is shown.
        listed: The rooms that the server has.
    """
    query = "".join(text.casefold().split())
    scored: list[tuple[int, int, RoomCandidate]] = []
    for number, view in enumerate(_sort_by_activity(open_rooms, current)):
        score, matched = match_name(query, view.name)
        if matched is not None:
            scored.append((-score, number, RoomCandidate(view.name, matched, view, open_rooms.index(view) + 1)))
    open_candidates = [choice for _, _, choice in sorted(scored, key=lambda each: each[:2])]
    seen_keys = {names.canonical_key(view.name) for view in open_rooms}
    scored = []
    for number, summary in enumerate(server_rooms):
        key = names.canonical_key(summary.name)
        score, matched = match_name(query, summary.name) if key not in seen_keys else (0, None)
        if matched is not None:
            scored.append((-score, number, RoomCandidate(summary.name, matched, summary=summary)))
            seen_keys.add(key)
    server_candidates = [choice for _, _, choice in sorted(scored, key=lambda each: each[:2])]
    return [*open_candidates, *server_candidates, *_new_room(text, seen_keys)]


def match_name(query: str, name: str) -> tuple[int, tuple[int, ...] | None]:
    """How well a folded query matches a name, and which characters it matches; None when it does not.

    The best way to place the letters, found in `len(query) * len(name)` steps whatever the name holds.
    """
    if not query:
        return 0, ()
    letters = [character.casefold() for character in name]
    # best[j]: score and places of the query so far, with its last letter at j.
    best: list[tuple[int, tuple[int, ...]] | None] = [
        (_letter_score(letters, at), (at,)) if letter == query[0] else None for at, letter in enumerate(letters)
    ]
    for query_letter in query[1:]:
        next_best: list[tuple[int, tuple[int, ...]] | None] = [None] * len(letters)
        best_before: tuple[int, tuple[int, ...]] | None = None
        for at in range(1, len(letters)):
            adjacent = best[at - 1]
            if (
                at >= 2
                and (earlier := best[at - 2]) is not None
                and (best_before is None or earlier[0] > best_before[0])
            ):
                best_before = earlier
            if letters[at] != query_letter:
                continue
            score = _letter_score(letters, at)
            options = [(adjacent[0] + score + _ADJACENT_BONUS, (*adjacent[1], at))] if adjacent is not None else []
            options += [(best_before[0] + score, (*best_before[1], at))] if best_before is not None else []
            next_best[at] = max(options, key=lambda way: way[0], default=None)
        best = next_best
    completed = [way for way in best if way is not None]
    return max(completed, key=lambda way: way[0]) if completed else (0, None)


def _letter_score(letters: Sequence[str], index: int) -> int:
    return _LETTER_SCORE + (_WORD_START_BONUS if index == 0 or not letters[index - 1].isalnum() else 0)


def _sort_by_activity(rooms: Sequence[RoomView], current: RoomView | None) -> list[RoomView]:
    def sort_key(view: RoomView) -> tuple[bool, bool, bool, int]:
        return view is current, not view.mention_count, not view.unread_count, -view.last_message_ts

    return sorted(rooms, key=sort_key)


def _new_room(text: str, seen_keys: set[str]) -> list[RoomCandidate]:
    try:
        name = names.validate_room_name(text) if text else ""
    except ChatError:
        return []
    return [RoomCandidate(name)] if name and names.canonical_key(name) not in seen_keys else []
