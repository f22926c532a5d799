"""However small the terminal is made: nothing ends the program, and it shows all again when there is room."""

from pathlib import Path

from textual import events

from tests.support.chat_app import Person, chat_app, in_room
from tests.support.serving import serving

SIZES = [(1, 1), (1, 6), (4, 1), (6, 5)]
OPENED = ["", "/help", "/settings", "/theme", "/search a", "f4", "ctrl+s", "ctrl+r", "alt+l", "ctrl+backslash", "paste"]


async def squeezed(person: Person, opened: str) -> None:
    """Give the terminal every size in turn, and its own one at the end."""
    for size in (*SIZES, (80, 24)):
        await person.pilot.resize_terminal(*size)
        assert person.app.is_running, f"{opened or 'the chat'} in {size}"
        person.screen()


async def test_whatever_is_open_survives_any_size(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("wide 你好 text")
        await ann.sees("wide 你好 text")
        for opened in OPENED:
            before = ann.screen()
            if opened == "paste":
                ann.composer.post_message(events.Paste("line\n" * 12))
            elif opened.startswith("/"):
                await ann.say(opened)
            elif opened:
                await ann.press(opened)
            await ann.until(lambda before=before, opened=opened: not opened or ann.screen() != before)
            await squeezed(ann, opened)
            await ann.press("escape")
            await ann.until(lambda: ann.app.screen is ann.chat and ann.chat.focused is ann.composer)
            await ann.sees("wide 你好 text")


async def test_the_form_survives_any_size(tmp_path: Path) -> None:
    async with chat_app(tmp_path) as ann:
        await squeezed(ann, "the form")
        await ann.sees("Nickname")
