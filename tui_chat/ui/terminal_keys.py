"""Alt with Enter and with digits, in terminals that send Escape before the key.

Textual reads `ESC CR` as a plain Enter, which would send a message where a new
line was wanted, and `ESC 1` as the `¡` of a macOS keyboard, although a terminal
that means the character sends the character. Textual has no public place for
this, so its table of sequences is told (tests/ui/test_terminal_keys.py fails when
an upgrade moves it).
"""

from enum import Enum

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS


class AltKey(Enum):
    """Keys by the name that bindings use."""

    ENTER = "alt+enter"
    ONE = "alt+1"
    TWO = "alt+2"
    THREE = "alt+3"
    FOUR = "alt+4"
    FIVE = "alt+5"
    SIX = "alt+6"
    SEVEN = "alt+7"
    EIGHT = "alt+8"
    NINE = "alt+9"


def teach() -> None:
    """Make Textual know these keys, for the whole process; repeating it changes nothing."""
    table: dict[str, object] = ANSI_SEQUENCES_KEYS  # type: ignore[assignment]
    for key in AltKey:
        name = key.value.removeprefix("alt+")
        table["\x1b" + ("\r" if name == "enter" else name)] = (key,)
