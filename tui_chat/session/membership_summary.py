"""Comings and goings as one line: a storm of joins must not push the talk away."""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from tui_chat.session.strings import chat as chat_strings

MAX_LISTED = 1_000
"""People of one line whose comings and goings are told apart; the others are counted."""

MAX_RENAMES = 3
"""New nicknames that one line tells, the last ones."""


class MembershipChange(Enum):
    """What somebody did."""

    JOINED = "in"
    LEFT = "out"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class MembershipEvent:
    """One thing that one member did.

    Attributes:
        nick: The nickname, the new one after a renaming.
        old_nick: The nickname before a renaming, empty otherwise.
        more: How many others did the same, in a storm of which nobody is told one by one.
    """

    change: MembershipChange
    member_id: str
    nick: str
    old_nick: str = ""
    unlisted_count: int = 0


class MembershipSummary:
    """Those that stand in one line."""

    def __init__(self) -> None:
        self._joined: dict[str, str] = {}
        self._left: dict[str, str] = {}
        self._joined_and_left: dict[str, str] = {}
        self._renamed: deque[tuple[str, str]] = deque(maxlen=MAX_RENAMES)
        self._unlisted_counts = {MembershipChange.JOINED: 0, MembershipChange.LEFT: 0, MembershipChange.RENAMED: 0}

    def add(self, event: MembershipEvent) -> None:
        """One more thing that happened."""
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
        """One line that says them all: who came, who left, who did both, who has a new name."""
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
