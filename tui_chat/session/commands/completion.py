"""Tab completion of the text before the cursor.

- Commands: `/` and letters at the start of the text complete to a command name, its arguments by their
  `ArgumentKind`.
- Words: other words complete to nicknames, most recent speaker first; `#` completes rooms, `:` emoji.
- Word start: the start of a line, or a position after a space, punctuation or a script without spaces. The longest word
  with candidates counts, because nicknames may contain spaces.
- Suffix: `: ` after a nickname without `@` at the start of a line, none for a path and for a nickname after an opening
  bracket or quote, otherwise a space.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tui_chat.protocol.mentions import is_spaced_word_character, prevents_mention
from tui_chat.session import emoji_names
from tui_chat.session.commands import policy_parser, registry
from tui_chat.session.commands.path_completion import complete_path
from tui_chat.session.commands.registry import ArgumentKind
from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.settings.schema import DEFAULT_VALUE, ValueKind

MAX_EMOJI = 30
"""Maximum number of emoji candidates."""

MAX_WORD = 100
"""Maximum length of a completed word, in characters."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Completion candidate: replacement text with its suffix, and label for a list."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Completion:
    """Completion state of one word.

    Attributes:
        start: Offset of `typed` in the text, in characters.
        typed: Text to complete.
        candidates: Replacements for `typed`, best first.
        index: Index of the current candidate; `len(candidates)` selects `typed`.
    """

    start: int
    typed: str
    candidates: tuple[Candidate, ...]
    index: int = 0

    @property
    def current_text(self) -> str:
        """Current replacement of `typed`."""
        return self.candidates[self.index].text if self.index < len(self.candidates) else self.typed

    def cycle(self, step: int) -> "Completion":
        """Return the state whose current candidate is the next (`step` 1) or the previous (`step` -1) one.

        The typed text follows the last candidate, and precedes the first.
        """
        return replace(self, index=(self.index + step) % (len(self.candidates) + 1))


def complete(
    text_before: str, nicks: Sequence[str], rooms: Sequence[str], *, hidden_commands: Collection[str] = ()
) -> Completion | None:
    """Return the completion of the text before the cursor, None without candidates.

    The first candidate is current. Nicknames, rooms and fixed values match by prefix in any case, in the order of the
    arguments, at most `MAX_EMOJI` emoji as in `emoji_names.search`, and paths as in `complete_path`. A word starts
    within the last `MAX_WORD` characters of the line. An empty word has no candidates, except as a command argument
    other than an emoji; `#` alone has all rooms. The names in `hidden_commands` are no candidates.
    """
    if text_before.startswith("/") and not text_before.startswith("//"):
        name, blank, rest = text_before[1:].partition(" ")
        if not blank:
            names = [f"/{command_name}" for command_name in registry.complete(name, hidden_commands)]
            return _build_completion(text_before, text_before, _to_candidates(names))
        command = registry.find(name)
        if command is not None and command.arguments:
            # The last argument includes all remaining words.
            words = rest.split(" ", len(command.arguments) - 1)
            kind = command.arguments[len(words) - 1].kind
            if kind is not ArgumentKind.TEXT:
                candidates = _argument_candidates(kind, words, nicks, rooms)
                return _build_completion(text_before, words[-1], candidates)
    return _complete_word(text_before, nicks, rooms)


def nick_query(text_before: str) -> str:
    """Return the last word before the cursor, without `@`, for a request of unlisted members.

    A word is text between whitespace. Empty after whitespace, and for a word with a leading `/`, `#` or `:`.
    """
    words = text_before.split()
    query = words[-1].removeprefix("@") if words and text_before[-1:].strip() else ""
    return "" if query.startswith(("/", "#", ":")) else query


