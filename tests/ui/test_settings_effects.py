"""What is set acts at once, on the real screen."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.chat_app import chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tui_chat.client.client import ChatClient


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


async def test_set_says_explains_changes_and_takes_back(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(100, 40)) as ann:
        await ann.send_message("/set")
        await ann.wait_for_text("theme = dark")
        await ann.send_message("/set clock")
        await ann.wait_for_text("24h, 12h, seconds, none")
        await ann.send_message("/set clock 12H")
        await ann.wait_until(lambda: ann.app.settings.clock == "12h")
        assert 'clock = "12h"' in (tmp_path / "ann" / "settings.toml").read_text()
        await ann.send_message("/set clock default")
        await ann.wait_until(lambda: ann.app.settings.clock == "24h")
        await ann.send_message("/set clock sundial")
        await ann.wait_for_text("clock can be: 24h")
        assert ann.composer.text == "/set clock sundial"


@pytest.mark.parametrize(
    ("style", "shown"), [("12h", r"\d\d?:\d\d[ap]m"), ("seconds", r"\d\d:\d\d:\d\d"), ("none", "")]
)
async def test_the_clock_is_written_as_it_is_set(server: RunningServer, tmp_path: Path, style: str, shown: str) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("hello")
        await ann.wait_for_text("✓ hello")
        await ann.send_message(f"/set clock {style}")
        await ann.wait_until(lambda: ann.app.settings.clock == style)
        (row,) = [row for row in ann.screen_text().splitlines() if "✓ hello" in row]
        assert re.match(rf"\s*{shown}\s+ann ✓ hello.*", row), row


async def test_nicknames_have_as_many_columns_as_are_set(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", settings={"nick_width": 3}) as ann:
        await ann.send_message("hello")
        await ann.wait_for_text(" ann ✓ hello")
        assert any(row[6:].startswith(" ann ✓ hello") for row in ann.screen_text().splitlines())
        await ann.send_message("/set nick_width 20")
        await ann.wait_for_text(" " * 17 + "ann ✓ hello")


async def test_side_panes_are_as_they_are_set_and_a_key_still_overrules(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(120, 24)) as ann:
        await ann.wait_for_text("1 here")
        await ann.send_message("/set member_list never")
        await ann.wait_until(lambda: "1 here" not in ann.screen_text())
        await ann.send_message("/set room_list always")
        await ann.wait_for_text("1 tea")
        await ann.press("f3")
        await ann.wait_for_text("1 here")


async def test_comings_and_goings_are_said_only_when_they_are_wanted(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", settings={"show_joins": False}) as ann:
        async with ChatClient(server.url) as other:
            room = await other.join("tea", nick="bob")
            await room.send("hello")
            await ann.wait_for_text("hello")
            assert "joined" not in ann.screen_text()
        await ann.send_message("/set show_joins on")
        async with ChatClient(server.url) as other:
            await other.join("tea", nick="carol")
            await ann.wait_for_text("carol joined")


async def test_typing_is_told_only_when_that_is_wanted(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", settings={"send_typing": False}) as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await ann.type_text("quietly")
        await bob.type_text("loudly")
        await ann.wait_for_text("bob is typing")
        assert "ann is typing" not in bob.screen_text()


async def test_the_language_changes_while_one_looks(tmp_path: Path) -> None:
    async with chat_app(tmp_path) as person:
        await person.wait_for_text("Nickname")
        await person.press("f9", "right", "right")
        assert person.app.settings.language == "zh"
        await person.press("escape")
        await person.wait_for_text("昵称")
        assert "Nickname" not in person.screen_text()
        await person.press("f9", "delete", "escape")
        await person.wait_for_text("Nickname")


async def test_what_is_read_and_the_footer_speak_the_new_language_too(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(100, 24)) as ann:
        await ann.send_message("teh kettle")
        await ann.wait_for_text("teh kettle")
        await ann.send_message("/edit the kettle")
        await ann.wait_for_text("the kettle (edited)")
        await ann.send_message("/set language zh")
        await ann.wait_for_text("the kettle （已编辑）")
        assert "Enter 发送" in ann.screen_text()
        await ann.send_message("/set language en")
        await ann.wait_for_text("the kettle (edited)")
        assert "Enter send" in ann.screen_text()
