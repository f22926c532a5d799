"""Fuzzy matching and ranking of rooms for the room switcher.

- Match: query letters occur in the name in the same order, independent of case and width. A name with the canonical
  key of the query always matches.
- Open rooms: precede all others, sorted by score, mentions, unread messages and recency. The current room is last
  among equal scores, so Enter without a query selects another room.
- Closed rooms of the account: follow the open rooms, sorted by score, mentions and unread messages.
- Server rooms: follow the closed rooms, sorted by score and the server's order.
- New room: is last, if no room has the typed name.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.responses import RoomSummary
from tui_chat.protocol.search_query import fold
from tui_chat.session.durable_rooms import ClosedRoom
from tui_chat.session.room_view import RoomView

_LETTER_SCORE = 1
_ADJACENT_BONUS = 3  # for a letter directly after the previous match
_WORD_START_BONUS = 4


@dataclass(frozen=True, slots=True)
class RoomCandidate:
    """Entry of the room switcher.

    Attributes:
        name: Name of the room, or the title of a private room.
        matched_indices: Indices of the matched characters in `name`.
        view: View of an open room, None for other rooms.
        position: 1-based position in the room list, 0 if not open.
        closed_room: Closed room of the account, None for other rooms.
        summary: Server information of another room that is not open, None for a new room.
    """

    name: str
    matched_indices: tuple[int, ...] = ()
    view: RoomView | None = None
    position: int = 0
    closed_room: ClosedRoom | None = None
    summary: RoomSummary | None = None

    @property
    def room(self) -> str:
        """Name of the room for a join or switch, the address of a private room."""
        own_room = self.view or self.closed_room
        return own_room.name if own_room is not None else self.name


def rank_rooms(
    text: str,
    open_rooms: Sequence[RoomView],
    current: RoomView | None,
    server_rooms: Iterable[RoomSummary],
    closed_rooms: Iterable[ClosedRoom] = (),
) -> list[RoomCandidate]:
    """Return the candidates for a query, best first.

    A room appears only once. A new room is last and only offered for a valid room name that no other candidate
    has.

    Args:
        text: Typed query in any case, without regard to whitespace; "" to list every room.
        open_rooms: Open rooms in display order.
        current: Selected room.
        server_rooms: Rooms on the server.
        closed_rooms: Closed rooms of the account.
    """
    by_activity = sorted(
        open_rooms,
        key=lambda view: (view is current, not view.mention_count, not view.unread_count, -view.last_message_ts),
    )
    open_candidates = [
        RoomCandidate(view.title, view=view, position=open_rooms.index(view) + 1) for view in by_activity
    ]
    closed_candidates = [
        RoomCandidate(room.title, closed_room=room)
        for room in sorted(closed_rooms, key=lambda room: (not room.mention_count, not room.unread_count))
    ]
    own_candidates = _rank_matches(text, open_candidates) + _rank_matches(text, closed_candidates)
    own_keys = {names.canonical_key(candidate.room) for candidate in (*open_candidates, *closed_candidates)}
    server_candidates = {
        names.canonical_key(summary.name): RoomCandidate(summary.name, summary=summary)
        for summary in server_rooms
        if names.canonical_key(summary.name) not in own_keys
    }
    matching_server_rooms = _rank_matches(text, server_candidates.values())
    seen_keys = own_keys | {names.canonical_key(candidate.name) for candidate in matching_server_rooms}
    return [*own_candidates, *matching_server_rooms, *_new_room(text, seen_keys)]


def _rank_matches(text: str, candidates: Iterable[RoomCandidate]) -> list[RoomCandidate]:
    """Return copies of the matching candidates with their `matched_indices`, best first; the sort is stable."""
    query, key = "".join(_fold(unicodedata.normalize("NFKC", text))[0].split()), names.canonical_key(text)
    scored = [
        (score, replace(candidate, matched_indices=matched or ()))
        for candidate in candidates
        for score, matched in [match_name(query, candidate.name)]
        if matched is not None or names.canonical_key(candidate.name) == key
    ]
    return [candidate for _, candidate in sorted(scored, key=lambda item: -item[0])]


def match_name(query: str, name: str) -> tuple[int, tuple[int, ...] | None]:
    """Return score and indices of the best match, (0, None) without a match.

    Takes O(len(query) * len(name)) steps for any name. An empty query matches every name: score 0, no indices.

    Args:
        query: Letters in case-folded compatibility form (NFKC) without whitespace.
        name: Room name.
    """
    if not query:
        return 0, ()
    letters, name_indices = _fold(name)
    # best[j]: score and indices for the query prefix with its last letter at j.
    best: list[tuple[int, tuple[int, ...]] | None] = [
        (_letter_score(letters, index), (index,)) if letter == query[0] else None
        for index, letter in enumerate(letters)
    ]
    for query_letter in query[1:]:
        next_best: list[tuple[int, tuple[int, ...]] | None] = [None] * len(letters)
        best_before: tuple[int, tuple[int, ...]] | None = None
        for index in range(1, len(letters)):
            adjacent = best[index - 1]
            if (
                index >= 2
                and (earlier := best[index - 2]) is not None
                and (best_before is None or earlier[0] > best_before[0])
            ):
                best_before = earlier
            if letters[index] != query_letter:
                continue
            score = _letter_score(letters, index)
            options = [(adjacent[0] + score + _ADJACENT_BONUS, (*adjacent[1], index))] if adjacent is not None else []
            options += [(best_before[0] + score, (*best_before[1], index))] if best_before is not None else []
            next_best[index] = max(options, key=lambda match: match[0], default=None)
        best = next_best
    completed = [match for match in best if match is not None]
    if not completed:
        return 0, None
    score, matched = max(completed, key=lambda match: match[0])
    return score, tuple(dict.fromkeys(name_indices[index] for index in matched))


@lru_cache(maxsize=4096)
def _fold(text: str) -> tuple[str, tuple[int, ...]]:
    """Return the letters of a text in case-folded compatibility form, and the index in the text for each letter.

    A character can have several letters, for example `ß`.
    """
    folded = [(letter, index) for index, character in enumerate(text) for letter in fold(character)]
    return "".join(letter for letter, _ in folded), tuple(index for _, index in folded)


def _letter_score(letters: Sequence[str], index: int) -> int:
    return _LETTER_SCORE + (_WORD_START_BONUS if index == 0 or not letters[index - 1].isalnum() else 0)


def _new_room(text: str, seen_keys: set[str]) -> list[RoomCandidate]:
    """Return the candidate of a new room, empty for an invalid name or one with a key in `seen_keys`."""
    try:
        name = names.validate_room_name(text) if text else ""
    except ChatError:
        return []
    return [RoomCandidate(name)] if name and names.canonical_key(name) not in seen_keys else []
