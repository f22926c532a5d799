"""Images in terminals: a terminal with graphics, and parsers of the Kitty graphics protocol and of Sixel."""

import re
import zlib
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server.app import RunningServer
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until

KITTY_ANSWERS = "\x1bP>|kitty(0.35.2)\x1b\\\x1b[6;20;10t\x1b[?62c"
SIXEL_ANSWERS = "\x1bP>|XTerm(390)\x1b\\\x1b[6;20;10t\x1b[?63;1;4;22c"
NO_GRAPHICS_ANSWER = "\x1b[?62c"
"""Answers of terminals to the requests of the graphics probe."""

PLACEHOLDER = "\U0010eeee"
"""Character of the cells of a Kitty image."""

_PROBE = b"\x1b[>0q\x1b[16t\x1b[c"
_KITTY_COMMAND = re.compile(rb"\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\")
_SIXEL = re.compile(r'\x1bP0;1;0q"1;1;(\d+);(\d+)([!-~]*)\x1b\\')
_SIXEL_TOKEN = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])")

Percent = tuple[int, ...]


@dataclass
class KittyImage:
    """Image in the memory of a terminal.

    Attributes:
        keys: Keys of the transfer.
        rgb: Red, green and blue of each pixel.
    """

    keys: dict[str, str]
    rgb: bytes


@dataclass
class KittyImages:
    """Images of a terminal after its complete output.

    Attributes:
        images: Present images by id.
        upload_count: Number of transferred images.
    """

    images: dict[int, KittyImage] = field(default_factory=dict[int, KittyImage])
    upload_count: int = 0

    @classmethod
    def parse(cls, output: bytes) -> "KittyImages":
        """Return the images after an output; raise `AssertionError` for an invalid command."""
        result, keys, payload = cls(), dict[str, str](), b""
        for match in _KITTY_COMMAND.finditer(output):
            command = dict(key.split("=") for key in match[1].decode().split(","))
            assert command["q"] == "2", command
            if command.get("a") == "d":
                assert command["d"] == "I", command
                result.images.pop(int(command["i"]), None)
                continue
            keys = keys or command
            payload += match[2]
            if command["m"] == "0":
                rgb = zlib.decompress(b64decode(payload))
                assert len(rgb) == 3 * int(keys["s"]) * int(keys["v"]), keys
                result.images[int(keys["i"])] = KittyImage(keys, rgb)
                result.upload_count += 1
                keys, payload = {}, b""
        return result


def decode_sixel(sequence: str) -> dict[tuple[int, int], Percent]:
    """Return the colors of the pixels of a Sixel graphic, in percent by column and row."""
    match = _SIXEL.fullmatch(sequence)
    assert match is not None, sequence
    registers: dict[int, Percent] = {}
    pixels: dict[tuple[int, int], Percent] = {}
    color, x, top = 0, 0, 0
    tokens = list(_SIXEL_TOKEN.finditer(match[3]))
    assert "".join(token[0] for token in tokens) == match[3], sequence
    for token in tokens:
        if token[1] is not None:
            registers[int(token[1])] = tuple(map(int, token.group(2, 3, 4)))
        elif token[5] is not None:
            color = int(token[5])
        elif token[9] is not None:
            x, top = 0, top + 6 * (token[9] == "-")
        else:
            bits, end = ord(token[7] or token[8]) - 63, x + int(token[6] or 1)
            for row in (top + bit for bit in range(6) if bits >> bit & 1):
                pixels |= {(column, row): registers[color] for column in range(x, end)}
            x = end
    return pixels


def find_sixels(output: bytes | bytearray) -> list[str]:
    """Return the Sixel graphics of an output in order."""
    return [match[0] for match in _SIXEL.finditer(output.decode(errors="replace"))]


def is_close(pixel: bytes, color: tuple[int, int, int]) -> bool:
    """Return whether a pixel of a lossy preview has a color."""
    return max(abs(a - b) for a, b in zip(pixel, color, strict=True)) < 8


@asynccontextmanager
async def chat_terminal(
    server: RunningServer, home: Path, answers: str, *options: str, nick: str = "ann", **environ: str
) -> AsyncGenerator[PtyTerminal]:
    """Start the client in a terminal that answers the requests of the graphics probe."""
    command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", nick, *options)
    async with terminal(command, home, columns=80, rows=30, environ=environ) as tty:
        await wait_until(lambda: _PROBE in tty.written)
        tty.write_keys(answers)
        yield tty
