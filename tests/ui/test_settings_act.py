"""What is set acts at once, on the real screen."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.runtime import RunningServer
from tests.support.chat_app import chat_app, in_room
from tests.support.serving import serving
from tui_chat.client.chat import ChatClient


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with serving(tmp_path, rate_limit="off") as running:
        yield running


async def test_set_says_explains_changes_and_takes_back(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", size=(100, 40)) as ann:
        await ann.say("/set")
        await ann.sees("theme = dark")
        await ann.say("/set clock")
        await ann.sees("24h, 12h, seconds, none")
        await ann.say("/set clock 12H")
        await ann.until(lambda: ann.app.settings.clock == "12h")
        assert 'clock = "12h"' in (tmp_path / "ann" / "settings.toml").read_text()
        await ann.say("/set clock default")
        await ann.until(lambda: ann.app.settings.clock == "24h")
        await ann.say("/set clock sundial")
        await ann.sees("clock can be: 24h")
        assert ann.composer.text == "/set clock sundial"


@pytest.mark.parametrize(
    ("style", "shown"), [("12h", r"\d\d?:\d\d[ap]m"), ("seconds", r"\d\d:\d\d:\d\d"), ("none", "")]
)
async def test_the_clock_is_written_as_it_is_set(server: RunningServer, tmp_path: Path, style: str, shown: str) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await ann.say("hello")
        await ann.sees("✓ hello")
        await ann.say(f"/set clock {style}")
        await ann.until(lambda: ann.app.settings.clock == style)
        (row,) = [row for row in ann.screen().splitlines() if "✓ hello" in row]
        assert re.match(rf"\s*{shown}\s+ann ✓ hello.*", row), row


async def test_nicknames_have_as_many_columns_as_are_set(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", settings={"nick_width": 3}) as ann:
        await ann.say("hello")
        await ann.sees(" ann ✓ hello")
        assert any(row[6:].startswith(" ann ✓ hello") for row in ann.screen().splitlines())
        await ann.say("/set nick_width 20")
        await ann.sees(" " * 17 + "ann ✓ hello")


async def test_side_panes_are_as_they_are_set_and_a_key_still_overrules(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", size=(120, 24)) as ann:
        await ann.sees("1 here")
        await ann.say("/set member_list never")
        await ann.until(lambda: "1 here" not in ann.screen())
        await ann.say("/set room_list always")
        await ann.sees("1 tea")
        await ann.press("f3")
        await ann.sees("1 here")


async def test_comings_and_goings_are_said_only_when_they_are_wanted(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", settings={"show_joins": False}) as ann:
        async with ChatClient(server.url) as other:
            room = await other.join("tea", nick="bob")
            await room.send("hello")
            await ann.sees("hello")
            assert "joined" not in ann.screen()
        await ann.say("/set show_joins on")
        async with ChatClient(server.url) as other:
            await other.join("tea", nick="carol")
            await ann.sees("carol joined")


async def test_typing_is_told_only_when_that_is_wanted(server: RunningServer, tmp_path: Path) -> None:
    async with (
        in_room(tmp_path, server.url, "ann", settings={"send_typing": False}) as ann,
        in_room(tmp_path, server.url, "bob") as bob,
    ):
        await ann.type("quietly")
        await bob.type("loudly")
        await ann.sees("bob is typing")
        assert "ann is typing" not in bob.screen()


async def test_the_language_changes_while_one_looks(tmp_path: Path) -> None:
    async with chat_app(tmp_path) as person:
        await person.sees("Nickname")
        await person.press("f9", "right", "right")
        assert person.app.settings.language == "zh"
        await person.press("escape")
        await person.sees("昵称")
        assert "Nickname" not in person.screen()
        await person.press("f9", "delete", "escape")
        await person.sees("Nickname")


async def test_what_is_read_and_the_footer_speak_the_new_language_too(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", size=(100, 24)) as ann:
        await ann.say("teh kettle")
        await ann.sees("teh kettle")
        await ann.say("/edit the kettle")
        await ann.sees("the kettle (edited)")
        await ann.say("/set language zh")
        await ann.sees("the kettle （已编辑）")
        assert "Enter 发送" in ann.screen()
        await ann.say("/set language en")
        await ann.sees("the kettle (edited)")
        assert "Enter send" in ann.screen()
