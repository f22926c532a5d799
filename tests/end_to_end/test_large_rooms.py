"""Rooms with more members than a join response lists, in every client of `chat-tui`."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.chat_app import chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.client.client import ChatClient
from tui_chat.ui.screens.output import OutputScreen

CROWD = [f"m{number}" for number in range(6)]


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[RunningServer]:
    """Server with six members in the room `tea`, of which a join response lists two."""
    monkeypatch.setattr("tui_chat.protocol.limits.MEMBER_PAGE", 3)
    monkeypatch.setattr("tui_chat.client.membership.MEMBER_PAGE", 2)
    async with running_server(tmp_path, rate_limit="off") as running, AsyncExitStack() as stack:
        for nick in CROWD:
            await (await stack.enter_async_context(raw_client(running.url))).join("tea", nick)
        yield running


async def test_members_are_listed_page_by_page(server: RunningServer) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        assert (len(room.members), room.member_count) == (3, 7)
        assert [member.nick_name for member in await room.list_members("M0")] == ["m0"]
        assert (len(room.members), room.member_count) == (4, 7)
        assert len(await room.list_members(limit=3)) == 3
        assert sorted(member.nick_name for member in await room.list_members()) == ["ann", *CROWD]
        assert (len(room.members), room.member_count) == (7, 7)
        assert [member.nick_name for member in await room.list_members("M5")] == ["m5"]
        assert len(await room.list_members()) == 7


async def test_the_member_pane_and_the_header_show_the_number_of_all_members(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.wait_for_text("7 here")
        await ann.wait_for_text("and 4 more")
        await ann.press("f3")
        await ann.wait_until(lambda: "and 4 more" not in ann.screen_text())
        assert ann.first_row_of(ann.chat_screen.query_one("ChatHeader")).startswith("tea  7 here")


async def test_the_who_command_and_the_screen_reader_mode_list_all_members(
    server: RunningServer, tmp_path: Path
) -> None:
    async with terminal((*CHAT_TUI, "who", "--server", server.url, "--room", "tea"), tmp_path) as tty:
        await tty.wait_for_text("\n".join(CROWD))
        assert await tty.wait_closed() == 0
    async with terminal((*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "ann", server.url), tmp_path) as tty:
        await tty.wait_for_text("You are in tea, with 6 others.")
        await tty.wait_for_text("/quit exits.")
        tty.write_keys("@m2\tis here\r")
        await tty.wait_for_text("@m2 is here")
        tty.write_keys("/names\r")
        await tty.wait_for_text("7 here: ann, " + ", ".join(CROWD))


async def test_commands_and_completion_find_unlisted_members(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/whois m1")
        await ann.wait_for_text("m1: guest · in tea")
        await ann.type_text("@m2")
        await ann.press("tab")
        await ann.wait_until(lambda: ann.composer.text == "@m2 ")
        await ann.press("ctrl+c")
        await ann.send_message("/who M3")
        await ann.wait_for_text("1 found: m3")
        await ann.send_message("/whois nobody")
        await ann.wait_for_text("No such nickname: nobody.")
        await ann.send_message("/names")
        await ann.wait_for_text("7 here: ann, " + ", ".join(CROWD))


async def test_a_long_member_list_opens_in_a_dialog(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_chat.ui.screens.screen_commands.MAX_NOTICE_LENGTH", 20)
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/names")
        await ann.wait_until(lambda: isinstance(ann.app.screen, OutputScreen))
        await ann.wait_for_text("7 here: ann, " + ", ".join(CROWD))
        await ann.press("escape")
        await ann.wait_until(lambda: not isinstance(ann.app.screen, OutputScreen))
        await ann.type_text("back")
        await ann.wait_until(lambda: ann.composer.text == "back")
