"""Account commands and dialogs of the terminal client."""

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from textual.widgets import OptionList

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tui_chat.client.accounts import AccountClient
from tui_chat.client.events import AuthFailed, Online, ReadMarker
from tui_chat.session.account_manager import AccountManager
from tui_chat.session.lines import MessageLine
from tui_chat.session.store.login_store import LoginStore
from tui_chat.ui.screens.account_form import AccountFormScreen
from tui_chat.ui.screens.help import HelpScreen

PASSWORD = "correct horse battery"
NO_MARKER = ReadMarker(0, 0, 0)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path / "server", rate_limit="off", registration="open") as running:
        yield running


def login_store(tmp_path: Path, nick: str) -> LoginStore:
    """Return the stored logins of the client of `chat_app_in_room` with a nickname."""
    return LoginStore(tmp_path / nick / "state")


async def open_form(driver: ChatAppDriver, command: str) -> None:
    """Submit a command, and wait for its form."""
    await driver.send_message(command)
    await driver.wait_until(lambda: isinstance(driver.app.screen, AccountFormScreen))


async def fill_in(driver: ChatAppDriver, *values: str) -> None:
    """Type the values of the form from the focused field on, and submit the last one."""
    for value in values:
        await driver.type_text(value)
        await driver.press("enter")


async def test_registration_keeps_messages_and_read_markers_of_the_guest_and_marks_the_member(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", size=(110, 30)) as ann,
        chat_app_in_room(tmp_path, server.url, "bob", size=(110, 30)) as bob,
    ):
        await ann.send_message("as a guest")
        await ann.wait_until_sent()
        rooms = ann.chat_screen.session.rooms
        await ann.join_rooms("dev")
        for text in ("one", "two"):
            await bob.send_message(text)
        await ann.wait_until(lambda: rooms["tea"].unread_count == 2)
        await open_form(ann, "/register")
        await ann.wait_for_text("Tab next field · Esc cancel")
        await fill_in(ann, PASSWORD, "another", "")
        await ann.wait_for_text("The passwords differ.")
        assert PASSWORD not in ann.screen_text()
        await ann.press("ctrl+u")
        await fill_in(ann, PASSWORD, "")
        await ann.wait_for_text("Logged in as ann.")
        await ann.wait_until(lambda: (ann.sdk_room("tea").read_marker.state or NO_MARKER).unread == 2)
        assert (rooms["tea"].read_seq, rooms["tea"].unread_count) == (1, 2)
        await ann.send_message("/go tea")
        await ann.wait_until(lambda: (ann.sdk_room("tea").read_marker.state or NO_MARKER).seq == 3)
        await ann.send_message("/topic leaves")
        assert ann.composer.text == ""
        await ann.wait_for_text("ann set the topic: leaves")
        await ann.wait_for_text("account ann")
        await ann.send_message("with an account")
        await ann.wait_until_sent()
        tea = ann.chat_screen.session.rooms["tea"]
        lines = [line for line in tea.transcript.lines if isinstance(line, MessageLine)]
        assert [line.is_own for line in lines] == [True, False, False, True]
        await bob.wait_until(lambda: re.search(r"ann +\*", bob.screen_text()))  # member list
        await bob.send_message("/names")
        await bob.wait_for_text("2 here: ann*, bob")
        await bob.wait_for_text("* registered account")
        await bob.send_message("/whois ann")
        await bob.wait_for_text("account ann")
        await bob.send_message("/whois bob")
        await bob.wait_for_text("that is you · guest")
        login, _ = login_store(tmp_path, "ann").find(server.url)
        assert login is not None
        assert login.account == "ann"


