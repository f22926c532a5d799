"""Encoding of images as Sixel, Kitty graphics and half blocks."""

import re
import zlib
from base64 import b64decode
from random import Random

from rich.console import Console
from rich.segment import Segment
from textual.strip import Strip

from tests.support.terminal_images import decode_sixel
from tui_chat.ui.images import kitty
from tui_chat.ui.images.pictures import GraphicStrip, RowGraphic, half_block_picture
from tui_chat.ui.images.sixel import encode_sixel_rows
from tui_chat.ui.terminal.escape_sequences import Multiplexer


def test_each_sixel_row_has_exactly_its_pixels() -> None:
    rng, width, row_height, rows = Random(1), 37, 20, 3
    palette = bytes(rng.randrange(256) for _ in range(768))
    indexes = bytes(rng.choice((0, 7, 255, rng.randrange(256))) for _ in range(width * row_height * rows))
    indexes = bytes(width * 7) + indexes[width * 7 :]  # long runs
    encoded = encode_sixel_rows(indexes, palette, width, row_height)
    assert len(encoded) == rows
    percents = [tuple(round(value * 100 / 255) for value in palette[start : start + 3]) for start in range(0, 768, 3)]
    for number, sequence in enumerate(encoded):
        start = number * width * row_height
        pixels = ((x, y) for y in range(row_height) for x in range(width))
        assert decode_sixel(sequence) == {
            pixel: percents[index] for pixel, index in zip(pixels, indexes[start:], strict=False)
        }


def test_a_kitty_upload_transfers_the_pixels_in_chunks_with_a_virtual_placement() -> None:
    rgb = Random(1).randbytes(3 * 80 * 60)
    sequences = kitty.upload_sequences(
        7 << 24 | 42, rgb, width=80, height=60, columns=8, rows=3, multiplexer=Multiplexer.NONE
    )
    matches = [re.fullmatch(r"\x1b_G([a-zA-Z0-9=,]+);([A-Za-z0-9+/=]{1,4096})\x1b\\", item) for item in sequences]
    keys = [dict(key.split("=") for key in match[1].split(",")) if match else {} for match in matches]
    assert len(keys) > 3
    assert keys[0] == {
        **{"a": "T", "U": "1", "q": "2", "f": "24", "o": "z", "t": "d", "i": str(7 << 24 | 42)},
        **{"s": "80", "v": "60", "c": "8", "r": "3", "m": "1"},
    }
    assert keys[1:] == [{"q": "2", "m": "1"}] * (len(keys) - 2) + [{"q": "2", "m": "0"}]
    assert zlib.decompress(b64decode("".join(match[2] for match in matches if match))) == rgb


def test_placeholders_encode_image_row_and_column_in_each_cell() -> None:
    first, second = kitty.placeholder_rows(2 << 24 | 42, 3, 2)
    # The example of kitty's documentation, with a diacritic for each number.
    assert first == "\x1b[38;5;42m" + "".join(f"\U0010eeee\u0305{c}\u030e" for c in "\u0305\u030d\u030e") + "\x1b[39m"
    assert second.count("\U0010eeee\u030d") == 3
    assert len(set(kitty.DIACRITICS)) == 297


def test_kitty_sequences_are_wrapped_for_tmux() -> None:
    plain, wrapped = (kitty.delete_sequence(300, multiplexer) for multiplexer in (Multiplexer.NONE, Multiplexer.TMUX))
    assert plain == "\x1b_Ga=d,d=I,i=300,q=2\x1b\\"
    assert wrapped == "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def test_half_blocks_have_the_colors_of_two_pixels() -> None:
    red, blue, white = b"\xff\0\0", b"\0\0\xff", b"\xff\xff\xff"
    (first, second) = half_block_picture(red * 2 + blue * 2 + red + white + blue * 2, 2).segments
    assert [(text, style and style.color and style.color.name, style and style.bgcolor and style.bgcolor.name)
            for text, style, _ in (*first, *second)] == [
        ("▀▀", "#ff0000", "#0000ff"), ("▀", "#ff0000", "#0000ff"), ("▀", "#ffffff", "#0000ff"),
    ]  # fmt: skip


def test_parts_of_a_row_keep_only_the_graphics_that_they_contain_completely() -> None:
    console = Console(color_system=None)
    strip = GraphicStrip(Strip([Segment("a" * 30)]), [RowGraphic(5, 10, "FIRST"), RowGraphic(16, 8, "SECOND")])
    assert strip.render(console) == "a" * 30 + "\x1b7\x1b[25DFIRST\x1b8" + "\x1b7\x1b[14DSECOND\x1b8"
    whole, scrollbar = strip.divide([29, 30])
    assert whole.render(console) == "a" * 29 + "\x1b7\x1b[24DFIRST\x1b8" + "\x1b7\x1b[13DSECOND\x1b8"
    assert scrollbar.render(console) == "a"
    covered, rest = strip.divide([10, 30])
    assert covered.render(console) == "a" * 10
    assert rest.render(console) == "a" * 20 + "\x1b7\x1b[14DSECOND\x1b8"
    assert strip.crop(0, 15).render(console) == "a" * 15 + "\x1b7\x1b[10DFIRST\x1b8"
    assert strip.crop(6, 20).render(console) == "a" * 14
