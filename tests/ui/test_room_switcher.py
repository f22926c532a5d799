"""Room switcher, and `/go` without the switcher."""

from pathlib import Path

import pytest
from textual import events
from textual.widgets import OptionList

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tui_chat.client.client import ChatClient
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.screens.room_switcher import RoomSwitcher


async def wait_for_switcher(driver: ChatAppDriver) -> RoomSwitcher:
    """Wait until the switcher has the focus, and return the switcher."""
    await driver.wait_until(
        lambda: isinstance(driver.app.screen, RoomSwitcher) and driver.app.screen.focused is not None
    )
    assert isinstance(driver.app.screen, RoomSwitcher)
    return driver.app.screen


@pytest.mark.parametrize("key", ["f4", "ctrl+k"])
async def test_typed_letters_and_enter_switch_to_an_open_room_and_are_never_sent(
    server: RunningServer, tmp_path: Path, key: str
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("one two")
        await ann.press("ctrl+a", "ctrl+k")
        assert ann.composer.text == ""
        assert ann.app.screen is ann.chat_screen
        await ann.join_rooms("dev", "ops")
        await ann.type_text("for ops")
        await ann.press(key)
        await wait_for_switcher(ann)
        await ann.type_text("t")
        await ann.press("enter")
        await ann.wait_until(lambda: ann.displayed_room is ann.chat_screen.session.rooms["tea"])
        assert ann.app.focused is ann.composer
        assert ann.composer.text == ""
        await ann.press("f4")
        await wait_for_switcher(ann)
        await ann.type_text("t")
        cursor_position = ann.app.cursor_position
        ann.chat_screen.refresh(layout=True)
        await ann.pilot.pause()
        assert ann.app.cursor_position == cursor_position
        await ann.press("escape")
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen)
        assert ann.displayed_room is ann.chat_screen.session.rooms["tea"]
        await ann.press("alt+2")
        assert ann.displayed_room is ann.chat_screen.session.rooms["dev"]
        for pressed in (key, "t", "e", "a", "enter"):
            ann.app.post_message(events.Key(pressed, pressed if len(pressed) == 1 else None))
        await ann.wait_until(
            lambda: ann.app.screen is ann.chat_screen and ann.displayed_room is ann.chat_screen.session.rooms["tea"]
        )
        for view in ann.chat_screen.session.rooms.values():
            assert not any(isinstance(line, MessageLine) for line in view.transcript.lines)


async def test_rooms_of_the_server_are_listed_and_joined(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        books = await bob.join("books", nick="bob")
        await books.set_topic("what we [b]read[/b]")
        await ann.press("f4")
        await ann.wait_for_text("what we [b]read[/b]")
        assert "1 here" in ann.screen_text()
        await ann.press("down", "enter")
        await ann.wait_until(lambda: "books" in ann.chat_screen.session.rooms)
        await ann.wait_until(lambda: ann.displayed_room is ann.chat_screen.session.rooms["books"])
        assert list(ann.chat_screen.session.rooms) == ["tea", "books"]


async def test_go_switches_to_the_full_name_of_an_open_room_directly_and_creates_unknown_rooms(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.join_rooms("dev")
        await ann.join_rooms("develop")
        await ann.send_message("/go DEV")
        await ann.send_message("here")
        await ann.wait_until(
            lambda: (
                ann.chat_screen.session.pending_count == 0
                and ann.chat_screen.session.rooms["dev"].transcript.newest_seq == 1
            )
        )
        assert ann.displayed_room is ann.chat_screen.session.rooms["dev"]
        await ann.send_message("/go dev")
        assert ann.displayed_room is ann.chat_screen.session.rooms["dev"]
        assert isinstance(ann.app.screen, ChatScreen)
        await ann.send_message("/go garden")
        await ann.wait_for_text(tr("new room"))
        await ann.press("enter")
        await ann.wait_until(lambda: "garden" in ann.chat_screen.session.rooms)


async def test_a_room_is_selected_with_the_mouse_in_a_small_terminal(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(40, 10)) as ann:
        await ann.join_rooms("dev")
        await ann.press("f4")
        screen = await wait_for_switcher(ann)
        assert "dev" in ann.screen_text()
        await ann.pilot.click(OptionList, offset=(5, 0))
        await ann.wait_until(lambda: ann.app.screen is not screen)
        await ann.wait_until(lambda: ann.displayed_room is ann.chat_screen.session.rooms["tea"])
