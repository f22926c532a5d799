"""The last line of the screen: which keys it has, where, and how wide the terminal is."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.chat_app import chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tui_chat.ui.widgets.key_bar import KeyBar


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@pytest.mark.parametrize("width", [20, 40, 48, 80, 120])
async def test_help_stands_first_and_the_way_out_last(width: int, server: RunningServer, tmp_path: Path) -> None:
    async with chat_app(tmp_path / "form", size=(width + 2, 24)) as person:
        shown = person.first_row_of(person.join_screen.query_one(KeyBar))
        assert shown.startswith("F1 help")
        assert shown.endswith("Ctrl+Q quit")
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(width + 2, 24)) as ann:
        shown = ann.first_row_of(ann.chat_screen.key_bar)
        assert shown.startswith("F1 help")
        assert shown.endswith("Ctrl+Q quit")


async def test_what_does_not_fit_gives_way_whole(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(200, 24)) as ann:
        whole = set(ann.first_row_of(ann.chat_screen.key_bar).split("  "))
        for width in range(12, 120, 7):
            await ann.pilot.resize_terminal(width, 24)
            await ann.wait_until(lambda width=width: ann.chat_screen.key_bar.size.width <= width)
            assert set(filter(None, ann.first_row_of(ann.chat_screen.key_bar).split("  "))) <= whole


async def test_a_picked_message_has_its_keys_in_the_footer(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("hello")
        await ann.wait_for_text("hello")
        await ann.press("ctrl+s")
        shown = ann.first_row_of(ann.chat_screen.key_bar)
        assert shown.startswith("F1 help")
        assert "r reply" in shown
        assert shown.endswith("Esc back")
        await ann.press("escape")
        await ann.wait_until(lambda: "Enter send" in ann.first_row_of(ann.chat_screen.key_bar))


async def test_searching_what_was_sent_has_its_keys_in_the_footer(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("hello")
        await ann.press("ctrl+r")
        await ann.wait_until(lambda: "Ctrl+R older" in ann.first_row_of(ann.chat_screen.key_bar))
        await ann.press("escape")
        await ann.wait_until(lambda: "Enter send" in ann.first_row_of(ann.chat_screen.key_bar))


async def test_a_click_does_what_the_key_does_there(server: RunningServer, tmp_path: Path) -> None:
    async def click(person_word: str) -> None:
        at = ann.first_row_of(ann.chat_screen.key_bar).index(person_word) + 1
        await ann.pilot.click(KeyBar, offset=(at, 0))
        await ann.pilot.pause()

    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("hello")
        await click("send")
        await ann.wait_until(lambda: ann.composer.text == "" and "hello" in ann.screen_text())
        await ann.press("ctrl+s")
        assert ann.timeline.cursor_key is not None
        await click("reply")
        assert ann.timeline.cursor_key is None
        assert ann.chat_screen.session.current_room is not None
        assert ann.chat_screen.session.current_room.compose_mode is not None


async def test_what_was_done_is_not_shown_as_what_is_wrong(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("hello")
        await ann.wait_for_text("hello")

        def color() -> object:
            strip = ann.chat_screen.status.render_line(0)
            return next(segment.style.color for segment in strip if segment.text.strip() and segment.style)

        await ann.send_message("/nosuch")
        await ann.wait_until(lambda: "nosuch" in ann.first_row_of(ann.chat_screen.status))
        wrong = color()
        ann.composer.set_text("")
        await ann.press("ctrl+s", "y")
        await ann.wait_until(lambda: ann.first_row_of(ann.chat_screen.status) == "Copied.")
        assert color() != wrong
        await ann.type_text("typing")
        await ann.wait_until(lambda: ann.first_row_of(ann.chat_screen.status) == "")


async def test_what_to_do_about_a_wrong_command_is_readable_in_80_columns(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/invite bob")
        await ann.wait_for_text("No command /invite. //invite says it, /help lists all.")
        ann.composer.set_text("")
        await ann.press("ctrl+backslash")
        await ann.wait_for_text("search the commands")