async def test_a_second_start_is_logged_in_until_the_device_is_revoked_and_a_logout_continues_as_a_guest(
    server: RunningServer, tmp_path: Path
) -> None:
    accounts = AccountClient(server.url)
    await accounts.register("ann", PASSWORD)
    async with chat_app_in_room(tmp_path, server.url, "guest", size=(110, 30)) as driver:
        await open_form(driver, "/login")
        await fill_in(driver, "ann", "wrong password")
        await driver.wait_for_text("Wrong account name or password.")
        await driver.press("ctrl+u")
        await fill_in(driver, PASSWORD)
        await driver.wait_for_text("Logged in as ann.")
        await driver.wait_until(lambda: driver.chat_screen.session.rooms["tea"].nick == "ann")
    async with chat_app_in_room(tmp_path, server.url, "guest", size=(110, 30)) as driver:
        await driver.wait_for_text("account ann")
        assert "is taken" not in driver.screen_text()
        (device,) = [device for device in await accounts.list_devices() if not device.current]
        assert device.label.startswith("chat-tui (")
        await accounts.revoke_device(device.id)
        await driver.wait_for_text("/login logs in again")
        await driver.wait_for_text("logged out")
        assert isinstance(driver.chat_screen.session.connection_state, AuthFailed)
        await driver.send_message("written while logged out")
        await open_form(driver, "/login")
        await fill_in(driver, PASSWORD)
        await driver.wait_until_sent()
        await driver.wait_for_text("account ann")
        assert message_texts(driver.sdk_room("tea")) == ["written while logged out"]
        await driver.send_message("/logout")
        await driver.wait_for_text("You continue as a guest.")
        await driver.wait_until(lambda: driver.chat_screen.session.rooms["tea"].account == "")
        assert isinstance(driver.chat_screen.session.connection_state, Online)
        assert login_store(tmp_path, "guest").find(server.url) == (None, "")
        await driver.send_message("/devices")
        await driver.wait_for_text("You are not logged in.")
    assert [device.current for device in await accounts.list_devices()] == [True]


async def test_devices_are_listed_and_logged_out_after_a_question(server: RunningServer, tmp_path: Path) -> None:
    accounts = AccountClient(server.url)
    await accounts.register("ann", PASSWORD)
    await AccountClient(server.url).log_in("ann", PASSWORD, label="old laptop")
    async with chat_app_in_room(tmp_path, server.url, "guest", size=(110, 30)) as driver:
        await open_form(driver, "/login")
        await fill_in(driver, "ann", PASSWORD)
        await driver.wait_for_text("Logged in as ann.")
        await driver.send_message("/devices")
        await driver.wait_for_text("(this device)")
        await driver.wait_for_text("old laptop")
        devices = await accounts.list_devices()
        rows = [str(option.prompt) for option in driver.app.screen.query_one(OptionList).options]
        index = next(index for index, row in enumerate(rows) if row.startswith("old laptop"))
        await driver.press(*["down"] * index, "enter")
        await driver.wait_for_text("Log out this device?")
        assert "old laptop" in driver.screen_text()
        await driver.press("y")
        await driver.wait_for_text("Logged out old laptop.")
        assert len(await accounts.list_devices()) == len(devices) - 1


async def test_the_join_form_logs_in_and_out(server: RunningServer, tmp_path: Path) -> None:
    await AccountClient(server.url).register("ann", PASSWORD)
    async with chat_app(tmp_path / "home", server=server.url, size=(80, 30)) as driver:
        await driver.wait_for_text("guest     Log in")
        driver.join_screen.query_one("#log-in-button").focus()
        await driver.press("enter")
        await driver.wait_until(lambda: isinstance(driver.app.screen, AccountFormScreen))
        await fill_in(driver, "ann", PASSWORD)
        await driver.wait_for_text("Log in      Log out")
        await driver.wait_for_text("Logged in as ann.")
        await driver.press("tab", "enter")
        await driver.wait_for_text("Logged out.")
        await driver.wait_for_text("guest     Log in")


