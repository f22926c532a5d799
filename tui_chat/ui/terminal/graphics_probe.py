"""Measurement of the graphics of the terminal.

- Method: the probe requests the name (XTVERSION), the size of a cell (XTWINOPS 16) and the device attributes (DA1) of
  the terminal. Every terminal answers the last request, so the probe needs no timeout.
- Kitty graphics with Unicode placeholders have no request of their own. The name of the terminal decides.
- A multiplexer answers for itself. tmux reports the name of its terminal on the command line (`query_tmux`).

Sources: xterm "Control Sequences"; DA1 attribute 4 (Sixel), DEC VT330/VT340 Programmer Reference Manual.
"""

import asyncio
import re
from dataclasses import dataclass

from msgspec.structs import replace
from textual.events import Event

from tui_chat.ui.terminal.graphics import CellSize, TerminalGraphics
from tui_chat.ui.terminal.input_framer import InputFrame, InputFrameKind

CELL_SIZE_REQUEST = "\x1b[16t"

GRAPHICS_REQUEST = f"\x1b[>0q{CELL_SIZE_REQUEST}\x1b[c"
"""Output of the probe. The answers change nothing on the screen."""

_NAME = re.compile(r"\x1bP>\|([ -~]{1,100})\x1b\\")
_CELL_SIZE = re.compile(r"\x1b\[6;(\d{1,3});(\d{1,3})t")
_ATTRIBUTES = re.compile(r"\x1b\[\?([\d;]+)c")
_SIXEL_ATTRIBUTE = "4"

_TMUX_COMMAND = (
    "tmux",
    "display-message",
    "-p",
    "#{client_termname} #{client_termtype}\n#{allow-passthrough}",
)
_PASSTHROUGH = {"on", "all", "1", "2"}  # tmux 3.3 prints numbers
_TMUX_TIMEOUT = 3.0  # seconds


@dataclass
class GraphicsMeasured(Event):
    """Graphics of the terminal by its answers to the probe."""

    graphics: TerminalGraphics


class GraphicsProbe:
    """Answers of the terminal to `GRAPHICS_REQUEST` and later to `CELL_SIZE_REQUEST`, without I/O."""

    def __init__(self) -> None:
        self._graphics = TerminalGraphics()
        self._is_complete = False

    def feed(self, frame: InputFrame) -> TerminalGraphics | None:
        """Return the graphics with the answer to the last request, and with each later size of a cell; otherwise None.

        An unanswered request leaves its default in `TerminalGraphics`. A size of 0 pixels counts as unknown.
        """
        if frame.kind not in {InputFrameKind.SEQUENCE, InputFrameKind.STRING}:
            return None
        if name := _NAME.fullmatch(frame.text):
            self._graphics = replace(self._graphics, name=name[1])
        elif size := _CELL_SIZE.fullmatch(frame.text):
            height, width = int(size[1]), int(size[2])
            cell_size = CellSize(width, height) if width and height else None
            self._graphics = replace(self._graphics, cell_size=cell_size)
            return self._graphics if self._is_complete else None
        elif attributes := _ATTRIBUTES.fullmatch(frame.text):
            self._graphics = replace(self._graphics, has_sixel=_SIXEL_ATTRIBUTE in attributes[1].split(";"))
            self._is_complete = True
            return self._graphics
        return None


async def query_tmux() -> str:
    """Return the name of the terminal around tmux; empty if tmux passes no graphics to the terminal.

    Empty also if tmux does not start or does not answer within `_TMUX_TIMEOUT` seconds.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_TMUX_COMMAND,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(_TMUX_TIMEOUT):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    name, _, passthrough = output.decode(errors="replace").strip().partition("\n")
    return name if passthrough in _PASSTHROUGH else ""
