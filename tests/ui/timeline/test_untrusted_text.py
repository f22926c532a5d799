"""What a person writes stays on the rows of that message, and is text and nothing else."""

import re
from collections.abc import Callable
from functools import lru_cache

import pyte
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from textual.strip import Strip
from wcwidth import wcwidth

from tests.support.timeline_app import TimelineApp, make_message
from tui_chat.session.lines import DeliveryState, Line, MessageLine, NoticeLine
from tui_chat.ui.timeline.decoration import Decoration
from tui_chat.ui.timeline.layout import TimelineGeometry, layout_line
from tui_chat.ui.timeline.line_renderer import LineRenderer, TimelineStyles
from tui_chat.ui.timeline.strings import TimelineStrings
from tui_chat.ui.timeline.styles import build_styles

NASTY = [
    "\x1b[2J",
    "\x1b]52;c;aGFjaw==\x07",
    "\x1b]8;;http://evil.example\x1b\\",
    "\x1b[10;10H",
    "\x9b31m",
    "\x07",
    "\x08",
    "\r",
    "\u2028",
    "\u202e",
    "\u2066",
    "[bold red]",
    "[@click=app.quit]x[/]",
    "\ud800",
    "\U0001f1e8\U0001f1f3",
    "👩\u200d💻",
    "❤\ufe0f",
    "\u0301\u0301",
    "a" + "\u0301" * 40,
    "\u200b",
    "\xad",
    "漢字",
    "https://example.org/\x1b]8;;x",
    "https://例え.jp/漢;id=1",
    "\t",
    "\n",
    " ",
    "word",
]
texts = st.text(max_size=60) | st.lists(st.sampled_from(NASTY) | st.text(max_size=6), max_size=20).map("".join)
WIDTHS = st.integers(1, 25) | st.sampled_from([45, 59, 60, 80, 200])
SGR_OR_LINK = re.compile("\x1b\\[[0-9;]*m|\x1b\\]8;id=[0-9-]+;[!-~]*\x1b\\\\|\x1b\\]8;;\x1b\\\\")


@lru_cache(1)
def styles() -> TimelineStyles:
    """Plain styles: these tests are about what is written, not in which colour."""
    plain = Style.parse("white on black")
    return TimelineStyles(
        **{name: plain for name in TimelineStyles.__slots__ if name != "nick_style"}, nick_style=lambda nick: plain
    )


def strips(line: Line, width: int) -> list[Strip]:
    geometry = TimelineGeometry.for_width(width)
    words = TimelineStrings()
    layout = layout_line(line, Decoration(time="09:41"), geometry, words)
    painter = LineRenderer(geometry, styles(), words)
    return [painter.render_row(layout, row, 0, False, (1, 3)) for row in range(len(layout.rows))]


def message(text: str, nick: str, problem: str) -> Line:
    return MessageLine("k", 1, 0, nick, "m", False, text, DeliveryState.FAILED, problem, edited=True, is_mention=True)


def notice(text: str, nick: str, problem: str) -> Line:
    return NoticeLine("k", 0, f"{text}{nick}{problem}")


@pytest.mark.parametrize("make", [message, notice])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, texts, texts, WIDTHS)
def test_no_control_sequence_but_ours_is_written(
    make: Callable[[str, str, str], Line], text: str, nick: str, problem: str, width: int
):
    console = Console(color_system="truecolor", force_terminal=True)
    for strip in strips(make(text, nick, problem), width):
        written = SGR_OR_LINK.sub("", strip.render(console))
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", written)


@pytest.mark.parametrize("make", [message, notice])
@given(texts, texts, texts, WIDTHS)
def test_every_row_is_as_wide_as_the_timeline_whoever_counts(
    make: Callable[[str, str, str], Line], text: str, nick: str, problem: str, width: int
):
    for strip in strips(make(text, nick, problem), width):
        assert strip.cell_length == width == cell_len(strip.text) == sum(map(wcwidth, strip.text))


