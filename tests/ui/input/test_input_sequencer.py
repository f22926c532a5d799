"""Keys that come all at once, as over a slow line, do what they do one by one."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.client.events import Offline, RoomLost
from tui_chat.session.lines import MessageLine
from tui_chat.ui.screens import room_navigation
from tui_chat.ui.screens.help import HelpScreen
from tui_chat.ui.screens.paste import PasteScreen
from tui_chat.ui.screens.search import SearchScreen


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


def burst(person: ChatAppDriver, *typed: str) -> None:
    """Names of keys, and texts to be typed letter by letter, all in the app's queue before it takes the first."""
    named = {"enter": "\r", "escape": "\x1b", "down": None}
    for each in typed:
        if each in named or (len(each) > 1 and ("+" in each or each[1:].isdigit())):
            person.app.post_message(events.Key(each, named.get(each)))
            continue
        for character in each:
            person.app.post_message(events.Key("space" if character == " " else character, character))


def said(person: ChatAppDriver, room: str) -> list[str]:
    view = person.chat_screen.session.find_room(room)
    if view is None:
        return []
    return [line.text for line in view.transcript.lines if isinstance(line, MessageLine)]


async def in_rooms(person: ChatAppDriver, *rooms: str) -> None:
    for room in rooms:
        await person.send_message(f"/join {room}")
        await person.wait_until(
            lambda room=room: person.chat_screen.displayed_room is person.chat_screen.session.rooms.get(room)
        )


async def test_a_text_goes_to_the_room_that_was_chosen_before_it(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await in_rooms(ann, "ops", "dev")
        burst(ann, "half a line", "f4", "tea", "enter", "for tea", "enter", "f4", "ops", "enter", "for ops", "enter")
        await ann.wait_until(lambda: said(ann, "ops") == ["for ops"])
        assert said(ann, "tea") == ["for tea"]
        assert said(ann, "dev") == []
        burst(ann, "f4", "dev", "enter")
        await ann.wait_until(lambda: ann.composer.text == "half a line")


async def test_arrows_in_the_switcher_count_after_its_letters(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await in_rooms(ann, "team", "dev")
        burst(ann, "f4", "te", "down", "enter", "for the second", "enter")
        await ann.wait_until(
            lambda: (
                ann.chat_screen.displayed_room
                in (ann.chat_screen.session.find_room("tea"), ann.chat_screen.session.find_room("team"))
            )
        )
        chosen = ann.chat_screen.displayed_room
        assert chosen is not None
        await ann.wait_until(lambda: said(ann, chosen.name) == ["for the second"])
        assert ann.app.screen is ann.chat_screen
        assert said(ann, "dev") == []


@pytest.mark.parametrize("way", ["f4", "/join "])
async def test_a_text_waits_for_a_room_that_is_being_joined(server: RunningServer, tmp_path: Path, way: str) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        burst(ann, way, "new", "enter", "for the new one", "enter")
        await ann.wait_until(lambda: said(ann, "new") == ["for the new one"])
        assert said(ann, "tea") == []


async def test_a_text_for_a_room_that_does_not_come_stays_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_navigation, "SWITCH_TIMEOUT", 0.2)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(tmp_path))
        async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
            await stack.aclose()
            await ann.wait_until(lambda: isinstance(ann.chat_screen.session.connection_state, Offline))
            burst(ann, "/join ops", "enter", "secret", "enter", "more", "enter", "f1")
            await ann.wait_until(lambda: isinstance(ann.app.screen, HelpScreen))
            assert ann.composer.text == "secret\nmore"
            assert said(ann, "tea") == []


async def test_what_is_typed_while_its_room_goes_away_is_not_sent_to_another(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await in_rooms(ann, "dev")
        await ann.type_text("half a li")
        ann.chat_screen.connection.event_queue.put(RoomLost("dev", "it was closed"))
        await ann.wait_until(lambda: ann.chat_screen.displayed_room is ann.chat_screen.session.find_room("tea"))
        burst(ann, "ne", "enter")
        await ann.wait_until(lambda: ann.composer.text == "ne")
        await ann.press("enter")
        await ann.wait_until(lambda: said(ann, "tea") == ["ne"])


async def test_a_text_waits_for_the_room_behind_one_that_is_left(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await in_rooms(ann, "dev")
        burst(ann, "/part", "enter", "for tea", "enter")
        await ann.wait_until(lambda: said(ann, "tea") == ["for tea"])


async def test_what_is_typed_for_the_search_is_not_sent(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("one kettle")
        await ann.wait_until(lambda: said(ann, "tea") == ["one kettle"])
        burst(ann, "a draft", "alt+s", "kettle", "enter")
        await ann.wait_until(lambda: isinstance(ann.app.screen, SearchScreen))
        await ann.wait_until(lambda: [field.value for field in ann.app.screen.query(Input)] == ["kettle"])
        await ann.wait_for_text("one kettle")
        burst(ann, "escape", " goes on", "enter")
        await ann.wait_until(lambda: said(ann, "tea") == ["one kettle", "a draft goes on"])


async def test_escape_and_help_are_done_in_their_order(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        burst(ann, "f1", "escape", "hello", "enter", "escape", "f1")
        await ann.wait_until(lambda: said(ann, "tea") == ["hello"] and isinstance(ann.app.screen, HelpScreen))


async def test_a_picked_message_takes_the_letters_that_follow(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("first")
        await ann.send_message("second")
        await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0 and len(said(ann, "tea")) == 2)
        burst(ann, "ctrl+s", "k", "e", " line", "enter", "third", "enter")
        await ann.wait_until(lambda: said(ann, "tea") == ["first line", "second", "third"])


async def test_keys_behind_a_long_paste_do_not_decide_about_it(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        ann.app.post_message(events.Paste("\n".join("abcdefgh")))
        burst(ann, "see", "enter")
        await ann.wait_until(lambda: isinstance(ann.app.screen, PasteScreen))
        await ann.pilot.pause()
        assert isinstance(ann.app.screen, PasteScreen)
        await ann.press("escape")
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen)
        assert said(ann, "tea") == []


async def test_a_burst_through_a_real_terminal_keeps_its_order(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path / "ann") as shown:
        await shown.wait_for_text("1 here")
        shown.write_keys("/join ops\rfor ops\r\x1bOS" + "tea\rfor tea\r\x1bs" + "for\x07\x1bOP\x1bOPbye\r\x11")
        assert await shown.wait_closed() == 0
    async with chat_app_in_room(tmp_path, server.url, "bob") as bob:
        await in_rooms(bob, "ops")
        await bob.wait_until(lambda: said(bob, "tea") == ["for tea", "bye"] and said(bob, "ops") == ["for ops"])
