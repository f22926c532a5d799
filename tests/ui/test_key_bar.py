"""The last line of the screen: which keys it has, where, and how wide the terminal is."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.runtime import RunningServer
from tests.support.chat_app import chat_app, in_room
from tests.support.serving import serving
from tui_chat.ui.widgets.key_bar import KeyBar


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with serving(tmp_path, rate_limit="off") as running:
        yield running


@pytest.mark.parametrize("width", [20, 40, 48, 80, 120])
async def test_help_stands_first_and_the_way_out_last(width: int, server: RunningServer, tmp_path: Path) -> None:
    async with chat_app(tmp_path / "form", size=(width + 2, 24)) as person:
        shown = person.row_of(person.form.query_one(KeyBar))
        assert shown.startswith("F1 help")
        assert shown.endswith("Ctrl+Q quit")
    async with in_room(tmp_path, server.url, "ann", size=(width + 2, 24)) as ann:
        shown = ann.row_of(ann.chat.key_bar)
        assert shown.startswith("F1 help")
        assert shown.endswith("Ctrl+Q quit")


async def test_what_does_not_fit_gives_way_whole(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", size=(200, 24)) as ann:
        whole = set(ann.row_of(ann.chat.key_bar).split("  "))
        for width in range(12, 120, 7):
            await ann.pilot.resize_terminal(width, 24)
            await ann.until(lambda width=width: ann.chat.key_bar.size.width <= width)
            assert set(filter(None, ann.row_of(ann.chat.key_bar).split("  "))) <= whole


async def test_a_picked_message_has_its_keys_in_the_footer(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("hello")
        await ann.sees("hello")
        await ann.press("ctrl+s")
        shown = ann.row_of(ann.chat.key_bar)
        assert shown.startswith("F1 help")
        assert "r reply" in shown
        assert shown.endswith("Esc back")
        await ann.press("escape")
        await ann.until(lambda: "Enter send" in ann.row_of(ann.chat.key_bar))


async def test_searching_what_was_sent_has_its_keys_in_the_footer(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("hello")
        await ann.press("ctrl+r")
        await ann.until(lambda: "Ctrl+R older" in ann.row_of(ann.chat.key_bar))
        await ann.press("escape")
        await ann.until(lambda: "Enter send" in ann.row_of(ann.chat.key_bar))


async def test_a_click_does_what_the_key_does_there(server: RunningServer, tmp_path: Path) -> None:
    async def click(person_word: str) -> None:
        at = ann.row_of(ann.chat.key_bar).index(person_word) + 1
        await ann.pilot.click(KeyBar, offset=(at, 0))
        await ann.pilot.pause()

    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.type("hello")
        await click("send")
        await ann.until(lambda: ann.composer.text == "" and "hello" in ann.screen())
        await ann.press("ctrl+s")
        assert ann.timeline.cursor_key is not None
        await click("reply")
        assert ann.timeline.cursor_key is None
        assert ann.chat.session.current_room is not None
        assert ann.chat.session.current_room.compose_mode is not None


async def test_what_was_done_is_not_shown_as_what_is_wrong(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("hello")
        await ann.sees("hello")

        def color() -> object:
            strip = ann.chat.status.render_line(0)
            return next(segment.style.color for segment in strip if segment.text.strip() and segment.style)

        await ann.say("/nosuch")
        await ann.until(lambda: "nosuch" in ann.row_of(ann.chat.status))
        wrong = color()
        ann.composer.set_text("")
        await ann.press("ctrl+s", "y")
        await ann.until(lambda: ann.row_of(ann.chat.status) == "Copied.")
        assert color() != wrong
        await ann.type("typing")
        await ann.until(lambda: ann.row_of(ann.chat.status) == "")


async def test_what_to_do_about_a_wrong_command_is_readable_in_80_columns(
    server: RunningServer, tmp_path: Path
) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("/invite bob")
        await ann.sees("No command /invite. //invite says it, /help lists all.")
        ann.composer.set_text("")
        await ann.press("ctrl+backslash")
        await ann.sees("search the commands")
