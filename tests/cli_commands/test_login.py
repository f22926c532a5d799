"""Commands `login` and `logout` of `chat-tui`, and other commands with the stored login."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.cli_command import run_command
from tests.support.environment import program_environment
from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import TIMEOUT
from tui_chat.client.accounts import AccountClient
from tui_chat.client.client import ChatClient
from tui_chat.session.store import login_store

PASSWORD = "correct horse battery"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path / "server", rate_limit="off", registration="open") as running:
        await AccountClient(running.url).register("ann", PASSWORD)
        yield running


async def test_commands_use_the_account_of_a_login_until_the_logout(server: RunningServer, command_home: Path) -> None:
    room = ("--server", server.url, "--room", "tea")
    assert await run_command(command_home, "login", server.url, "--account", "ann", stdin=f"{PASSWORD}\n") == (
        *(0, "Logged in as ann.\n", ""),
    )
    assert (await run_command(command_home, "send", *room, "hello"))[0] == 0
    _, output, _ = await run_command(command_home, "tail", *room, "--no-follow", "--json")
    message = json.loads(output)
    assert list(command_home.rglob(login_store.FILE_NAME)) != []
    assert (message["account"], message["nickName"], message["message"]) == ("ann", "ann", "hello")
    async with ChatClient(server.url) as chat:
        await chat.join("tea", nick="bob")
        login = await AccountClient(server.url).log_in("ann", PASSWORD)
        async with ChatClient(server.url, token=login.token) as ann:
            await ann.join("tea", nick="ann")
            assert await run_command(command_home, "who", *room) == (0, "ann\t(account ann)\nbob\n", "")
    assert await run_command(command_home, "logout", server.url) == (0, "Logged out. You continue as a guest.\n", "")
    assert (await run_command(command_home, "send", *room, "as a guest"))[0] == 0
    _, output, _ = await run_command(command_home, "tail", *room, "--no-follow", "--json")
    assert "account" not in json.loads(output.splitlines()[-1])
    code, _, errors = await run_command(command_home, "logout", server.url)
    assert (code, errors) == (2, f"chat-tui: not logged in on {server.url}\n")


async def test_a_failed_login_prints_one_line_and_stores_no_login(server: RunningServer, command_home: Path) -> None:
    for arguments, stdin, expected in (
        (("--account", "ann"), "wrong password\n", (1, "chat-tui: Wrong account name or password.\n")),
        (("--account", "ann"), "", (74, "chat-tui: no password given\n")),
    ):
        code, _, errors = await run_command(command_home, "login", server.url, *arguments, stdin=stdin)
        assert (code, errors) == expected
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'exec "$@" 0>/dev/null', "sh"),
        *(sys.executable, "-m", "tui_chat", "login", server.url, "--account", "ann"),
        stderr=asyncio.subprocess.PIPE,
        env=program_environment(command_home),
    )
    _, unreadable_input_errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert (process.returncode, unreadable_input_errors) == (74, b"chat-tui: no password given\n")
    code, _, errors = await run_command(command_home, "login", server.url, stdin=PASSWORD)
    assert code == 2
    assert errors.startswith("chat-tui: no account given")
    assert list(command_home.rglob(login_store.FILE_NAME)) == []


async def test_the_error_of_a_revoked_login_suggests_a_new_login(server: RunningServer, command_home: Path) -> None:
    await run_command(command_home, "login", server.url, "--account", "ann", stdin=PASSWORD)
    accounts = AccountClient(server.url)
    await accounts.log_in("ann", PASSWORD)
    for device in await accounts.list_devices():
        if not device.current:
            await accounts.revoke_device(device.id)
    code, _, errors = await run_command(command_home, "send", "--server", server.url, "--room", "tea", "hello")
    assert code == 1
    assert "The token is not valid." in errors
    assert "login`" in errors


async def test_a_prompted_password_is_neither_echoed_nor_stored(server: RunningServer, command_home: Path) -> None:
    async with terminal((*CHAT_TUI, "login", server.url), command_home) as tui:
        await tui.wait_for_text("Account:")
        tui.write_keys("ann\r")
        await tui.wait_for_text("Password:")
        tui.write_keys(f"{PASSWORD}\r")
        assert await tui.wait_closed() == 0
        assert "Logged in as ann." in tui.screen_text()
        assert PASSWORD.encode() not in tui.written
    for path in command_home.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


async def test_an_unwritable_prompt_is_reported_as_output_error(command_home: Path) -> None:
    command = ("sh", "-c", 'exec "$@" 1>/dev/full', "sh", *CHAT_TUI, "login", "http://127.0.0.1:1")
    async with terminal(command, command_home) as tui:
        assert await tui.wait_closed() == 74
        assert tui.screen_text().strip() == "chat-tui: cannot write to standard output: No space left on device"
