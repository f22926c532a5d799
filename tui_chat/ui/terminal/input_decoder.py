"""Conversion of input frames to Textual messages, with Textual's parser.

- Completeness: the parser receives only complete sequences, so its state never depends on the timing of the input.
- Unknown sequences are ignored. Textual would insert their characters.
- Liveness: a sequence that the parser fails on is logged and ignored.
- Private API: Textual offers no public parser. The tests of this module fail if an upgrade changes the parser.
"""

import logging
import re
from collections.abc import Iterable

from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import FOCUSIN, XTermParser
from textual.events import Key, Paste
from textual.message import Message

from tui_chat.ui.terminal.escape_sequences import ESC
from tui_chat.ui.terminal.input_framer import KEY_PREFIXES, InputFrame, InputFrameKind

log = logging.getLogger("chat.ui")

_MAX_PARSED_LENGTH = 32  # the parser inserts the characters of a longer sequence
_KITTY_TEXT = re.compile(r"(\x1b\[\d*;\d*;)([\d:]+)u")
_NUMBERED_KEY = re.compile(r"\x1b\[(\d*)(?:;\d*)?~")


class InputDecoder:
    """Stateful decoder of the frames of one terminal.

    Args:
        debug: Log the input to the file of Textual's debug mode.
    """

    def __init__(self, debug: bool = False) -> None:
        self._debug = debug
        self._parser = XTermParser(debug)

    def decode(self, frame: InputFrame) -> list[Message]:
        """Return the messages of a frame, none if the frame has no meaning or the parser fails.

        A failure is logged, and later frames are decoded by a new parser.
        """
        try:
            return list(self._messages(frame))
        except Exception:
            log.warning("terminal input ignored: the parser failed", exc_info=True)
            broken, self._parser = self._parser, XTermParser(self._debug)
            self._parser.mouse_pixels = broken.mouse_pixels
            self._parser.terminal_size = broken.terminal_size
            self._parser.terminal_pixel_size = broken.terminal_pixel_size
            return []

    def _messages(self, frame: InputFrame) -> Iterable[Message]:
        """Return the messages of a frame, none for a string."""
        if frame.kind is InputFrameKind.PASTE:
            return [Paste(frame.text)]
        if frame.kind is InputFrameKind.STRING:
            return []
        if frame.kind is InputFrameKind.TEXT:
            return self._parser.feed(frame.text)
        if kitty_text := _KITTY_TEXT.fullmatch(frame.text):
            # One sequence per character, because an input method sends any number of characters.
            prefix, codes = kitty_text.groups()
            return [message for code in codes.split(":") for message in self._parse(f"{prefix}{code}u")]
        return self._parse(frame.text)

    def _parse(self, sequence: str) -> list[Message]:
        """Return the messages of one sequence: Escape, those of the parser, an Alt key, or none for an unknown one."""
        if sequence == ESC:
            return [Key("escape", ESC)]
        messages: list[Message] = []
        if sequence not in KEY_PREFIXES and len(sequence) <= _MAX_PARSED_LENGTH:
            messages = list(self._parser.feed(sequence))
        if not messages:
            for _ in self._parser.feed(FOCUSIN):  # end an unknown sequence; the parser has no other reset
                pass
            return self._parse_alt_key(sequence[1]) if len(sequence) == 2 else []
        numbered = _NUMBERED_KEY.fullmatch(sequence)
        if numbered and f"{numbered[1]}~" not in FUNCTIONAL_KEYS:
            return []  # the parser takes the number of an unknown key for a character code
        return messages

    def _parse_alt_key(self, character: str) -> list[Message]:
        """Return the key of ESC and a character that Textual's table does not contain: Alt with the character.

        A control character is decoded without Alt; a backslash (ST) gives no key.
        """
        keys = [message for message in self._parser.feed(character) if isinstance(message, Key)]
        if character < " ":
            return list(keys)
        if character == "\\":  # string terminator
            return []
        return [Key(f"alt+shift+{key.key.lower()}" if key.key.isupper() else f"alt+{key.key}", None) for key in keys]
