"""Effects of settings on the running client."""

import re
from pathlib import Path

from server.app import RunningServer
from tests.support.chat_app import chat_app, chat_app_in_room
from tui_chat.client.client import ChatClient


async def test_the_set_command_lists_explains_changes_resets_and_validates_settings(
    server: RunningServer, tmp_path: Path
) -> None:
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
        await ann.wait_for_text("Invalid value for clock. Allowed: 24h")
        assert ann.composer.text == "/set clock sundial"


async def test_time_format_and_width_of_the_nickname_column_follow_their_settings(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", settings={"nick_width": 3}) as ann:
        await ann.send_message("hello")
        await ann.wait_for_text(" ann ✓ hello")
        assert any(row[6:].startswith(" ann ✓ hello") for row in ann.screen_text().splitlines())
        for clock_format, pattern in (("12h", r"\d\d?:\d\d[ap]m"), ("seconds", r"\d\d:\d\d:\d\d"), ("none", "")):
            await ann.send_message(f"/set clock {clock_format}")
            row = re.compile(rf"^ *{pattern} +ann ✓ hello", re.MULTILINE)
            await ann.wait_until(lambda row=row: row.search(ann.screen_text()))
            assert ann.app.settings.clock == clock_format
        await ann.send_message("/set nick_width 20")
        await ann.wait_for_text(" " * 17 + "ann ✓ hello")


async def test_pane_settings_apply_and_keys_override_them(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(120, 24)) as ann:
        members = ann.chat_screen.view.members
        await ann.wait_until(lambda: members.display)
        await ann.send_message("/set member_list never")
        await ann.wait_until(lambda: not members.display)
        await ann.send_message("/set room_list always")
        await ann.wait_for_text("1 tea")
        await ann.press("f3")
        await ann.wait_until(lambda: members.display)


async def test_join_notices_follow_the_joins_setting(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        async with ChatClient(server.url) as bob, ChatClient(server.url) as carol:
            room = await bob.join("tea", nick="bob")
            await carol.join("tea", nick="carol")
            await room.send("hello")
            await ann.wait_for_text("hello")
            assert "joined" not in ann.screen_text()
        await ann.wait_for_text("bob left")
        await ann.wait_until(lambda: "carol" not in ann.screen_text())  # the member list follows the notice
        await ann.send_message("/set joins all")
        await ann.wait_for_text("bob and carol joined")
        await ann.send_message("/set joins none")
        await ann.wait_until(lambda: "joined" not in ann.screen_text() and "left" not in ann.screen_text())


async def test_typing_indicators_are_sent_only_when_enabled(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", settings={"send_typing": False}) as ann,
        chat_app_in_room(tmp_path, server.url, "bob") as bob,
    ):
        await ann.type_text("quietly")
        await bob.type_text("loudly")
        await ann.wait_for_text("bob is typing")
        assert "ann is typing" not in bob.screen_text()


async def test_a_language_change_applies_to_the_open_form(tmp_path: Path) -> None:
    async with chat_app(tmp_path) as driver:
        await driver.wait_for_text("Nickname")
        await driver.press("f9", "right", "right")
        assert driver.app.settings.language == "zh"
        await driver.press("escape")
        await driver.wait_until(lambda: "昵称" in driver.screen_text() and "Nickname" not in driver.screen_text())
        await driver.press("f9", "delete", "escape")
        await driver.wait_for_text("Nickname")


async def test_a_language_change_applies_to_timeline_and_footer(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(100, 24)) as ann:
        await ann.send_message("teh kettle")
        await ann.wait_until_sent()
        await ann.send_message("/edit the kettle")
        await ann.wait_for_text("the kettle (edited)")
        await ann.send_message("/set language zh")
        await ann.wait_for_text("the kettle （已编辑）")
        await ann.wait_for_text("Enter 发送")
        await ann.send_message("/set language en")
        await ann.wait_for_text("the kettle (edited)")
        await ann.wait_for_text("Enter send")
