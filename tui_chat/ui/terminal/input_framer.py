"""Framing of terminal input: keys, escape sequences and bracketed pastes, independent of the boundaries of reads.

- Paste: after the start marker only the end marker counts. A paste without an end closes after `PASTE_TIMEOUT`.
- Pauses: a sequence may pause for `SEQUENCE_TIMEOUT`. A prefix that is also a key, such as ESC, becomes that key after
  the escape delay. The rest of such a sequence is recognized later, and typed if it is no sequence.
- Terminal answers: OSC, DCS, APC, PM and SOS strings contain no keys.
- Liveness: a control character ends an incomplete control sequence or string, and is a key of its own. Directly after
  ESC, a control character completes the sequence; BEL completes a string.
- Encoding: an invalid UTF-8 byte becomes U+FFFD. An incomplete character waits for its next byte, without a timeout.

Sources: ECMA-48, sections 5.4 to 5.6; xterm "Control Sequences", "Bracketed Paste Mode" and "Mouse Tracking".
"""

import codecs
import re
from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from tui_chat.ui.terminal.escape_sequences import ESC

PASTE_START = "\x1b[200~"
PASTE_END = "\x1b[201~"

# Seconds without input after which an incomplete paste or sequence ends.
PASTE_TIMEOUT = 1.0
SEQUENCE_TIMEOUT = 1.0


class InputFrameKind(Enum):
    """Kind of a frame."""

    TEXT = auto()  # characters outside of sequences, control characters included
    SEQUENCE = auto()  # complete escape sequence, or a prefix of a sequence that is a key
    STRING = auto()  # complete OSC, DCS, APC, PM or SOS string
    PASTE = auto()  # content of a bracketed paste


class InputFrame(NamedTuple):
    """Part of the input, without the markers of a paste."""

    kind: InputFrameKind
    text: str


class _State(Enum):
    GROUND = auto()
    ESCAPE = auto()  # after ESC
    CSI_ENTRY = auto()  # after ESC [
    CSI = auto()  # after a parameter or intermediate character
    LAST_CHARACTER = auto()  # before the only character after ESC O or ESC [ [
    MOUSE = auto()  # in the three characters of an X10 mouse report
    STRING = auto()  # in an OSC, DCS, APC, PM or SOS string
    STRING_ESCAPE = auto()  # after ESC in a string
    PASTE = auto()
    COMPLETE = auto()


_GRAPHIC = [chr(code) for code in range(0x20, 0x7F)]
_FINAL = [character for character in _GRAPHIC if character >= "@"]
_PARAMETER_OR_INTERMEDIATE = [character for character in _GRAPHIC if character < "@"]
_STRING_INTRODUCERS = "P]X^_"


def _row(*entries: tuple[Iterable[str], _State]) -> dict[str, _State]:
    return {character: state for characters, state in entries for character in characters}


# Next state by state and character; a later entry of a row replaces an earlier one. `_OTHER_CHARACTERS` has the next
# state for characters beyond ASCII. Any other character ends the sequence and starts the next frame.
_TRANSITIONS = {
    _State.ESCAPE: _row(
        ((chr(code) for code in range(0x80) if chr(code) != ESC), _State.COMPLETE),
        ("[", _State.CSI_ENTRY),
        ("O", _State.LAST_CHARACTER),  # SS3
        (_STRING_INTRODUCERS, _State.STRING),
    ),
    _State.CSI_ENTRY: _row(
        (_FINAL, _State.COMPLETE),
        (_PARAMETER_OR_INTERMEDIATE, _State.CSI),
        ("[", _State.LAST_CHARACTER),  # function keys of the Linux console
        ("M", _State.MOUSE),
    ),
    _State.CSI: _row((_FINAL, _State.COMPLETE), (_PARAMETER_OR_INTERMEDIATE, _State.CSI)),
    _State.LAST_CHARACTER: _row((_GRAPHIC, _State.COMPLETE)),
    _State.MOUSE: _row((_GRAPHIC, _State.MOUSE)),
    _State.STRING: _row((_GRAPHIC, _State.STRING), ("\a", _State.COMPLETE), (ESC, _State.STRING_ESCAPE)),
    _State.STRING_ESCAPE: _row(("\\", _State.COMPLETE)),
}
_OTHER_CHARACTERS = {
    _State.ESCAPE: _State.COMPLETE,  # Alt with a character beyond ASCII
    _State.MOUSE: _State.MOUSE,
    _State.STRING: _State.STRING,
}

