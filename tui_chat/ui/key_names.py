"""The names of keys: as people write them, as Textual has them, as they are shown."""

import unicodedata
from functools import cache

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")

_WRITTEN = {
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "bksp": "backspace",
    "spacebar": "space",
    "control": "ctrl",
    "option": "alt",
    "←": "left",
    "→": "right",
    "↑": "up",
    "↓": "down",
}
_SHOWN = {
    "backslash": "\\",
    "underscore": "_",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "Esc",
    "ctrl": "Ctrl",
    "delete": "Del",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


def shown(key: str) -> str:
    """A key as a person knows it: `ctrl+j` is `Ctrl+J`; a letter alone stays, since `g` and `G` are two keys."""
    if len(key) == 1:
        return key
    return "+".join(_SHOWN.get(part, part.upper() if len(part) == 1 else part.capitalize()) for part in key.split("+"))


def named(written: str) -> str:
    """Textual's name of a key that a person wrote, empty when there is no such key.

    Case does not matter but for a letter that stands alone (`G`); `Ctrl+\\` and `PgDn` are
    understood as the help shows them.
    """
    text = written.strip()
    if text == "+" or text.endswith("++"):
        *before, last = (*text[:-2].split("+"), "+")
    else:
        *before, last = text.split("+")
    modifiers = [_WRITTEN.get(part.strip().casefold(), part.strip().casefold()) for part in before if part.strip()]
    if any(part not in MODIFIERS for part in modifiers) or len(set(modifiers)) != len(modifiers):
        return ""
    base = _base(last.strip() or last, alone=not modifiers)
    ordered = [part for part in MODIFIERS if part in modifiers]
    return "+".join((*ordered, base)) if base else ""


def is_text(key: str) -> bool:
    """Whether the key writes something where one can write."""
    return key == "space" or ("+" not in key and _character_of(key) is not None)


def _base(name: str, alone: bool) -> str:
    if len(name) == 1:
        return _of_character(name if alone else name.lower())
    folded = name.casefold()
    folded = _WRITTEN.get(folded, folded)
    return folded if folded in _bases() or _character_of(folded) is not None else ""


def _of_character(character: str) -> str:
    if character.isalnum():
        return character
    if character in _WRITTEN:
        return _WRITTEN[character]
    name = unicodedata.name(character, "").lower().replace(" ", "_").replace("-", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _character_of(key: str) -> str | None:
    if len(key) == 1:
        return key
    name = next((long for long, short in KEY_NAME_REPLACEMENTS.items() if short == key), key)
    try:
        return unicodedata.lookup(name.replace("_", " ")) if name not in _bases() else None
    except KeyError:
        return None


@cache
def _bases() -> frozenset[str]:
    """The keys that write nothing: `f1`, `enter`, `pageup`, …"""
    return frozenset(base for key in Keys if len(base := key.value.rpartition("+")[2]) > 1 and "<" not in base)
