"""Summary of consecutive membership events in one line, so that a join storm does not displace the messages."""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from tui_chat.session.strings import chat as chat_strings

MAX_LISTED = 1_000
"""Maximum number of members tracked by id in one summary; further members are only counted."""

MAX_RENAMES = 3
"""Maximum number of nickname changes in one summary; the oldest are dropped."""


class MembershipChange(Enum):
    """Type of a membership event."""

    JOINED = "in"
    LEFT = "out"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class MembershipEvent:
    """Join, leave or nickname change of one member.

    Attributes:
        change: Type of the event.
        member_id: Member id.
        nick: Nickname after the event.
        old_nick: Nickname before a change, "" for joins and leaves.
        unlisted_count: Number of further members with the same change, sent without names.
    """

    change: MembershipChange
    member_id: str
    nick: str
    old_nick: str = ""
    unlisted_count: int = 0


class MembershipSummary:
    """Accumulator for the events of one line."""

    def __init__(self) -> None:
        self._joined: dict[str, str] = {}
        self._left: dict[str, str] = {}
        self._joined_and_left: dict[str, str] = {}
        self._renamed: deque[tuple[str, str]] = deque(maxlen=MAX_RENAMES)
        self._unlisted_counts = {MembershipChange.JOINED: 0, MembershipChange.LEFT: 0, MembershipChange.RENAMED: 0}

    def add(self, event: MembershipEvent) -> None:
        """Add an event; a join and a leave of the same member are merged.

        Above `MAX_LISTED` members, an event is only counted.
        """
        member_id, nick = event.member_id, event.nick
        self._unlisted_counts[event.change] += event.unlisted_count
        if event.change is MembershipChange.RENAMED:
            self._renamed.append((event.old_nick, nick))
            return
        same_change, opposite_change = (
            (self._joined, self._left) if event.change is MembershipChange.JOINED else (self._left, self._joined)
        )
        if member_id in opposite_change or member_id in self._joined_and_left:
            opposite_change.pop(member_id, None)
            self._joined_and_left[member_id] = nick
        elif member_id in same_change or len(self._joined) + len(self._left) + len(self._joined_and_left) < MAX_LISTED:
            same_change[member_id] = nick
        else:
            self._unlisted_counts[event.change] += 1

    def format(self) -> str:
        """Return the summary text: joins, leaves, members with both, nickname changes.

        The parts are separated by ` · `; without events, the text is empty.
        """
        more_joined, more_left = (
            self._unlisted_counts[MembershipChange.JOINED],
            self._unlisted_counts[MembershipChange.LEFT],
        )
        parts = [
            chat_strings.joined(list(self._joined.values()), more_joined) if self._joined or more_joined else "",
            chat_strings.left(list(self._left.values()), more_left) if self._left or more_left else "",
            chat_strings.joined_and_left(list(self._joined_and_left.values())) if self._joined_and_left else "",
            *(chat_strings.renamed(old, new) for old, new in self._renamed),
        ]
        return " · ".join(part for part in parts if part)
