"""Encoding of pixels in Sixel, one graphic per text row.

- Rows: each graphic has the height of a text row, so that each visible row of an image is drawn alone.
- Colors: a graphic defines the registers that it uses. Pixels outside of all layers stay unchanged.

Source: DEC VT330/VT340 Programmer Reference Manual, volume 2, chapter 14.
"""

import re
from functools import lru_cache

from tui_chat.ui.terminal.escape_sequences import ESC, STRING_TERMINATOR

_BAND_HEIGHT = 6
_LONG_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)
_TO_CHARACTERS = bytes((value & 63) + 63 for value in range(256))


def encode_sixel_rows(indexes: bytes, palette: bytes, width: int, row_height: int) -> tuple[str, ...]:
    """Return one Sixel sequence per text row of `width` × `row_height` pixels.

    Args:
        indexes: Palette index of each pixel, row by row.
        palette: Red, green and blue of each color, from 0 to 255.
        width: Width in pixels.
        row_height: Height of a text row in pixels, a divisor of the height.
    """
    row_bytes = width * row_height
    return tuple(
        _encode_graphic(indexes[start : start + row_bytes], palette, width, row_height)
        for start in range(0, len(indexes), row_bytes)
    )


def _encode_graphic(indexes: bytes, palette: bytes, width: int, height: int) -> str:
    """Return the Sixel sequence of a graphic with the registers of its colors."""
    colors = sorted(set(indexes))
    registers = "".join("#{};2;{};{};{}".format(color, *_to_percent(palette, color)) for color in colors)
    bands = (
        _encode_band([indexes[y * width : (y + 1) * width] for y in range(top, min(top + _BAND_HEIGHT, height))])
        for top in range(0, height, _BAND_HEIGHT)
    )
    return f'{ESC}P0;1;0q"1;1;{width};{height}{registers}{"-".join(bands)}{STRING_TERMINATOR}'


def _encode_band(rows: list[bytes]) -> str:
    """Return the Sixel data of up to six pixel rows, color by color, with run-length encoding."""
    layers: list[str] = []
    for color in sorted(set(b"".join(rows))):
        # The bits of all columns are combined as one large integer, because a loop over the pixels is slow.
        table, bits = _mask_table(color), 0
        for position, row in enumerate(rows):
            bits |= int.from_bytes(row.translate(table)) << position
        characters = bits.to_bytes(len(rows[0])).translate(_TO_CHARACTERS).rstrip(b"?")
        layers.append(f"#{color}{_LONG_RUN.sub(_compress_run, characters).decode('ascii')}")
    return "$".join(layers)


@lru_cache(256)
def _mask_table(color: int) -> bytes:
    return bytes(index == color for index in range(256))


def _compress_run(match: re.Match[bytes]) -> bytes:
    return b"!%d%b" % (len(match[0]), match[1])


def _to_percent(palette: bytes, color: int) -> list[int]:
    return [round(value * 100 / 255) for value in palette[3 * color : 3 * color + 3]]