async def test_a_server_without_guests_is_joined_after_a_registration_in_the_join_form(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "server", registration="open", guests="off") as server,
        chat_app(tmp_path / "home", server=server.url, room="tea", nick="ann", size=(110, 30)) as driver,
    ):
        await driver.wait_for_text("This server requires an account.")
        driver.join_screen.query_one("#log-in-button").focus()
        await driver.press("enter")
        await driver.wait_until(lambda: isinstance(driver.app.screen, AccountFormScreen))
        await driver.press("tab", "tab", "tab", "enter")
        await driver.wait_for_text("Invite")
        await fill_in(driver, PASSWORD, PASSWORD, "")
        await driver.wait_for_text("Logged in as ann.")
        driver.join_screen.action_submit()
        await driver.wait_for_text("account ann")


async def test_forms_change_the_profile_and_the_password_and_delete_the_account(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(110, 34)) as driver:
        await open_form(driver, "/register")
        await fill_in(driver, PASSWORD, PASSWORD, "")
        await driver.wait_for_text("Logged in as ann.")
        await open_form(driver, "/account")
        permit, saved, save = asyncio.Event(), asyncio.Event(), AccountManager.update_profile

        async def save_when_permitted(manager: AccountManager, nick: str, about: str) -> None:
            await permit.wait()
            await save(manager, nick, about)
            saved.set()

        monkeypatch.setattr(AccountManager, "update_profile", save_when_permitted)
        await fill_in(driver, "ie", "likes tea")
        await driver.press("f1")
        permit.set()
        await driver.wait_until(saved.is_set)
        assert isinstance(driver.app.screen, HelpScreen)  # the form below closes after the help
        await driver.press("escape")
        await driver.wait_for_text("Profile saved.")
        assert driver.app.screen is driver.chat_screen
        await driver.wait_until(lambda: driver.chat_screen.session.rooms["tea"].nick == "annie")
        await open_form(driver, "/password")
        await fill_in(driver, "wrong password", "next password", "next password")
        await driver.wait_for_text("Wrong account name or password.")
        await driver.press("ctrl+u")
        await fill_in(driver, PASSWORD, "", "")
        await driver.wait_for_text("Password changed.")
        await open_form(driver, "/delete-account")
        await fill_in(driver, "maybe", "next password")
        await driver.wait_for_text("Enter “keep” or “delete”.")
        await driver.press("ctrl+u")
        await fill_in(driver, "keep", "")
        await driver.wait_for_text("Account deleted.")
        await driver.wait_until(lambda: driver.chat_screen.session.rooms["tea"].account == "")


async def test_a_registration_with_an_invite_enters_the_password_in_no_file_and_no_clipboard(tmp_path: Path) -> None:
    typed = "typed behind the command"
    async with (
        running_server(tmp_path / "server", rate_limit="off", registration="invite") as server,
        chat_app_in_room(tmp_path, server.url, "ann", size=(110, 30)) as driver,
    ):
        invite = await server.account_service.create_invite(uses=1, lifetime=3600)
        await driver.send_message(f"/login ann {typed}")
        await driver.wait_for_text("Usage: /login")
        await driver.press("ctrl+u")
        await open_form(driver, "/register")
        await driver.type_text(PASSWORD)
        await driver.press("ctrl+shift+a", "ctrl+c", "ctrl+x")
        assert driver.app.clipboard == ""
        await driver.press("ctrl+u")
        await fill_in(driver, PASSWORD, PASSWORD, "unknown")
        await driver.wait_for_text("The invite is invalid")
        await driver.press("ctrl+u")
        await fill_in(driver, invite.code)
        await driver.wait_for_text("Logged in as ann.")
        await driver.send_message("hello")
        await driver.wait_until_sent()
        login, _ = login_store(tmp_path, "ann").find(server.url)
        assert login is not None
    contents = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(contents) > 5
    for path, content in contents.items():
        assert PASSWORD.encode() not in content, path
        assert typed.encode() not in content, path
        assert (login.token.encode() in content) == (path.name == "logins.json"), path
