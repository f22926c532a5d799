"""Sequences of the Kitty graphics protocol with Unicode placeholders.

- Placement: the terminal draws an image over the placeholder characters of a virtual placement. Placeholders scroll and
  are covered like other text, even in tmux.
- Image ids: the low byte is the 256-color foreground of the placeholders, the high byte their third diacritic. The
  other bytes are 0, so that terminals and multiplexers with 256 colors preserve the id.
- Responses: `q=2` suppresses the responses of the terminal.

Source: kitty, "Terminal graphics protocol", sections "Unicode placeholders" and "Transferring pixel data".
"""

import zlib
from base64 import b64encode
from collections.abc import Iterator

from tui_chat.ui.terminal.escape_sequences import ESC, STRING_TERMINATOR, Multiplexer, wrap_for_multiplexer

FIRST_LOW_BYTE, LAST_LOW_BYTE = 16, 255
"""Low bytes of image ids, without the 16 colors that terminals redefine."""

_PLACEHOLDER = "\U0010eeee"
_MAX_PAYLOAD = 4096  # characters of Base64 per sequence

# First and last code points, in hexadecimal, of the ranges of kitty's rowcolumn-diacritics.txt.
_DIACRITIC_RANGES = (
    "305 30D-30E 310 312 33D-33F 346 34A-34C 350-352 357 35B 363-36F 483-487 592-595 597-599 59C-5A1 5A8-5A9 "
    "5AB-5AC 5AF 5C4 610-617 657-65B 65D-65E 6D6-6DC 6DF-6E2 6E4 6E7-6E8 6EB-6EC 730 732-733 735-736 73A 73D "
    "73F-741 743 745 747 749-74A 7EB-7F1 7F3 816-819 81B-823 825-827 829-82D 951 953-954 F82-F83 F86-F87 135D-135F "
    "17DD 193A 1A17 1A75-1A7C 1B6B 1B6D-1B73 1CD0-1CD2 1CDA-1CDB 1CE0 1DC0-1DC1 1DC3-1DC9 1DCB-1DCC 1DD1-1DE6 1DFE "
    "20D0-20D1 20D4-20D7 20DB-20DC 20E1 20E7 20E9 20F0 2CEF-2CF1 2DE0-2DFF A66F A67C-A67D A6F0-A6F1 A8E0-A8F1 AAB0 "
    "AAB2-AAB3 AAB7-AAB8 AABE-AABF AAC1 FE20-FE26 10A0F 10A38 1D185-1D189 1D1AA-1D1AD 1D242-1D244"
)


def _parse_ranges(ranges: str) -> Iterator[str]:
    """Yield the characters of ranges such as `30D-30E 310`."""
    for text in ranges.split():
        first, _, last = text.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))


DIACRITICS = tuple(_parse_ranges(_DIACRITIC_RANGES))
"""Diacritic of each row, column or high byte of an image id."""


def upload_sequences(
    image_id: int, rgb: bytes, *, width: int, height: int, columns: int, rows: int, multiplexer: Multiplexer
) -> list[str]:
    """Return the sequences that transfer an image and create its virtual placement.

    The image has `width` × `height` pixels, row by row in `rgb`, and `columns` × `rows` cells.
    """
    payload = b64encode(zlib.compress(rgb)).decode("ascii")
    keys = f"a=T,U=1,q=2,f=24,o=z,t=d,i={image_id},s={width},v={height},c={columns},r={rows},"
    sequences: list[str] = []
    for start in range(0, len(payload), _MAX_PAYLOAD):
        has_more = int(start + _MAX_PAYLOAD < len(payload))
        chunk = payload[start : start + _MAX_PAYLOAD]
        sequences.append(_wrap(f"{keys if not start else 'q=2,'}m={has_more};{chunk}", multiplexer))
    return sequences


def end_upload_sequence(multiplexer: Multiplexer) -> str:
    """Return the sequence that ends an incomplete upload."""
    return _wrap("q=2,m=0;", multiplexer)


def delete_sequence(image_id: int, multiplexer: Multiplexer) -> str:
    """Return the sequence that deletes an image, its data and its placement."""
    return _wrap(f"a=d,d=I,i={image_id},q=2", multiplexer)


def placeholder_rows(image_id: int, columns: int, rows: int) -> tuple[str, ...]:
    """Return the placeholders of an image, one string per row, each with `columns` cells and the color of the image id.

    `columns` and `rows` are at most `len(DIACRITICS)`.
    """
    high_byte = DIACRITICS[image_id >> 24]
    return tuple(
        f"{ESC}[38;5;{image_id & 255}m"
        + "".join(f"{_PLACEHOLDER}{DIACRITICS[row]}{DIACRITICS[column]}{high_byte}" for column in range(columns))
        + f"{ESC}[39m"
        for row in range(rows)
    )


def _wrap(content: str, multiplexer: Multiplexer) -> str:
    return wrap_for_multiplexer(f"{ESC}_G{content}{STRING_TERMINATOR}", multiplexer)
