"""Graphics of the terminal, and the choice of the output of images."""

import re
from enum import Enum

from msgspec import Struct

from tui_chat.ui.terminal.escape_sequences import Multiplexer

_PLACEHOLDER_TERMINALS = re.compile(r"ghostty|kitty(?:\((\d+)\.(\d+))?", re.IGNORECASE)
_FIRST_KITTY_WITH_PLACEHOLDERS = (0, 28)


class CellSize(Struct, frozen=True):
    """Size of a cell in pixels."""

    width: int
    height: int


DEFAULT_CELL_SIZE = CellSize(10, 20)
"""Size of a cell of the VT340, for terminals that do not report the size."""


class ImageProtocol(Enum):
    """Output of images. The value is the value of the `images` setting."""

    NONE = "off"
    KITTY = "kitty"
    SIXEL = "sixel"
    BLOCKS = "blocks"


class TerminalGraphics(Struct, frozen=True):
    """Graphics of a terminal.

    Attributes:
        name: Name and version of the terminal, empty if unknown.
        has_sixel: The terminal draws Sixel.
        cell_size: Size of a cell, None if unknown.
    """

    name: str = ""
    has_sixel: bool = False
    cell_size: CellSize | None = None


def choose_protocol(
    setting: str, graphics: TerminalGraphics, multiplexer: Multiplexer, *, has_colors: bool, has_few_colors: bool
) -> ImageProtocol:
    """Return the output of images.

    `auto` selects Kitty for a terminal with Unicode placeholders, then Sixel if the size of a cell is known, then half
    blocks. Any other setting applies without a check of the terminal, except `kitty` in GNU screen: half blocks.

    Args:
        setting: Value of the `images` setting.
        graphics: Graphics of the terminal; inside tmux, the name is that of the terminal around tmux.
        multiplexer: Multiplexer between the app and the terminal. GNU screen passes no Kitty graphics.
        has_colors: False if the user disabled colors (`NO_COLOR`), which also disables images.
        has_few_colors: True for at most 16 colors, which are not sufficient for half blocks of `auto`.
    """
    if not has_colors:
        return ImageProtocol.NONE
    in_gnu_screen = multiplexer is Multiplexer.SCREEN
    if setting != "auto":
        protocol = ImageProtocol(setting)
        return ImageProtocol.BLOCKS if in_gnu_screen and protocol is ImageProtocol.KITTY else protocol
    if not in_gnu_screen and _has_placeholders(graphics.name):
        return ImageProtocol.KITTY
    if graphics.has_sixel and graphics.cell_size is not None:
        return ImageProtocol.SIXEL
    return ImageProtocol.NONE if has_few_colors else ImageProtocol.BLOCKS


def _has_placeholders(name: str) -> bool:
    """Return whether a terminal draws Kitty graphics at Unicode placeholders: Ghostty, and kitty from 0.28 on.

    A kitty without a version in its name counts as new.
    """
    match = _PLACEHOLDER_TERMINALS.search(name)
    if match is None:
        return False
    return match[1] is None or (int(match[1]), int(match[2])) >= _FIRST_KITTY_WITH_PLACEHOLDERS
