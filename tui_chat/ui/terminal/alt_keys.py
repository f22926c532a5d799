"""Alt+key bindings for terminals that encode Alt as an ESC prefix.

- Alt+Enter: Textual decodes `ESC CR` as plain Enter, which would send the message instead of starting a new line.
- Alt+digit: Textual decodes `ESC 1` as the `¡` of a macOS keyboard. A terminal that means `¡` sends that character.
- Alt+letter: Textual recognizes `ESC s` only by a pause after it. On a slow connection, where more input follows
  immediately, `^s` would be inserted into the message.
- Private API: Textual offers no public hook, so `register_alt_keys` patches its table of sequences.
  `tests/ui/input/test_keys.py` fails if an upgrade moves that table.
"""

from string import ascii_lowercase, ascii_uppercase, punctuation
from types import SimpleNamespace

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

# Characters that start or end a longer sequence after ESC (7-bit C1 controls, ECMA-48).
_SEQUENCE_INTRODUCERS = frozenset("NOPX[\\]^_")


def register_alt_keys() -> None:
    """Add the Alt+key sequences to Textual's table for the whole process. Repeated calls have no effect.

    Alt with Enter and with the digits 1 to 9 replace entries of Textual; other existing entries remain. Alt with a
    punctuation character is decoded as this character.
    """
    # Textual reads only the `value` of the keys in the table, which are members of its `Keys` enum.
    table: dict[str, object] = ANSI_SEQUENCES_KEYS  # type: ignore[assignment]
    for characters, name in (("\r", "enter"), *((digit, digit) for digit in "123456789")):
        table[f"\x1b{characters}"] = (SimpleNamespace(value=f"alt+{name}"),)
    letters = {letter: letter for letter in ascii_lowercase}  # Textual already maps b and f to word movement
    letters |= {letter: f"shift+{letter.lower()}" for letter in ascii_uppercase if letter not in _SEQUENCE_INTRODUCERS}
    for characters, name in letters.items():
        table.setdefault(f"\x1b{characters}", (SimpleNamespace(value=f"alt+{name}"),))
    for symbol in set(punctuation) - _SEQUENCE_INTRODUCERS:
        table.setdefault(f"\x1b{symbol}", symbol)  # no binding uses it: decode the bare symbol
