"""Standard input of `chat-tui send` as text.

- Decoding: in the encoding of standard input. One warning reports input that is not text.
- Removal: byte order marks, terminal escape sequences and all final line breaks.
"""

import codecs
import os
import sys
from collections.abc import AsyncGenerator, Callable
from functools import partial
from io import BufferedReader, FileIO

from tui_chat.command_line import print_error
from tui_chat.input_thread import read_in_thread
from tui_chat.protocol.sanitize import remove_escape_sequences
from tui_chat.session.i18n import tr
from tui_chat.standard_streams import write_error

MAX_LINE_BYTES = 65_536
"""Read limit for one message in bytes, above the size of any valid message without escape sequences."""


class UnreadableInput(Exception):
    """Failed read of standard input or of a file; the text is for the user."""


class InputReader:
    """Reader of standard input; the constructor prints a hint on a terminal."""

    def __init__(self) -> None:
        # `sys.stdin.buffer` would block the exit of the interpreter while the thread waits in a read.
        self._stream = BufferedReader(FileIO(0, closefd=False))
        self._has_warned = False
        if sys.stdin.isatty() and os.isatty(2):
            write_error(tr("Type a message; Ctrl+D sends it."))

    async def read_text(self) -> str:
        """Return the complete input in cleaned form, or a part that exceeds the length limit of a message.

        Raises:
            UnreadableInput: The stream cannot be read.
        """
        data = await _read(partial(self._stream.read, MAX_LINE_BYTES + 1))
        return self._decode(data, is_cut=len(data) > MAX_LINE_BYTES)

    async def read_lines(self) -> AsyncGenerator[str]:
        """Yield each line as soon as it is complete, in cleaned form; the last one may lack a line break.

        Blank lines are included. An overlong line is cut, but still exceeds the length limit of a message.

        Raises:
            UnreadableInput: The stream cannot be read.
        """
        read_chunk = partial(self._stream.readline, MAX_LINE_BYTES)
        while chunk := await _read(read_chunk):
            first_chunk, is_cut = chunk, False
            while not chunk.endswith(b"\n") and len(chunk) == MAX_LINE_BYTES:
                chunk = await _read(read_chunk)
                is_cut = is_cut or chunk != b""
            yield self._decode(first_chunk, is_cut=is_cut)

    def _decode(self, data: bytes, *, is_cut: bool) -> str:
        """Return input in cleaned form; warn once per reader of undecodable bytes and null characters.

        The escape sequences of cut input remain, so that the part exceeds the length limit and is rejected.
        """
        data = data.removeprefix(codecs.BOM_UTF8)
        encoding = sys.stdin.encoding
        text = data.decode(encoding, errors="replace")
        is_binary = ("\ufffd" in text and text.encode(encoding, errors="replace") != data) or "\0" in text
        if is_binary and not self._has_warned:
            self._has_warned = True
            print_error(
                tr("warning: the input is not {encoding} text; invalid characters are replaced", encoding=encoding)
            )
        return text if is_cut else clean_text(text)


def clean_text(text: str) -> str:
    """Return a text without terminal escape sequences and without any final line breaks."""
    return remove_escape_sequences(text).rstrip("\r\n")


async def _read(read: Callable[[], bytes]) -> bytes:
    """Return the result of a blocking read; raise `UnreadableInput` if the stream cannot be read."""
    try:
        return await read_in_thread(read)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableInput(tr("cannot read standard input: {reason}", reason=reason)) from None
