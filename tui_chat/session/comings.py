"""Comings and goings as one line: a storm of joins must not push the talk away."""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from tui_chat.session import words

LISTED_MAX = 1_000
"""People of one line whose comings and goings are told apart; the others are counted."""

RENAMED_MAX = 3
"""New nicknames that one line tells, the last ones."""


class Went(Enum):
    """What somebody did."""

    IN = "in"
    OUT = "out"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that one member did.

    Attributes:
        nick: The nickname, the new one after a renaming.
        old_nick: The nickname before a renaming, empty otherwise.
        more: How many others did the same, in a storm of which nobody is told one by one.
    """

    went: Went
    member_id: str
    nick: str
    old_nick: str = ""
    more: int = 0


class Comings:
    """Those that stand in one line."""

    def __init__(self) -> None:
        self._came: dict[str, str] = {}
        self._left: dict[str, str] = {}
        self._both: dict[str, str] = {}
        self._renamed: deque[tuple[str, str]] = deque(maxlen=RENAMED_MAX)
        self._more = {Went.IN: 0, Went.OUT: 0, Went.RENAMED: 0}

    def add(self, coming: Coming) -> None:
        """One more thing that happened."""
        who, nick = coming.member_id, coming.nick
        self._more[coming.went] += coming.more
        if coming.went is Went.RENAMED:
            self._renamed.append((coming.old_nick, nick))
            return
        here, there = (self._came, self._left) if coming.went is Went.IN else (self._left, self._came)
        if who in there or who in self._both:
            there.pop(who, None)
            self._both[who] = nick
        elif who in here or len(self._came) + len(self._left) + len(self._both) < LISTED_MAX:
            here[who] = nick
        else:
            self._more[coming.went] += 1

    def told(self) -> str:
        """One line that says them all: who came, who left, who did both, who has a new name."""
        more_came, more_left = self._more[Went.IN], self._more[Went.OUT]
        parts = [
            words.came(list(self._came.values()), more_came) if self._came or more_came else "",
            words.went(list(self._left.values()), more_left) if self._left or more_left else "",
            words.came_and_went(list(self._both.values())) if self._both else "",
            *(words.renamed(old, new) for old, new in self._renamed),
        ]
        return " · ".join(part for part in parts if part)
