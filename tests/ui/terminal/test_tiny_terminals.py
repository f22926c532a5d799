"""Resizes to tiny terminal sizes and back to a usable size."""

from pathlib import Path

from textual import events

from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.in_process_server import running_server

TINY_SIZES = [(1, 1), (1, 6), (4, 1), (6, 5)]
VIEWS = ["", "/help", "/settings", "/theme", "/search a", "f4", "ctrl+s", "ctrl+r", "alt+l", "ctrl+backslash", "paste"]


async def resize_through_all_sizes(driver: ChatAppDriver, view: str) -> None:
    """Resize the terminal to each tiny size and finally to 80 by 24 cells."""
    for size in (*TINY_SIZES, (80, 24)):
        await driver.pilot.resize_terminal(*size)
        assert driver.app.is_running, f"{view or 'the chat screen'} in {size}"
        driver.screen_text()


async def test_every_view_survives_tiny_terminal_sizes(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("wide 你好 text")
        await ann.wait_for_text("wide 你好 text")
        for view in VIEWS:
            before = ann.screen_text()
            if view == "paste":
                ann.composer.post_message(events.Paste("line\n" * 12))
            elif view.startswith("/"):
                await ann.send_message(view)
            elif view:
                await ann.press(view)
            await ann.wait_until(lambda before=before, view=view: not view or ann.screen_text() != before)
            await resize_through_all_sizes(ann, view)
            await ann.press("escape")
            await ann.wait_until(lambda: ann.app.screen is ann.chat_screen and ann.chat_screen.focused is ann.composer)
            await ann.wait_for_text("wide 你好 text")


async def test_the_join_form_survives_tiny_terminal_sizes(tmp_path: Path) -> None:
    async with chat_app(tmp_path) as ann:
        await resize_through_all_sizes(ann, "the join form")
        await ann.wait_for_text("Nickname")
