"""However small the terminal is made: nothing ends the program, and it shows all again when there is room."""

from pathlib import Path

from textual import events

from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.in_process_server import running_server

SIZES = [(1, 1), (1, 6), (4, 1), (6, 5)]
OPENED = ["", "/help", "/settings", "/theme", "/search a", "f4", "ctrl+s", "ctrl+r", "alt+l", "ctrl+backslash", "paste"]


async def squeezed(person: ChatAppDriver, opened: str) -> None:
    """Give the terminal every size in turn, and its own one at the end."""
    for size in (*SIZES, (80, 24)):
        await person.pilot.resize_terminal(*size)
        assert person.app.is_running, f"{opened or 'the chat'} in {size}"
        person.screen_text()


async def test_whatever_is_open_survives_any_size(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("wide 你好 text")
        await ann.wait_for_text("wide 你好 text")
        for opened in OPENED:
            before = ann.screen_text()
            if opened == "paste":
                ann.composer.post_message(events.Paste("line\n" * 12))
            elif opened.startswith("/"):
                await ann.send_message(opened)
            elif opened:
                await ann.press(opened)
            await ann.wait_until(lambda before=before, opened=opened: not opened or ann.screen_text() != before)
            await squeezed(ann, opened)
            await ann.press("escape")
            await ann.wait_until(lambda: ann.app.screen is ann.chat_screen and ann.chat_screen.focused is ann.composer)
            await ann.wait_for_text("wide 你好 text")


async def test_the_form_survives_any_size(tmp_path: Path) -> None:
    async with chat_app(tmp_path) as ann:
        await squeezed(ann, "the form")
        await ann.wait_for_text("Nickname")
