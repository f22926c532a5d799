"""Rendering of untrusted text: no control sequences, no cells outside the message."""

import re
from collections.abc import Callable
from functools import cache

import pyte
import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from textual.strip import Strip
from wcwidth import wcwidth

from tests.support.pyte_screen import PyteScreen
from tests.support.timeline_app import TimelineApp, make_message
from tui_chat.session.lines import DeliveryState, Line, MessageLine, NoticeLine
from tui_chat.ui.timeline.decoration import Decoration
from tui_chat.ui.timeline.layout import TimelineGeometry, layout_line
from tui_chat.ui.timeline.line_renderer import LineRenderer
from tui_chat.ui.timeline.styles import TimelineStyles

HOSTILE_TEXTS = [
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
TEXTS = st.text(max_size=60) | st.lists(st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=6), max_size=20).map("".join)
WIDTHS = st.integers(1, 25) | st.sampled_from([45, 59, 60, 80, 200])
SGR_OR_LINK = re.compile("\x1b\\[[0-9;]*m|\x1b\\]8;id=[0-9-]+;[!-~]*\x1b\\\\|\x1b\\]8;;\x1b\\\\")
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@cache
def plain_styles() -> TimelineStyles:
    """Return one style for all parts; colors are not under test."""
    plain = Style.parse("white on black")
    return TimelineStyles(
        **{name: plain for name in TimelineStyles.__slots__ if name != "nick_style"}, nick_style=lambda nick: plain
    )


def render_strips(line: Line, width: int) -> list[Strip]:
    geometry = TimelineGeometry.for_width(width)
    layout = layout_line(line, Decoration(time="09:41"), geometry)
    renderer = LineRenderer(geometry, plain_styles())
    return [renderer.render_row(layout, row, 0, False, (1, 3)) for row in range(len(layout.rows))]


def message(text: str, nick: str, problem: str) -> Line:
    return MessageLine("k", 1, 0, nick, "m", False, text, DeliveryState.FAILED, problem, edited=True, is_mention=True)


def notice(text: str, nick: str, problem: str) -> Line:
    return NoticeLine("k", 0, f"{text}{nick}{problem}")


@pytest.mark.parametrize("make_line", [message, notice])
@given(TEXTS, TEXTS, TEXTS, WIDTHS)
def test_only_known_control_sequences_are_written(
    make_line: Callable[[str, str, str], Line], text: str, nick: str, problem: str, width: int
):
    console = Console(color_system="truecolor", force_terminal=True)
    for strip in render_strips(make_line(text, nick, problem), width):
        written = SGR_OR_LINK.sub("", strip.render(console))
        assert not CONTROL_CHARACTERS.search(written)


@pytest.mark.parametrize("make_line", [message, notice])
@given(TEXTS, TEXTS, TEXTS, WIDTHS)
def test_every_row_has_the_timeline_width_in_rich_and_in_wcwidth(
    make_line: Callable[[str, str, str], Line], text: str, nick: str, problem: str, width: int
):
    for strip in render_strips(make_line(text, nick, problem), width):
        assert strip.cell_length == width == cell_len(strip.text) == sum(map(wcwidth, strip.text))


@pytest.mark.parametrize("make_line", [message, notice])
@given(TEXTS, TEXTS, TEXTS, WIDTHS)
def test_rows_end_at_the_timeline_width_on_a_terminal(
    make_line: Callable[[str, str, str], Line], text: str, nick: str, problem: str, width: int
):
    console = Console(color_system="truecolor", force_terminal=True)
    rows = render_strips(make_line(text, nick, problem), width)
    terminal = PyteScreen(width + 2, len(rows))
    stream = pyte.Stream(terminal)
    for number, strip in enumerate(rows, 1):
        stream.feed(f"\x1b[{number};1H│{strip.render(console)}│")
    for row in range(len(rows)):
        assert terminal.buffer[row][0].data == terminal.buffer[row][width + 1].data == "│"


def terminal_rows(app: TimelineApp) -> list[str]:
    """Return the rows of a terminal after a full screen update."""
    terminal = PyteScreen(app.size.width, app.size.height)
    compositor = app.screen._compositor  # pyright: ignore[reportPrivateUsage] - no public access to a full update
    update = compositor.render_full_update()
    pyte.Stream(terminal).feed(update.render_segments(app.console))
    return list(terminal.display)


@pytest.mark.parametrize("size", [(80, 20), (50, 20)])
async def test_cells_outside_a_message_do_not_depend_on_its_text(size: tuple[int, int]):
    app = TimelineApp([make_message(1), make_message(2, "plain"), make_message(3)])
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        timeline = app.timeline
        expected_rows = terminal_rows(app)
        assert expected_rows[0].startswith("above")
        for text in [
            *HOSTILE_TEXTS,
            "".join(HOSTILE_TEXTS),
            *(f"a{hostile_text}b" for hostile_text in HOSTILE_TEXTS),
            "漢" * 99,
            "\u200b" * 99,
        ]:
            timeline.set_lines([make_message(1), make_message(2, text, nick=f"bob{text}"), make_message(3)])
            await pilot.pause()
            rows = terminal_rows(app)
            assert rows[0] == expected_rows[0]
            assert [row[-12:] for row in rows] == [row[-12:] for row in expected_rows]
            assert rows[-1] == expected_rows[-1]


async def test_theme_styles_write_only_known_control_sequences():
    app = TimelineApp([make_message(1, "".join(HOSTILE_TEXTS), nick="".join(HOSTILE_TEXTS))])
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        for y in range(app.timeline.size.height):
            written = SGR_OR_LINK.sub("", app.timeline.render_line(y).render(app.console))
            assert not CONTROL_CHARACTERS.search(written)


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
def test_links_have_encoded_urls_without_the_punctuation_of_the_sentence(text: str, url: str):
    layout = layout_line(make_message(1, text), Decoration(), TimelineGeometry.for_width(80))
    assert [link.url for link in layout.links] == [url]


@pytest.mark.parametrize("text", ["javascript:alert(1)", "file:///etc/passwd", "https://", "mailto:", "http:/x", "a:b"])
def test_unsupported_schemes_are_not_links(text: str):
    assert not layout_line(make_message(1, text), Decoration(), TimelineGeometry.for_width(80)).links


def test_a_wrapped_url_is_one_link():
    ids = {
        (segment.style.link, segment.style.link_id)
        for strip in render_strips(make_message(1, "https://example.org/" + "x" * 200), 80)
        for segment in strip
        if segment.style is not None and segment.style.link
    }
    assert len(ids) == 1
