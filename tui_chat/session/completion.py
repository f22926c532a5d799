"""What Tab makes of what stands before the caret.

Rule 1  At the start of the text, `/` and letters complete to a command, and what follows a command to what its
        registry entry says that it takes.
Rule 2  Elsewhere a word completes to a nickname, those who spoke last first; after `#` to a room, after `:` to
        an emoji.
Rule 3  A nickname at the start of a line gets `: ` behind it, anything else a space.
Rule 4  Each further Tab shows the next candidate, Shift+Tab the one before, and after the last stands what was
        typed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui_chat.session import commands, emoji_names, settings
from tui_chat.session.commands import Command, Takes
from tui_chat.session.settings import Kind

EMOJI_MOST = 30
"""Emoji that are offered for one name."""

USUAL = "default"
"""The value that takes a setting back."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may stand there.

    Attributes:
        text: It, with what belongs behind it.
        label: What a list of candidates calls it.
    """

    text: str
    label: str


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
    candidates: tuple[Candidate, ...]
    at: int = 0

    @property
    def shown(self) -> str:
        """What stands there now."""
        return self.candidates[self.at].text if self.at < len(self.candidates) else self.typed

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
    if before.startswith("/") and not before.startswith("//"):
        name, blank, rest = before[1:].partition(" ")
        if not blank:
            return _made(0, before, _followed(f"/{each}" for each in commands.named(name)))
        command = commands.called(name)
        if command is not None and command.arguments:
            found = _argument(command, rest, nicks, rooms)
            if found is not None:
                start, typed, candidates = found
                return _made(len(before) - len(rest) + start, typed, candidates)
    return _word(before, nicks, rooms)


def _argument(
    command: Command, rest: str, nicks: Sequence[str], rooms: Sequence[str]
) -> tuple[int, str, list[Candidate]] | None:
    """Where in `rest` the argument begins that is being typed, it, and what it may become; None for any text."""
    words = rest.split(" ", len(command.arguments) - 1)
    argument, typed = command.arguments[len(words) - 1], words[-1]
    match argument.takes:
        case Takes.TEXT:
            return None
        case Takes.ROOM:
            names: Iterable[str] = rooms
        case Takes.NICK:
            names = nicks
        case Takes.EMOJI:
            return len(rest) - len(typed), typed, _emoji(typed.removeprefix(":"))
        case Takes.THEME:
            names = settings.fields()["theme"].choices
        case Takes.SETTING:
            names = settings.fields()
        case Takes.VALUE:
            names = _values(words[-2])
        case Takes.LEVEL:
            names = (*settings.fields()["notify"].choices, USUAL)
    return len(rest) - len(typed), typed, _followed(_starting(typed, names))


def _values(setting: str) -> Sequence[str]:
    field = settings.fields().get(setting.casefold())
    if field is None:
        return ()
    return (*(("on", "off") if field.kind is Kind.SWITCH else field.choices), USUAL)


def _word(before: str, nicks: Sequence[str], rooms: Sequence[str]) -> Completion | None:
    line_start = before.rfind("\n") + 1
    start = max(line_start, before.rfind(" ") + 1, before.rfind("\t") + 1)
    typed = before[start:]
    if typed.startswith("#"):
        return _made(start, typed, _followed(f"#{room}" for room in _starting(typed[1:], rooms)))
    if typed.startswith(":") and typed.strip(":"):
        return _made(start, typed, _emoji(typed.strip(":")))
    at = "@" if typed.startswith("@") else ""
    ending = ": " if start == line_start and not at else " "
    if not typed[len(at) :]:
        return None
    found = _starting(typed[len(at) :], nicks)
    return _made(start, typed, [Candidate(f"{at}{nick}{ending}", nick) for nick in found])


def _emoji(typed: str) -> list[Candidate]:
    found = emoji_names.starting(typed.strip(":"), EMOJI_MOST) if typed.strip(":") else []
    return [Candidate(f"{emoji} ", f"{emoji} {name}") for name, emoji in found]


def _followed(names: Iterable[str]) -> list[Candidate]:
    return [Candidate(f"{name} ", name) for name in names]


def _starting(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.casefold().startswith(typed.casefold())]


def _made(start: int, typed: str, candidates: list[Candidate]) -> Completion | None:
    return Completion(start, typed, tuple(candidates)) if candidates else None
