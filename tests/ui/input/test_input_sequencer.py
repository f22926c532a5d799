"""Order of input that arrives in one burst, for example over a slow connection."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from textual import events
from textual.timer import Timer
from textual.widgets import Input

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.client.events import Offline, RoomLost
from tui_chat.protocol.errors import NotJoined
from tui_chat.ui.input.input_sequencer import InputSequencer
from tui_chat.ui.screens import room_navigation
from tui_chat.ui.screens.help import HelpScreen
from tui_chat.ui.screens.paste import PasteScreen
from tui_chat.ui.screens.search import SearchScreen


def post_burst(driver: ChatAppDriver, *inputs: str) -> None:
    """Queue all key names and the letters of all texts before the app handles the first event."""
    key_characters = {"enter": "\r", "escape": "\x1b", "down": None}
    for item in inputs:
        if item in key_characters or (len(item) > 1 and ("+" in item or item[1:].isdigit())):
            driver.app.post_message(events.Key(item, key_characters.get(item)))
            continue
        for character in item:
            driver.app.post_message(events.Key("space" if character == " " else character, character))


async def test_a_text_is_sent_to_the_room_selected_before_it_or_after_a_part(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.join_rooms("dev")
        post_burst(ann, "/part", "enter", "after dev", "enter")
        await ann.wait_until(lambda: ann.message_texts() == ["after dev"])
        await ann.join_rooms("ops", "dev")
        post_burst(
            ann, "half a line", "f4", "tea", "enter", "for tea", "enter", "f4", "ops", "enter", "for ops", "enter"
        )
        await ann.wait_until(lambda: ann.message_texts("ops") == ["for ops"])
        assert ann.message_texts() == ["after dev", "for tea"]
        assert ann.message_texts("dev") == []
        post_burst(ann, "f4", "dev", "enter")
        await ann.wait_until(lambda: ann.composer.text == "half a line")


async def test_arrow_keys_in_the_switcher_apply_after_the_typed_letters(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.join_rooms("team", "dev")
        post_burst(ann, "f4", "te", "down", "enter", "for the second", "enter")
        await ann.wait_until(lambda: ann.message_texts("team") == ["for the second"])
        assert ann.app.screen is ann.chat_screen
        assert ann.message_texts() == []
        assert ann.message_texts("dev") == []


async def test_a_text_waits_until_its_room_is_joined(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        for room, join_input in (("new", "f4"), ("other", "/join ")):
            post_burst(ann, join_input, room, "enter", "for the new one", "enter")
            await ann.wait_until(lambda room=room: ann.message_texts(room) == ["for the new one"])
        assert ann.message_texts() == []


async def test_a_text_for_a_room_that_cannot_be_joined_stays_in_the_composer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_navigation, "SWITCH_TIMEOUT", 0.2)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(tmp_path))
        async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
            await stack.aclose()
            await ann.wait_until(lambda: isinstance(ann.chat_screen.session.connection_state, Offline))
            post_burst(ann, "/join ops", "enter", "secret", "enter", "more", "enter", "f1")
            await ann.wait_until(lambda: isinstance(ann.app.screen, HelpScreen))
            assert ann.composer.text == "secret\nmore"
            assert ann.message_texts() == []


async def test_input_is_not_sent_to_another_room_after_its_room_is_lost(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_navigation, "ROOM_CLOSED_GRACE", 60.0)
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.join_rooms("dev")
        await ann.type_text("half a li")
        ann.chat_screen.server_link.event_queue.put(RoomLost("dev", NotJoined("room_left")))
        await ann.wait_until(lambda: ann.displayed_room is ann.chat_screen.session.find_room("tea"))
        await ann.send_message("ne")
        assert ann.composer.text == ""
        ann.chat_screen.room_navigation.cancel_switch()  # end of the grace period
        assert ann.composer.text == "ne"
        assert ann.message_texts() == []
        await ann.press("enter")
        await ann.wait_until(lambda: ann.message_texts() == ["ne"])


async def test_help_keys_are_handled_in_order_and_search_input_is_not_sent_as_a_message(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        post_burst(ann, "f1", "escape", "hello", "enter", "escape", "f1")
        await ann.wait_until(lambda: ann.message_texts() == ["hello"] and isinstance(ann.app.screen, HelpScreen))
        await ann.press("escape")
        post_burst(ann, "a draft", "alt+s", "kettle", "enter")
        await ann.wait_until(lambda: isinstance(ann.app.screen, SearchScreen))
        await ann.wait_until(lambda: [field.value for field in ann.app.screen.query(Input)] == ["kettle"])
        post_burst(ann, "escape", " continues", "enter")
        await ann.wait_until(lambda: ann.message_texts() == ["hello", "a draft continues"])


async def test_letters_after_ctrl_s_act_on_the_selected_message(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("first")
        await ann.send_message("second")
        await ann.wait_until_sent()
        post_burst(ann, "ctrl+s", "k", "e", " line", "enter", "third", "enter")
        await ann.wait_until(lambda: ann.message_texts() == ["first line", "second", "third"])


async def test_keys_after_a_long_paste_do_not_answer_the_paste_dialog(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        ann.app.post_message(events.Paste("\n".join("abcdefgh")))
        post_burst(ann, "see", "enter")
        await ann.wait_for_effects()
        assert isinstance(ann.app.screen, PasteScreen)
        await ann.press("escape")
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen)
        assert ann.message_texts() == []


async def test_a_burst_through_a_pseudo_terminal_keeps_its_order(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path / "ann") as tty:
        await tty.wait_for_text("1 here")
        tty.write_keys("/join ops\rfor ops\r\x1bOS" + "tea\rfor tea\r\x1bs" + "for\x07\x1bOP\x1bOPbye\r\x11")
        assert await tty.wait_closed() == 0
    async with chat_app_in_room(tmp_path, server.url, "bob") as bob:
        await bob.join_rooms("ops")
        await bob.wait_until(
            lambda: bob.message_texts() == ["for tea", "bye"] and bob.message_texts("ops") == ["for ops"]
        )


class SilentNode:
    """Node that never handles its messages."""

    def call_later(self, callback: Callable[..., Any], /, *args: Any) -> bool:
        return True


async def test_each_wait_for_the_effects_of_a_key_ends_after_the_timeout() -> None:
    dispatched: list[events.Key | events.Paste] = []
    timeouts: list[Callable[[], Awaitable[None]]] = []

    async def dispatch(item: events.Key | events.Paste) -> None:
        dispatched.append(item)

    def set_timer(delay: float, callback: Callable[[], Awaitable[None]]) -> Timer:
        timeouts.append(callback)
        return Mock(Timer)

    sequencer = InputSequencer(dispatch, lambda: True, lambda: [SilentNode()], set_timer)
    keys = [events.Key(name, None) for name in ("f4", "enter", "escape")]
    for key in keys:
        await sequencer.push(key)
    for count in (1, 2, 3):
        assert dispatched == keys[:count]
        assert len(timeouts) == min(count, 2)
        if count < 3:
            await timeouts[-1]()
