import os
import socket
import sysconfig
from collections.abc import Generator
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.support.chat_app import chat_app, chat_app_in_room
from tests.support.free_port import reserved_port
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.session.i18n import tr
from tui_chat.session.store.guest_identities import find_guest_key
from tui_chat.session.store.profile import DEFAULT_ROOM, Profile, load
from tui_chat.session.strings import app as app_strings
from tui_chat.ui.widgets.form_field import FormField


async def test_enter_accepts_the_defaults_of_empty_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "xiaolin")
    async with running_server(tmp_path) as server, chat_app(tmp_path, server=server.url) as driver:
        assert DEFAULT_ROOM in driver.screen_text()
        assert "xiaolin" in driver.screen_text()
        await driver.press("enter", "enter")
        await driver.wait_until(lambda: len(driver.app.screen_stack) > 1 and driver.displayed_room)
        view = driver.displayed_room
        assert view is not None
        assert (view.name, view.nick) == (DEFAULT_ROOM, "xiaolin")


async def test_a_login_name_that_is_no_nickname_is_reported_next_to_the_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "a\u200bb")
    async with chat_app(tmp_path) as driver:
        await driver.press("enter", "enter")
        await driver.wait_for_text("cannot contain")
        assert driver.app.join_form.query_one("#nick").has_class("-invalid")
        await driver.type_text("ann")
        assert "cannot contain" not in driver.screen_text()


async def test_invalid_input_is_reported_next_to_the_field(tmp_path: Path) -> None:
    async with chat_app(tmp_path, profile=Profile("tea", "ann", "127.0.0.1")) as driver:
        for field_id, typed, expected in (
            ("#server", "http://", "name is missing"),
            ("#server", "http://host:99999", "port"),
            ("#server", "ftp://host", "Unknown scheme"),
            ("#nick", "a\u200bb", "cannot contain"),
        ):
            field = driver.app.join_form.query_one(field_id, FormField)
            field.input.focus()
            await driver.press("ctrl+u")
            assert expected not in driver.screen_text()
            for character in typed:
                field.input.insert_text_at_cursor(character)
            await driver.press("enter")
            await driver.wait_for_text(expected)
            assert field.has_class("-invalid")


