"""Comings and goings as one line: a storm of joins must not push the talk away."""

from dataclasses import dataclass
from enum import Enum

from tui_chat.session import words


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


def told(comings: tuple[Coming, ...]) -> str:
    """One line that says them all: who came, who left, who did both, who has a new name."""
    came: dict[str, str] = {}
    left: dict[str, str] = {}
    both: dict[str, str] = {}
    renamed: list[str] = []
    more = {Went.IN: 0, Went.OUT: 0, Went.RENAMED: 0}
    for coming in comings:
        who, nick = coming.member_id, coming.nick
        more[coming.went] += coming.more
        if coming.went is Went.RENAMED:
            renamed.append(words.renamed(coming.old_nick, nick))
        elif coming.went is Went.IN:
            if who in left or who in both:
                left.pop(who, None)
                both[who] = nick
            else:
                came[who] = nick
        elif who in came or who in both:
            came.pop(who, None)
            both[who] = nick
        else:
            left[who] = nick
    parts = [
        words.came(list(came.values()), more[Went.IN]) if came or more[Went.IN] else "",
        words.went(list(left.values()), more[Went.OUT]) if left or more[Went.OUT] else "",
        words.came_and_went(list(both.values())) if both else "",
        *renamed[-3:],
    ]
    return " · ".join(part for part in parts if part)
