"""Conversion between Textual key names, user input and display names."""

import unicodedata

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

# Named keys of Textual, including some text keys such as `space`.
_SPECIAL_KEYS = frozenset(base for key in Keys if len(base := key.value.rpartition("+")[2]) > 1 and "<" not in base)

MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")

_INPUT_ALIASES = {
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
_DISPLAY_NAMES = {
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


def display_name(key: str) -> str:
    """Return the display name of a Textual key, such as `Ctrl+J` for `ctrl+j` or `Alt+?` for `alt+question_mark`.

    A single letter keeps its case, because `g` and `G` are different keys.
    """
    return key if len(key) == 1 else "+".join(map(_part_name, key.split("+")))


def _part_name(part: str) -> str:
    """Return the display name of a modifier, a named key or a character."""
    character = _character_for_key(part)
    if character is not None and character.isprintable():
        return character.upper()
    return _DISPLAY_NAMES.get(part, part.capitalize())


def parse_key(key_text: str) -> str:
    r"""Return the Textual name of a key in user notation (`ctrl+j` for `Ctrl+J`), empty if the key is unknown.

    Case is significant only for a single letter without modifiers (`G`). Display names such as `Ctrl+\` and `PgDn`,
    and aliases such as `esc`, are accepted. Modifiers are sorted; a repeated modifier makes the key unknown.
    """
    stripped = key_text.strip()
    if stripped == "+" or stripped.endswith("++"):
        *modifier_parts, base_part = (*stripped[:-2].split("+"), "+")
    else:
        *modifier_parts, base_part = stripped.split("+")
    modifiers = [
        _INPUT_ALIASES.get(part.strip().casefold(), part.strip().casefold()) for part in modifier_parts if part.strip()
    ]
    if any(part not in MODIFIERS for part in modifiers) or len(set(modifiers)) != len(modifiers):
        return ""
    base = _parse_base(base_part.strip() or base_part, case_sensitive=not modifiers)
    return "+".join((*(part for part in MODIFIERS if part in modifiers), base)) if base else ""


def is_text_key(key: str) -> bool:
    """Return whether the key inserts text into an input field. False for any key with a modifier."""
    return key == "space" or ("+" not in key and _character_for_key(key) is not None)


def _parse_base(name: str, case_sensitive: bool) -> str:
    """Return the Textual name of a key without modifiers, empty if unknown."""
    if len(name) == 1:
        return _key_for_character(name if case_sensitive else name.lower())
    folded = name.casefold()
    folded = _INPUT_ALIASES.get(folded, folded)
    return folded if folded in _SPECIAL_KEYS or _character_for_key(folded) is not None else ""


def _key_for_character(character: str) -> str:
    """Return the Textual name of a character key or arrow (`←`); empty for a character without a Unicode name."""
    if character.isalnum():
        return character
    if character in _INPUT_ALIASES:
        return _INPUT_ALIASES[character]
    name = unicodedata.name(character, "").lower().replace(" ", "_").replace("-", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _character_for_key(key: str) -> str | None:
    """Return the character of a Textual key name; None for a named key such as `pageup`, and an unknown name."""
    if len(key) == 1:
        return key
    name = next((long for long, short in KEY_NAME_REPLACEMENTS.items() if short == key), key)
    try:
        return unicodedata.lookup(name.replace("_", " ")) if name not in _SPECIAL_KEYS else None
    except KeyError:
        return None
