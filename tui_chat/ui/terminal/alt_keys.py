"""Alt with another key, in terminals that send Escape before the key.

Textual reads `ESC CR` as a plain Enter, which would send a message where a new
line was wanted, and `ESC 1` as the `¡` of a macOS keyboard, although a terminal
that means the character sends the character. It knows `ESC s` only by the pause
behind it: when more comes at once, as over a slow line, `^s` and what follows
would stand in the message. Textual has no public place for this, so its table of
sequences is told (tests/ui/input/test_keys.py fails when an upgrade moves it).
"""

from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, punctuation

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

_SEQUENCE_INTRODUCERS = frozenset("NOPX[\\]^_")
"""What begins or ends a longer sequence behind an Escape (ECMA-48, the C1 controls that terminals send)."""


@dataclass(frozen=True, slots=True)
class AltKey:
    """A key by the name that bindings use; Textual's own are an enumeration with the same attribute.

    Attributes:
        value: The name.
    """

    value: str


def register_alt_keys() -> None:
    """Make Textual know these keys, for the whole process; repeating it changes nothing."""
    table: dict[str, object] = ANSI_SEQUENCES_KEYS  # type: ignore[assignment]
    for characters, name in (("\r", "enter"), *((digit, digit) for digit in "123456789")):
        table[f"\x1b{characters}"] = (AltKey(f"alt+{name}"),)
    letters = {letter: letter for letter in ascii_lowercase}  # but b and f, which Textual has as keys of words
    letters |= {letter: f"shift+{letter.lower()}" for letter in ascii_uppercase if letter not in _SEQUENCE_INTRODUCERS}
    for characters, name in letters.items():
        table.setdefault(f"\x1b{characters}", (AltKey(f"alt+{name}"),))
    for symbol in set(punctuation) - _SEQUENCE_INTRODUCERS:
        table.setdefault(f"\x1b{symbol}", symbol)  # no key here, and as it is read when it comes alone