async def test_a_nickname_with_joined_emoji_is_typed_into_the_form(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, chat_app(tmp_path, server=server.url) as driver:
        await driver.type_text("tea")
        await driver.press("enter")
        await driver.type_text("👨\u200d👩\u200d👧 ❤\ufe0fx")
        await driver.press("backspace", "enter")
        await driver.wait_until(lambda: len(driver.app.screen_stack) > 1 and driver.displayed_room)
        assert driver.displayed_room is not None
        assert driver.displayed_room.nick == "👨\u200d👩\u200d👧 ❤"


async def test_the_saved_profile_restores_the_room_and_the_member_id(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, chat_app_in_room(tmp_path, server.url, "ann") as driver:
        profile, notice = load(tmp_path / "ann" / "state")
        assert notice == ""
        assert (profile.room, profile.nick, profile.server) == ("tea", "ann", server.url)
        assert find_guest_key(profile, server.url, "Ann")
        member_id = driver.chat_screen.session.rooms["tea"].member_id
        await driver.press("ctrl+q")
        async with chat_app(tmp_path, profile=profile) as restarted:
            assert all(text in restarted.screen_text() for text in ("tea", "ann", server.url))
            await restarted.press("enter")
            await restarted.wait_for_text("1 here")
            assert restarted.chat_screen.session.rooms["tea"].member_id == member_id


async def test_a_chat_url_fills_server_and_room(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        link = server.url.replace("http://", "chat://") + "/%E8%8C%B6"
        async with chat_app(tmp_path, server=link, nick="ann") as driver:
            await driver.wait_for_text("1 here")
            assert driver.first_row_of(driver.chat_screen.query_one("ChatHeader")).startswith("茶")


async def test_room_and_invite_in_the_server_address_fill_the_room_field_despite_errors_of_other_fields(
    tmp_path: Path,
) -> None:
    async with chat_app(tmp_path, nick="a\u200bb") as driver:
        await driver.press("tab", "tab", "ctrl+u")
        await driver.type_text("chat://127.0.0.1:9/room-in-url")
        await driver.press("enter")
        room = driver.app.join_form.query_one("#room Input", Input)
        assert room.value == "room-in-url"
        assert "cannot contain" in driver.screen_text()
        room.value = ""
        driver.app.join_form.set_server("http://127.0.0.1:9/#/room?invite=secret")
        driver.app.join_form.action_submit()
        assert room.value == "room?invite=secret"


@pytest.fixture
def closed_port() -> Generator[int]:
    """Reserved port without a listener."""
    with reserved_port() as port:
        yield port


async def test_an_unreachable_local_address_offers_a_server_that_continues_for_other_clients(
    home: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
    url = f"http://127.0.0.1:{closed_port}"
    async with chat_app(home, server=url, room="tea", nick="ann") as driver:
        await driver.wait_for_text("No chat server at")
        await driver.wait_for_text(tr(app_strings.BUTTON_START_SERVER))
        await driver.press("enter")
        await driver.wait_for_text("Others join with")
        assert f"chat-tui {url}" in driver.screen_text()
        async with ChatClient(url) as bob:
            room = await bob.join("tea", nick="bob")
            await room.send("hello from outside")
            await driver.wait_for_text("hello from outside")
            await driver.send_message("hello back")
            await driver.wait_until_sent()
            await driver.press("ctrl+q")
            await driver.wait_until(lambda: not driver.app.is_running)
            await room.send("still here")
            await wait_until(lambda: message_texts(room) == ["hello from outside", "hello back", "still here"])


async def test_an_unreachable_https_address_offers_no_local_server(tmp_path: Path, closed_port: int) -> None:
    async with chat_app(tmp_path, server=f"https://127.0.0.1:{closed_port}", room="tea", nick="ann") as driver:
        await driver.wait_until(lambda: driver.join_screen.query_one("#server").has_class("-invalid"))
        assert tr(app_strings.BUTTON_START_SERVER) not in driver.screen_text()


async def test_serve_joins_a_chat_server_that_already_runs_on_the_port(home: Path) -> None:
    async with (
        running_server(home) as server,
        chat_app(home, serve=True, port=server.port, room="tea", nick="ann") as driver,
    ):
        await driver.wait_for_text("1 here")
        await driver.wait_for_text("Joined the server that already runs at")


async def test_stop_server_asks_with_others_and_returns_to_the_form(home: Path) -> None:
    async with chat_app(home, serve=True, port=0, room="tea", nick="ann") as driver:
        await driver.wait_for_text("Others join with")
        server = driver.app._lifecycle.local_server  # pyright: ignore[reportPrivateUsage]
        async with ChatClient(server.url) as bob:
            await bob.join("tea", nick="bob")
            await driver.send_message("/stop-server")
            await driver.wait_for_text("Repeat /stop-server to stop the server.")
            await driver.send_message("/stop-server")
            await driver.wait_for_text(tr(app_strings.SERVER_STOPPED))
            assert driver.app.screen is driver.join_screen


async def test_stop_server_rejects_a_server_of_another_program(tmp_path: Path, home: Path) -> None:
    async with running_server(tmp_path) as server, chat_app_in_room(tmp_path, server.url, "ann") as driver:
        await driver.send_message("/stop-server")
        await driver.wait_for_text(f"No server is running with port {server.port}.")


async def test_serve_reports_a_port_used_by_another_program(home: Path) -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        async with chat_app(home, serve=True, port=port, room="tea", nick="ann") as driver:
            await driver.wait_for_text("is in use by")


async def test_the_join_form_is_usable_in_a_small_terminal(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(40, 10)) as driver:
        screen_text = driver.screen_text()
        assert all(
            tr(text) in screen_text
            for text in (
                app_strings.LABEL_ROOM,
                app_strings.LABEL_NICK,
                app_strings.LABEL_SERVER,
                app_strings.BUTTON_JOIN,
            )
        )


async def test_the_join_form_is_disabled_while_connecting_until_escape_but_not_a_dialog_above(tmp_path: Path) -> None:
    with socket.socket() as silent_socket:
        silent_socket.bind(("127.0.0.1", 0))
        silent_socket.listen()
        url = f"http://127.0.0.1:{silent_socket.getsockname()[1]}"
        async with chat_app(tmp_path, server=url, room="tea", nick="ann") as driver:
            await driver.wait_for_text("Connecting to")
            await driver.type_text("typed ahead")
            assert "typed" not in driver.screen_text()
            await driver.press("f1")
            await driver.type_text("palette")
            await driver.wait_for_text("palette▏ 2 lines")
            await driver.press("escape")
            await driver.wait_for_text("Connecting to")
            await driver.press("escape")
            await driver.wait_until(lambda: "Connecting to" not in driver.screen_text())
            await driver.type_text("2")
            await driver.wait_for_text("tea2")
            assert "typed" not in driver.screen_text()
