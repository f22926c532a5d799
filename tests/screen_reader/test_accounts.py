"""Account commands of the screen-reader mode in a terminal."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.client.accounts import AccountClient

PASSWORD = "correct horse battery"
NEW_PASSWORD = "wrong donkey charger"
READER = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "ann")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path / "server", rate_limit="off", registration="open") as running:
        yield running


async def test_account_forms_are_prompts_that_neither_show_nor_store_passwords(
    server: RunningServer, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    async with terminal((*READER, server.url), home, rows=60) as tui:
        await tui.wait_for_text("/quit exits.")
        tui.write_keys("/devices\r")
        await tui.wait_for_text("You are not logged in.")
        tui.write_keys("/register\r")
        await tui.wait_for_text("Account [ann]:")
        tui.write_keys("\r")
        await tui.wait_for_text("Nickname:")
        tui.write_keys("\r")
        await tui.wait_for_text("Password:")
        tui.write_keys(f"{PASSWORD}\r")
        await tui.wait_for_text("Repeat:")
        tui.write_keys(f"{PASSWORD}\r")
        await tui.wait_for_text("Invite:")
        tui.write_keys("\r")
        await tui.wait_for_text("Logged in as ann.")
        await AccountClient(server.url).log_in("ann", PASSWORD, label="old laptop")
        tui.write_keys("/devices\r")
        await tui.wait_for_text("2. old laptop: login ")
        tui.write_keys("/devices 2\r")
        await tui.wait_for_text("Logged out old laptop.")
        tui.write_keys("/devices 7\r")
        await tui.wait_for_text("No device with this number.")
        tui.write_keys("/logout\r")
        await tui.wait_for_text("You continue as a guest.")
        for typed, expected in (
            ("/login", "Account:"),
            ("ann", "Password:"),
            (PASSWORD, "Logged in as ann."),
            ("/account", "Nickname [ann]:"),
            ("anna", "About:"),
            ("likes tea", "Profile saved."),
            ("/password", "Current:"),
            (PASSWORD, "New:"),
            (NEW_PASSWORD, "Repeat:"),
            (NEW_PASSWORD, "Password changed."),
            ("/delete-account", "Messages [keep]:"),
            ("", "Password:"),
            (NEW_PASSWORD, "Account deleted."),
        ):
            tui.reset_screen()
            tui.write_keys(f"{typed}\r")
            await tui.wait_for_text(expected)
        tui.write_keys("/quit\r")
        assert await tui.wait_closed() == 0
    stored = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert stored
    for password in (PASSWORD, NEW_PASSWORD):
        assert not any(password.encode() in content for content in (tui.written, *stored))
