from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from textual import events
from textual.widgets import OptionList

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.in_process_server import running_server
from tui_chat.client.client import ChatClient
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.screens.room_switcher import RoomSwitcher


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


async def joined(person: ChatAppDriver, *rooms: str) -> None:
    for room in rooms:
        await person.send_message(f"/join {room}")
        await person.wait_until(
            lambda room=room: person.chat_screen.displayed_room is person.chat_screen.session.rooms.get(room)
        )


async def switcher(person: ChatAppDriver) -> RoomSwitcher:
    await person.wait_until(
        lambda: isinstance(person.app.screen, RoomSwitcher) and person.app.screen.focused is not None
    )
    assert isinstance(person.app.screen, RoomSwitcher)
    return person.app.screen


@pytest.mark.parametrize("key", ["f4", "ctrl+k"])
async def test_letters_and_enter_lead_to_an_open_room(server: RunningServer, tmp_path: Path, key: str) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev", "ops")
        await ann.type_text("for ops")
        await ann.press(key)
        await switcher(ann)
        await ann.type_text("t")
        await ann.press("enter")
        await ann.wait_until(lambda: ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["tea"])
        assert ann.app.focused is ann.composer
        assert ann.composer.text == ""
        await ann.press("f4")
        await switcher(ann)
        await ann.press("escape")
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen)
        assert ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["tea"]


async def test_ctrl_k_still_cuts_where_something_follows(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("one two")
        await ann.press("ctrl+a", "ctrl+k")
        assert ann.composer.text == ""
        assert ann.app.screen is ann.chat_screen


@pytest.mark.parametrize("key", ["f4", "ctrl+k"])
async def test_what_is_typed_right_behind_the_key_is_never_sent(
    server: RunningServer, tmp_path: Path, key: str
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev")
        for each in (key, "t", "e", "a", "enter"):
            ann.app.post_message(events.Key(each, each if len(each) == 1 else None))
        await ann.wait_until(
            lambda: (
                ann.app.screen is ann.chat_screen
                and ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["tea"]
            )
        )
        for view in ann.chat_screen.session.rooms.values():
            assert not any(isinstance(line, MessageLine) for line in view.transcript.lines)


async def test_rooms_of_the_server_are_offered_and_joined(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        books = await other.join("books", nick="bob")
        await books.set_topic("what we [b]read[/b]")
        await ann.press("f4")
        await ann.wait_for_text("what we [b]read[/b]")
        assert "1 here" in ann.screen_text()
        await ann.press("down", "enter")
        await ann.wait_until(lambda: "books" in ann.chat_screen.session.rooms)
        await ann.wait_until(lambda: ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["books"])
        assert list(ann.chat_screen.session.rooms) == ["tea", "books"]


async def test_a_new_name_makes_a_room(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/go garden")
        await ann.wait_for_text(tr(chat_strings.NEW_ROOM))
        await ann.press("enter")
        await ann.wait_until(lambda: "garden" in ann.chat_screen.session.rooms)


async def test_the_whole_name_of_an_open_room_needs_no_choosing(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev")
        await joined(ann, "develop")
        await ann.send_message("/go DEV")
        await ann.send_message("here")
        await ann.wait_until(
            lambda: ann.chat_screen.session.unsent_count == 0 and ann.chat_screen.session.rooms["dev"].newest_seq == 1
        )
        assert ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["dev"]
        await ann.send_message("/go dev")
        assert ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["dev"]
        assert isinstance(ann.app.screen, ChatScreen)


async def test_a_room_is_chosen_with_the_mouse_at_any_size(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(40, 10)) as ann:
        await joined(ann, "dev")
        await ann.press("f4")
        screen = await switcher(ann)
        assert "dev" in ann.screen_text()
        await ann.pilot.click(OptionList, offset=(5, 0))
        await ann.wait_until(lambda: ann.app.screen is not screen)
        await ann.wait_until(lambda: ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["tea"])