_MOUSE_REPORT_LENGTH = len("\x1b[Mbxy")
_RXVT_KEY = re.compile(r"\x1b\[\d+\$")  # Shift with an editing key in rxvt; `$` is an intermediate in ECMA-48

KEY_PREFIXES = frozenset({ESC, *(ESC + character for character in f"O{_STRING_INTRODUCERS}")})

# After a timeout typed text may follow, so only the usual forms of keys, markers and answers continue a sequence:
# characters by the sequence so far, and complete control sequences.
_LATE_CHARACTERS = {
    "\x1b": "[]P_",
    "\x1b[": "0123456789<>?",
    "\x1bO": "",
    "\x1bP": "01>!",
    "\x1bX": "",
    "\x1b]": "0123456789",
    "\x1b^": "",
    "\x1b_": "G",
}
_LATE_CSI = re.compile(r"\x1b\[(?:[<>?][\d;:]*\$?[A-Za-z]|\d+(?:[;:]\d+)+\$?[A-Za-z~]|\d+~)")

_PARTIAL_END_MARKER = re.compile(r"\x1b(?:\[(?:2(?:0(?:1)?)?)?)?\Z")


class InputFramer:
    """Incremental framing of terminal input, without I/O.

    Call `feed` with each read, and `expire` when no input has arrived until `deadline`.

    Args:
        escape_delay: Seconds after which a prefix of a sequence counts as a key.

    Attributes:
        deadline: Monotonic time in seconds at which incomplete input ends. None for complete input, for an incomplete
            UTF-8 character, and for a sequence that a timeout has ended.
    """

    def __init__(self, escape_delay: float) -> None:
        self.deadline: float | None = None
        self._escape_delay = escape_delay
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._state = _State.GROUND
        self._sequence = ""  # characters of the incomplete sequence, from ESC
        self._expired_length = 0  # number of leading characters of the sequence that a timeout has ended
        self._paste_parts: list[str] = []  # of the incomplete paste; joined at its end, because a paste has many reads
        self._paste_tail = ""  # last characters of the paste, which may start its end marker
        self._frames: list[InputFrame] = []  # completed by the current call

    def feed(self, data: bytes, now: float) -> list[InputFrame]:
        """Return the frames that `data` completes, and set `deadline`; characters outside of sequences are complete.

        `now` is the monotonic time in seconds.
        """
        self._frames = []
        text, position = self._decode(data), 0
        while position < len(text):
            position = self._advance(text, position)
        timeout = self._timeout()
        self.deadline = None if timeout is None else now + timeout
        return self._frames

    def expire(self, now: float) -> list[InputFrame]:
        """Return the frames that a timeout ends: a paste, a key or typed characters; none before `deadline`.

        An incomplete control sequence stays for late characters, as does an incomplete end marker of a paste, which is
        not part of the paste. An incomplete string or mouse report is dropped.
        """
        if self.deadline is None or now < self.deadline:
            return []
        self.deadline, self._frames = None, []
        if self._state is _State.PASTE:
            content = "".join(self._paste_parts)
            partial = _PARTIAL_END_MARKER.search(content)
            self._end_paste(content[: partial.start()] if partial else content)
            if partial:
                for character in partial.group():
                    self._advance(character, 0)
        else:
            self._emit_incomplete()
        if len(self._sequence) <= len("\x1b[") or self._state is _State.CSI:
            self._expired_length = len(self._sequence)
        else:
            self._reset()
        return self._frames

    def _advance(self, text: str, position: int) -> int:
        """Consume text up to ESC, one character of a sequence, or a paste; return the position of the next character.

        A character that does not continue the sequence ends it, and is not consumed.
        """
        if self._state is _State.PASTE:
            return self._advance_paste(text, position)
        if self._state is _State.GROUND:
            escape = text.find(ESC, position)
            end = len(text) if escape < 0 else escape
            self._emit(InputFrameKind.TEXT, text[position:end])
            if escape >= 0:
                self._state, self._sequence = _State.ESCAPE, ESC
            return end + 1
        character = text[position]
        state = self._next_state(character)
        if state is None:
            self._emit_incomplete()
            in_string = self._state is _State.STRING_ESCAPE
            self._reset()
            if in_string:  # the ESC starts the next sequence
                self._state, self._sequence = _State.ESCAPE, ESC
            return position
        self._state = state
        self._sequence += character
        if state is _State.COMPLETE:
            self._complete_sequence()
        return position + 1

    def _next_state(self, character: str) -> _State | None:
        """Return the state after a character, None if the character does not continue the sequence.

        After a timeout, only the forms in `_LATE_CHARACTERS` and `_LATE_CSI` continue a sequence.
        """
        sequence = self._sequence + character
        if self._expired_length and character not in _LATE_CHARACTERS.get(self._sequence, character):
            return None
        state = _TRANSITIONS[self._state].get(character)
        if state is None and character > "\x7f":
            state = _OTHER_CHARACTERS.get(self._state)
        if (state is _State.MOUSE and len(sequence) == _MOUSE_REPORT_LENGTH) or _RXVT_KEY.fullmatch(sequence):
            return _State.COMPLETE
        if (
            self._expired_length
            and self._state is _State.CSI
            and state is _State.COMPLETE
            and not _LATE_CSI.fullmatch(sequence)
        ):
            return None
        return state

    def _advance_paste(self, text: str, position: int) -> int:
        """Consume the content of a paste, and return the position after the end marker, or the end of the text."""
        window, tail_length = self._paste_tail + text[position:], len(self._paste_tail)
        end = window.find(PASTE_END)
        self._paste_parts.append(text[position:])
        if end < 0:
            self._paste_tail = window[1 - len(PASTE_END) :]
            return len(text)
        content = "".join(self._paste_parts)
        self._end_paste(content[: len(content) - len(window) + end])
        return position + end + len(PASTE_END) - tail_length

    def _end_paste(self, content: str) -> None:
        """Emit the content of a paste, and return to the ground state."""
        self._emit(InputFrameKind.PASTE, content)
        self._paste_parts, self._paste_tail = [], ""
        self._reset()

    def _complete_sequence(self) -> None:
        """Emit the complete sequence, or begin a paste after its start marker."""
        sequence = self._sequence
        self._reset()
        if sequence == PASTE_START:
            self._state = _State.PASTE
        else:
            is_string = sequence[1] in _STRING_INTRODUCERS
            self._emit(InputFrameKind.STRING if is_string else InputFrameKind.SEQUENCE, sequence)

    def _emit_incomplete(self) -> None:
        """Emit a sequence of `KEY_PREFIXES` as a key, or only the characters after an earlier timeout as text.

        Any other incomplete sequence, such as `ESC [`, emits nothing. The state does not change; `expire` keeps a
        control sequence for late characters.
        """
        if self._expired_length:
            self._emit(InputFrameKind.TEXT, self._sequence[self._expired_length :])
        elif self._sequence in KEY_PREFIXES:
            self._emit(InputFrameKind.SEQUENCE, self._sequence)

    def _timeout(self) -> float | None:
        """Return the seconds until incomplete input ends; None without any, or if a timeout has ended the input."""
        if self._state is _State.PASTE:
            return PASTE_TIMEOUT
        if len(self._sequence) == self._expired_length:
            return None
        return self._escape_delay if self._sequence in KEY_PREFIXES else SEQUENCE_TIMEOUT

    def _emit(self, kind: InputFrameKind, text: str) -> None:
        if text:
            self._frames.append(InputFrame(kind, text))

    def _reset(self) -> None:
        self._state, self._sequence, self._expired_length = _State.GROUND, "", 0
