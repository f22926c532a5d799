"""Measured graphics, and the output of images that follows."""

import pytest

from tests.support.terminal_images import KITTY_ANSWERS, SIXEL_ANSWERS
from tui_chat.ui.terminal.escape_sequences import Multiplexer
from tui_chat.ui.terminal.graphics import CellSize, ImageProtocol, TerminalGraphics, choose_protocol
from tui_chat.ui.terminal.graphics_probe import GraphicsProbe
from tui_chat.ui.terminal.input_framer import InputFrame, InputFrameKind, InputFramer

CELL = CellSize(10, 20)


def measure(probe: GraphicsProbe, answers: str) -> list[TerminalGraphics]:
    """Return the results of a probe after answers of the terminal."""
    frames = InputFramer(0.1).feed(answers.encode(), 0.0)
    return [graphics for frame in frames if (graphics := probe.feed(frame)) is not None]


def test_the_device_attributes_end_the_measurement_and_cell_sizes_repeat_it() -> None:
    probe = GraphicsProbe()
    assert measure(probe, "\x1b[A\x1b[6;20;10t") == []
    assert measure(probe, "\x1bP>|kitty(0.35.2)\x1b\\ab") == []
    assert measure(probe, "\x1b[?62c") == [TerminalGraphics("kitty(0.35.2)", False, CELL)]
    assert measure(probe, "\x1b[6;40;20t") == [TerminalGraphics("kitty(0.35.2)", False, CellSize(20, 40))]
    assert measure(probe, "\x1b[6;0;0t") == [TerminalGraphics("kitty(0.35.2)", False, None)]
    assert measure(GraphicsProbe(), SIXEL_ANSWERS) == [TerminalGraphics("XTerm(390)", True, CELL)]
    assert measure(GraphicsProbe(), "\x1b[?64;14;44c") == [TerminalGraphics()]


@pytest.mark.parametrize("kind", [InputFrameKind.TEXT, InputFrameKind.PASTE])
def test_text_is_no_answer(kind: InputFrameKind) -> None:
    assert GraphicsProbe().feed(InputFrame(kind, "\x1b[?62;4c")) is None


def test_answers_are_no_keys() -> None:
    frames = InputFramer(0.1).feed(KITTY_ANSWERS.encode(), 0.0)
    assert {frame.kind for frame in frames} == {InputFrameKind.STRING, InputFrameKind.SEQUENCE}


@pytest.mark.parametrize(
    ("name", "has_sixel", "cell_size", "protocol"),
    [
        ("kitty(0.35.2)", False, CELL, ImageProtocol.KITTY),
        ("kitty(0.27.1)", False, CELL, ImageProtocol.BLOCKS),
        ("ghostty 1.1.3", False, None, ImageProtocol.KITTY),
        ("xterm-kitty ", False, None, ImageProtocol.KITTY),
        ("WezTerm 20240203", True, CELL, ImageProtocol.SIXEL),
        ("foot(1.16.2)", True, None, ImageProtocol.BLOCKS),
        ("", False, None, ImageProtocol.BLOCKS),
    ],
)
def test_terminal_setting_multiplexer_and_colors_select_the_output(
    name: str, has_sixel: bool, cell_size: CellSize | None, protocol: ImageProtocol
) -> None:
    def choose(setting: str = "auto", multiplexer: Multiplexer = Multiplexer.NONE, **colors: bool) -> ImageProtocol:
        colors = {"has_colors": True, "has_few_colors": False, **colors}
        return choose_protocol(setting, graphics, multiplexer, **colors)

    graphics = TerminalGraphics(name, has_sixel, cell_size)
    assert choose() is protocol
    assert choose("off") is ImageProtocol.NONE
    assert choose("sixel") is ImageProtocol.SIXEL
    assert choose("kitty", Multiplexer.TMUX) is ImageProtocol.KITTY
    assert choose("kitty", Multiplexer.SCREEN) is ImageProtocol.BLOCKS
    assert choose(has_few_colors=True) is (ImageProtocol.NONE if protocol is ImageProtocol.BLOCKS else protocol)
    assert choose("kitty", has_colors=False) is ImageProtocol.NONE