class Screen(pyte.Screen):
    """pyte, but for its habit of dropping the rest of a run after a mark that NFC does not know."""

    def draw(self, data: str) -> None:
        super().draw("".join(character for character in data if wcwidth(character) > 0))


@pytest.mark.parametrize("make", [message, notice])
@settings(deadline=None)
@given(texts, texts, texts, WIDTHS)
def test_on_a_terminal_a_row_ends_where_it_should(
    make: Callable[[str, str, str], Line], text: str, nick: str, problem: str, width: int
):
    console = Console(color_system="truecolor", force_terminal=True)
    rows = strips(make(text, nick, problem), width)
    terminal = Screen(width + 2, len(rows))
    stream = pyte.Stream(terminal)
    for number, strip in enumerate(rows, 1):
        stream.feed(f"\x1b[{number};1H│{strip.render(console)}│")
    for row in range(len(rows)):
        assert terminal.buffer[row][0].data == terminal.buffer[row][width + 1].data == "│"


def on_a_terminal(app: TimelineApp) -> list[str]:
    """The rows of a terminal to which the whole screen was written."""
    terminal = Screen(app.size.width, app.size.height)
    compositor = app.screen._compositor  # pyright: ignore[reportPrivateUsage] - the only way to the bytes of a screen
    update = compositor.render_full_update()
    pyte.Stream(terminal).feed(update.render_segments(app.console))
    return list(terminal.display)


@pytest.mark.parametrize("size", [(80, 20), (50, 20)])
async def test_cells_outside_a_message_are_the_same_whatever_it_says(size: tuple[int, int]):
    app = TimelineApp([make_message(1), make_message(2, "plain"), make_message(3)])
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        timeline = app.timeline
        plain = on_a_terminal(app)
        assert plain[0].startswith("above")
        for text in [*NASTY, "".join(NASTY), *(f"a{nasty}b" for nasty in NASTY), "漢" * 99, "\u200b" * 99]:
            timeline.set_lines([make_message(1), make_message(2, text, nick=f"bob{text}"), make_message(3)])
            await pilot.pause()
            shown = on_a_terminal(app)
            assert shown[0] == plain[0]
            assert [row[-12:] for row in shown] == [row[-12:] for row in plain]
            assert shown[-1] == plain[-1]


async def test_the_real_styles_write_nothing_else_either():
    app = TimelineApp([make_message(1, "".join(NASTY), nick="".join(NASTY))])
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        assert build_styles(app.timeline)
        for y in range(app.timeline.size.height):
            written = SGR_OR_LINK.sub("", app.timeline.render_line(y).render(app.console))
            assert "\x1b" not in written
            assert "\x9b" not in written


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("see https://example.org/a_(b) now", "https://example.org/a_(b)"),
        ("(https://example.org/x).", "https://example.org/x"),
        ("https://例え.jp/漢", "https://xn--r8jz45g.jp/%E6%BC%A2"),
        ("看https://example.org/x，好", "https://example.org/x"),
        ("mailto:a@example.org!", "mailto:a@example.org"),
        ("HTTPS://EXAMPLE.ORG", "HTTPS://EXAMPLE.ORG"),
    ],
)
def test_addresses_end_where_the_sentence_goes_on(text: str, url: str):
    layout = layout_line(make_message(1, text), Decoration(), TimelineGeometry.for_width(80), TimelineStrings())
    assert [link.url for link in layout.links] == [url]


@pytest.mark.parametrize("text", ["javascript:alert(1)", "file:///etc/passwd", "https://", "mailto:", "http:/x", "a:b"])
def test_other_schemes_are_no_links(text: str):
    assert not layout_line(make_message(1, text), Decoration(), TimelineGeometry.for_width(80), TimelineStrings()).links


def test_a_wrapped_address_is_one_link():
    ids = {
        (segment.style.link, segment.style.link_id)
        for strip in strips(make_message(1, "https://example.org/" + "x" * 200), 80)
        for segment in strip
        if segment.style is not None and segment.style.link
    }
    assert len(ids) == 1
