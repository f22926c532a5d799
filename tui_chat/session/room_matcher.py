"""Ranking of rooms for the room switcher.

- Match: `fuzzy_match` defines a match. A name with the canonical key of the query always matches.
- Open rooms come first, sorted by score, mentions, unread messages and recency. The current room is last among equal
  scores, so Enter without a query selects another room.
- Closed rooms of the account follow, sorted by score, mentions and unread messages.
- Other rooms of the server follow, sorted by score and the server's order.
- A new room is last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.responses import RoomSummary
from tui_chat.session import fuzzy_match
from tui_chat.session.durable_rooms import DurableRoom
from tui_chat.session.room_view import RoomView


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
    closed_room: DurableRoom | None = None
    summary: RoomSummary | None = None

    @property
    def room(self) -> str:
        """Name of the room for a join or switch, the address of a private room."""
        known_room = self.view or self.closed_room
        return known_room.name if known_room is not None else self.name


def rank_rooms(
    text: str,
    open_rooms: Sequence[RoomView],
    current: RoomView | None,
    server_rooms: Iterable[RoomSummary],
    closed_rooms: Iterable[DurableRoom] = (),
) -> list[RoomCandidate]:
    """Return the candidates for a query, best first.

    Case and whitespace of the query are ignored; an empty one lists every room. A room appears only once. A new room is
    only offered for a valid room name that no open, closed or server room has; titles do not count.
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
    user_rooms = _rank_matches(text, open_candidates) + _rank_matches(text, closed_candidates)
    user_keys = {names.canonical_key(candidate.room) for candidate in (*open_candidates, *closed_candidates)}
    server_candidates = {
        names.canonical_key(summary.name): RoomCandidate(summary.name, summary=summary)
        for summary in server_rooms
        if names.canonical_key(summary.name) not in user_keys
    }
    matching_server_rooms = _rank_matches(text, server_candidates.values())
    seen_keys = user_keys | {names.canonical_key(candidate.name) for candidate in matching_server_rooms}
    return [*user_rooms, *matching_server_rooms, *_new_room(text, seen_keys)]


def _rank_matches(text: str, candidates: Iterable[RoomCandidate]) -> list[RoomCandidate]:
    """Return copies of the matching candidates with their `matched_indices`, best first; the sort is stable."""
    query, key = fuzzy_match.query_letters(text), names.canonical_key(text)
    scored = [
        (score, replace(candidate, matched_indices=matched or ()))
        for candidate in candidates
        for score, matched in [fuzzy_match.match(query, candidate.name)]
        if matched is not None or names.canonical_key(candidate.name) == key
    ]
    return [candidate for _, candidate in sorted(scored, key=lambda item: -item[0])]


def _new_room(text: str, seen_keys: set[str]) -> list[RoomCandidate]:
    """Return the candidate of a new room, empty for an invalid name or one with a key in `seen_keys`."""
    try:
        name = names.validate_room_name(text) if text else ""
    except ChatError:
        return []
    return [RoomCandidate(name)] if name and names.canonical_key(name) not in seen_keys else []
