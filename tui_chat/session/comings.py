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
    """

    went: Went
    member_id: str
    nick: str
    old_nick: str = ""


def told(comings: tuple[Coming, ...]) -> str:
    """One line that says them all: who came, who left, who did both, who has a new name."""
    came: dict[str, str] = {}
    left: dict[str, str] = {}
    both: dict[str, str] = {}
    renamed: list[str] = []
    for coming in comings:
        who, nick = coming.member_id, coming.nick
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
        words.came(list(came.values())) if came else "",
        words.went(list(left.values())) if left else "",
        words.came_and_went(list(both.values())) if both else "",
        *renamed[-3:],
    ]
    return " · ".join(part for part in parts if part)
