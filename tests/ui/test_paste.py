from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from textual import events

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.session.lines import MessageLine
from tui_chat.ui.screens.paste import PasteScreen

SIX = "\n".join(("one", "two", "three", "/quit", "five", "six"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


def said(person: ChatAppDriver) -> list[str]:
    lines = person.chat_screen.session.rooms["tea"].transcript.lines
    return [line.text for line in lines if isinstance(line, MessageLine)]


async def paste(person: ChatAppDriver, text: str) -> None:
    person.composer.post_message(events.Paste(text))
    await person.wait_until(lambda: isinstance(person.app.screen, PasteScreen) and person.app.screen.focused)


@pytest.mark.parametrize(
    ("key", "composer", "messages"),
    [
        ("e", f"say: {SIX}", []),
        ("s", "", [f"say: {SIX}"]),
        ("l", "say: ", SIX.split("\n")),
        ("escape", "say: ", []),
        ("enter", f"say: {SIX}", []),
    ],
)
async def test_a_long_paste_asks_and_does_what_is_wanted(
    server: RunningServer, tmp_path: Path, key: str, composer: str, messages: list[str]
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("say: ")
        await paste(ann, f"{SIX}\x1b[31m\r\n".replace("\x1b[31m", "\x1b\x07"))
        assert "6 lines" in ann.screen_text()
        assert said(ann) == []
        await ann.press(key)
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen and ann.chat_screen.session.unsent_count == 0)
        await ann.wait_until(lambda: said(ann) == messages)
        assert ann.composer.text == composer
        assert ann.app.focused is ann.composer


async def test_a_paste_that_begins_with_a_slash_is_said_and_not_done(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        text = "/quit\n" * 6
        await paste(ann, text)
        await ann.press("s")
        await ann.wait_until(lambda: said(ann) == [text.strip()])
        assert ann.app.is_running
        await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0)
        await ann.press("up", "up")
        assert ann.composer.text == f"/{text.strip()}"


async def test_enter_right_behind_a_long_paste_sends_nothing(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("half")
        ann.app.post_message(events.Paste(SIX))
        ann.app.post_message(events.Key("enter", "\r"))
        await ann.wait_until(lambda: isinstance(ann.app.screen, PasteScreen) and ann.app.screen.focused)
        await ann.pilot.pause()
        assert said(ann) == []
        await ann.press("escape")
        assert ann.composer.text == "half"


async def test_more_than_a_message_holds_is_sent_in_parts(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", settings={"paste_lines": 0}) as ann:
        line = "x" * 1500
        await paste(ann, "\n".join([line] * 4))
        await ann.wait_for_text("2 messages")
        await ann.press("s")
        await ann.wait_until(lambda: said(ann) == [f"{line}\n{line}"] * 2)


async def test_a_megabyte_is_refused_in_words_and_typing_goes_on(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for_text("1 here")
        ann.write_keys("before ")
        await ann.paste("0123456789abcde\n" * 65_536)
        await ann.wait_for_text("nothing was put in")
        assert "1,048,575 characters" in ann.screen_text()
        ann.write_keys("after\r")
        await ann.wait_for_text("✓ before after")
