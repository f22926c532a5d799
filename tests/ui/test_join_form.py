import socket
from pathlib import Path

import pytest

from tests.support.chat_app import chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tui_chat.client.client import ChatClient
from tui_chat.session.i18n import tr
from tui_chat.session.store.profile import Profile, load
from tui_chat.session.strings import chat as chat_strings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_the_form_asks_for_what_is_missing_beside_the_field(tmp_path: Path) -> None:
    async with chat_app(tmp_path) as person:
        await person.press("enter")
        await person.wait_for_text(tr(chat_strings.ROOM_REQUIRED))
        assert tr(chat_strings.NICK_REQUIRED) in person.screen_text()
        await person.type_text("tea")
        assert tr(chat_strings.ROOM_REQUIRED) not in person.screen_text()
        await person.press("enter")
        await person.type_text("ann")
        assert "ann" in person.screen_text()


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        (1, "a\u200bb", "cannot hold"),
        (2, "http://", "name is missing"),
        (2, "http://host:99999", "port"),
        (2, "ftp://host", "starts with"),
    ],
)
async def test_wrong_input_is_told_beside_the_field(tmp_path: Path, field: int, typed: str, told: str) -> None:
    async with chat_app(tmp_path, kept=Profile("tea", "ann", "127.0.0.1")) as person:
        for _ in range(field):
            await person.press("tab")
        await person.press("ctrl+u")
        for character in typed:
            person.app.focused.insert_text_at_cursor(character)  # type: ignore[union-attr]
        await person.press("enter")
        await person.wait_until(lambda: told in person.screen_text())


async def test_what_was_joined_is_remembered_with_its_guest_key(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, chat_app_in_room(tmp_path, server.url, "ann") as person:
        kept, notice = load(tmp_path / "ann" / "state")
        assert notice == ""
        assert (kept.room, kept.nick, kept.server) == ("tea", "ann", server.url)
        assert kept.guest_key(server.url, "Ann")
        member_id = person.chat_screen.session.rooms["tea"].member_id
        await person.press("ctrl+q")
        async with chat_app(tmp_path, kept=kept) as again:
            assert all(text in again.screen_text() for text in ("tea", "ann", server.url))
            await again.press("enter")
            await again.wait_for_text("1 here")
            assert again.chat_screen.session.rooms["tea"].member_id == member_id


async def test_a_link_fills_server_and_room(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        link = server.url.replace("http://", "chat://") + "/%E8%8C%B6"
        async with chat_app(tmp_path, server=link, nick="ann") as person:
            await person.wait_for_text("1 here")
            assert person.first_row_of(person.chat_screen.query_one("ChatHeader")).startswith("茶")


async def test_no_server_there_is_told_and_one_is_offered_which_stops_with_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_DATABASE", str(tmp_path / "own.db"))
    url = f"http://127.0.0.1:{free_port()}"
    async with chat_app(tmp_path, server=url, room="tea", nick="ann") as person:
        await person.wait_for_text(chat_strings.no_server_at("").split("  ")[0].rstrip(" ."))
        await person.wait_for_text(tr(chat_strings.BUTTON_START_SERVER))
        await person.press("enter")
        await person.wait_for_text("Others join with")
        assert f"chat-tui {url}" in person.screen_text()
        async with ChatClient(url) as other:
            room = await other.join("tea", nick="bob")
            await room.send("hello from outside")
            await person.wait_for_text("hello from outside")
        await person.send_message("hello back")
        await person.wait_until(lambda: person.chat_screen.session.unsent_count == 0)
        await person.press("ctrl+q")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) != 0
    assert (tmp_path / "own.db").exists()


async def test_no_server_far_away_is_told_and_none_is_offered(tmp_path: Path) -> None:
    async with chat_app(tmp_path, server=f"https://127.0.0.1:{free_port()}", room="tea", nick="ann") as person:
        await person.wait_until(lambda: person.join_screen.query_one("#server").has_class("-invalid"))
        assert tr(chat_strings.BUTTON_START_SERVER) not in person.screen_text()


async def test_serving_where_a_chat_server_runs_joins_that_one(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        chat_app(tmp_path, serve=True, port=server.port, room="tea", nick="ann") as person,
    ):
        await person.wait_for_text("1 here")
        await person.wait_for_text(tr(chat_strings.JOINED_EXISTING_SERVER)[:40])


async def test_serving_where_something_else_runs_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with chat_app(tmp_path, serve=True, port=port, room="tea", nick="ann") as person:
            await person.wait_for_text("Something that is not a chat server")


async def test_the_form_is_usable_on_a_tiny_terminal(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(40, 10)) as person:
        shown = person.screen_text()
        assert all(
            tr(text) in shown
            for text in (
                chat_strings.LABEL_ROOM,
                chat_strings.LABEL_NICK,
                chat_strings.LABEL_SERVER,
                chat_strings.BUTTON_JOIN,
            )
        )


async def test_while_it_connects_nothing_can_be_typed_and_esc_stops_it(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with chat_app(tmp_path, server=url, room="tea", nick="ann") as person:
            await person.wait_for_text("Connecting to")
            await person.type_text("typed ahead")
            assert "typed" not in person.screen_text()
            await person.press("escape")
            assert "Connecting to" not in person.screen_text()
            await person.type_text("2")
            await person.wait_for_text("tea2")
