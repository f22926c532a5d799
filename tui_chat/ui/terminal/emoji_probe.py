"""Measurement of the width of emoji sequences in the terminal.

- Method: the probe prints one sequence after another at the start of a row and requests the position of the cursor
  (DSR 6, CPR, ECMA-48). The first screen overwrites the row without a wait for the answers.
- Result: the terminal supports emoji sequences if each of them advances the cursor by two columns.
- Without a complete answer there is no result.
"""

import re
from dataclasses import dataclass

from textual.events import Event

_SEQUENCES = ("\U0001f469\u200d\U0001f4bb", "\u2764\ufe0f", "\U0001f1e8\U0001f1f3", "\U0001f44d\U0001f3fd")
_ROW = 2  # a report of row 1 looks like a function key with modifiers
_EXPECTED_COLUMN = 3
_REPORT = re.compile(rf"\x1b\[{_ROW};(\d+)R")

PROBE = "".join(f"\x1b[{_ROW};1H\x1b[2K{sequence}\x1b[6n" for sequence in _SEQUENCES) + f"\x1b[{_ROW};1H\x1b[2K"
"""Output of the probe. The terminal must not show other text yet."""


@dataclass
class EmojiSequencesMeasured(Event):
    """Result of the emoji probe: whether the terminal draws each emoji sequence in two columns."""

    supported: bool


class EmojiProbe:
    """Answers of the terminal to one output of `PROBE`, without I/O."""

    def __init__(self) -> None:
        self._columns: list[int] = []

    def feed(self, sequence: str) -> bool | None:
        """Return whether the terminal supports emoji sequences, only with the last answer; otherwise None.

        Any control sequence other than a report of the cursor position is ignored.
        """
        report = _REPORT.fullmatch(sequence)
        if report is None or len(self._columns) == len(_SEQUENCES):
            return None
        self._columns.append(int(report[1]))
        if len(self._columns) < len(_SEQUENCES):
            return None
        return all(column == _EXPECTED_COLUMN for column in self._columns)