def _argument_candidates(
    kind: ArgumentKind, words: Sequence[str], nicks: Sequence[str], rooms: Sequence[str]
) -> list[Candidate]:
    """Return the candidates for the last of the typed arguments `words`, which has a kind other than `TEXT`."""
    if kind is ArgumentKind.EMOJI:
        return _emoji_candidates(words[-1])
    if kind is ArgumentKind.PATH:
        return [Candidate(path, path) for path in complete_path(words[-1])]
    fields = settings_schema.fields()
    options: dict[ArgumentKind, Iterable[str]] = {
        ArgumentKind.ROOM: rooms,
        ArgumentKind.NICK: nicks,
        ArgumentKind.THEME: fields["theme"].choices,
        ArgumentKind.SETTING: fields,
        ArgumentKind.VALUE: _setting_values(words[0]),
        ArgumentKind.LEVEL: (*fields["notify"].choices, DEFAULT_VALUE),
        ArgumentKind.POLICY_FIELD: policy_parser.FIELDS,
        ArgumentKind.POLICY_VALUE: policy_parser.FIELDS.get(policy_parser.find_field(words[0]) or "", ()),
    }
    return _to_candidates(_filter_by_prefix(words[-1], options[kind]))


def _setting_values(setting: str) -> Sequence[str]:
    field = settings_schema.fields().get(setting.casefold())
    if field is None:
        return ()
    return (*(("on", "off") if field.kind is ValueKind.BOOLEAN else field.choices), DEFAULT_VALUE)


def _complete_word(text_before: str, nicks: Sequence[str], rooms: Sequence[str]) -> Completion | None:
    line = text_before.rpartition("\n")[2]
    for start in _word_starts(line):
        if candidates := _word_candidates(line[:start], line[start:], nicks, rooms):
            return _build_completion(text_before, line[start:], candidates)
    return None


def _word_starts(line: str) -> Iterator[int]:
    """Yield the offsets at which the last word of a line may start, longest word first."""
    for start in range(max(0, len(line) - MAX_WORD), len(line)):
        character, before = line[start], line[:start]
        # The letters after an apostrophe belong to the word before, as in "don't".
        is_contraction = before.endswith(("'", "’")) and is_spaced_word_character(before[-2:-1])
        if not (character.isspace() or prevents_mention(before[-1:]) or before.endswith("#") or is_contraction):
            yield start


def _word_candidates(before: str, typed: str, nicks: Sequence[str], rooms: Sequence[str]) -> list[Candidate]:
    """Return the candidates for a word: rooms after `#`, emoji after `:` if any match, else nicknames with a suffix."""
    if typed.startswith("#"):
        return _to_candidates(f"#{room}" for room in _filter_by_prefix(typed[1:], rooms))
    if typed.startswith(":") and (emoji_candidates := _emoji_candidates(typed)):
        return emoji_candidates
    at_sign = "@" if typed.startswith("@") else ""
    is_quoted = before[-1:] in {'"', "'"} or unicodedata.category(before[-1:] or " ") in {"Ps", "Pi"}
    suffix = ": " if not before and not at_sign else "" if is_quoted else " "
    prefix = typed[len(at_sign) :]
    matches = _filter_by_prefix(prefix, nicks) if prefix else ()
    return [Candidate(f"{at_sign}{nick}{suffix}", nick) for nick in matches]


def _emoji_candidates(typed: str) -> list[Candidate]:
    name_prefix = typed.strip(":")
    matches = emoji_names.search(name_prefix, MAX_EMOJI) if name_prefix else ()
    return [Candidate(f"{emoji} ", f"{emoji} {name}") for name, emoji in matches]


def _to_candidates(names: Iterable[str]) -> list[Candidate]:
    return [Candidate(f"{name} ", name) for name in names]


def _filter_by_prefix(prefix: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.casefold().startswith(prefix.casefold())]


def _build_completion(text_before: str, typed: str, candidates: Sequence[Candidate]) -> Completion | None:
    return Completion(len(text_before) - len(typed), typed, tuple(candidates)) if candidates else None
