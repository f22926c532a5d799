"""What Tab makes of what stands before the caret.

Rule 1  At the start of the text, `/` and letters complete to a command.
Rule 2  Elsewhere a word completes to a nickname, those who spoke last first;
        after `/join ` or `#` to a room.
Rule 3  A nickname at the start of a line gets `: ` behind it, anything else a space.
Rule 4  Each further Tab shows the next candidate, Shift+Tab the one before, and
        after the last stands what was typed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tui_chat.session import commands


@dataclass(frozen=True, slots=True)
class Completion:
    """What was typed and what it may become.

    Attributes:
        start: Where in the text the typed part starts, in characters.
        typed: The part that was typed.
        candidates: What may stand there instead, best first.
        at: Which one stands there now; `len(candidates)` is what was typed.
    """

    start: int
    typed: str
    candidates: tuple[str, ...]
    at: int = 0

    @property
    def shown(self) -> str:
        """What stands there now."""
        return self.candidates[self.at] if self.at < len(self.candidates) else self.typed

    def turned(self, step: int) -> "Completion":
        """The next one (`step` 1) or the one before (-1)."""
        at = (self.at + step) % (len(self.candidates) + 1)
        return Completion(self.start, self.typed, self.candidates, at)


def complete(before: str, nicks: Sequence[str], rooms: Sequence[str]) -> Completion | None:
    """What the text before the caret may become, None when nothing fits.

    Args:
        before: The whole text before the caret.
        nicks: The nicknames in the room, those who spoke last first.
        rooms: The rooms that are known.
    """
    if before.startswith("/") and not before.startswith("//") and " " not in before:
        return _completion(0, before, [f"/{name} " for name in commands.named(before[1:])])
    line_start = before.rfind("\n") + 1
    if before.casefold().startswith(("/join ", "/part ")):
        start = before.index(" ") + 1
        return _completion(start, before[start:], [f"{room} " for room in _starting(before[start:], rooms)])
    start = max(line_start, before.rfind(" ") + 1, before.rfind("\t") + 1)
    typed = before[start:]
    if typed.startswith("#"):
        return _completion(start, typed, [f"#{room} " for room in _starting(typed[1:], rooms)])
    at = "@" if typed.startswith("@") else ""
    ending = ": " if start == line_start and not at else " "
    if not typed[len(at) :]:
        return None
    return _completion(start, typed, [f"{at}{nick}{ending}" for nick in _starting(typed[len(at) :], nicks)])


def _starting(typed: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if name.casefold().startswith(typed.casefold())]


def _completion(start: int, typed: str, candidates: list[str]) -> Completion | None:
    return Completion(start, typed, tuple(candidates)) if candidates else None
