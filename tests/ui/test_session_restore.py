"""What is there again when the program is started anew."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.client.client import ChatClient
from tui_chat.session.store.profile import Profile
from tui_chat.ui.screens.chat import ChatScreen


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


async def joined(person: ChatAppDriver, room: str) -> None:
    await person.send_message(f"/join {room}")
    await person.wait_until(lambda: person.chat_screen.displayed_room is person.chat_screen.session.rooms.get(room))


async def come_back(person: ChatAppDriver, rooms: int) -> None:
    """Press Enter on the form, and wait for the rooms."""
    await person.press("enter")
    await person.wait_until(lambda: any(isinstance(screen, ChatScreen) for screen in person.app.screen_stack))
    await person.wait_until(
        lambda: len(person.chat_screen.session.rooms) == rooms and person.chat_screen.displayed_room is not None
    )


def again(url: str) -> Profile:
    return Profile(room="dev", nick="ann", server=url)


async def test_rooms_drafts_and_what_was_sent_come_back(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", cache=None) as ann:
        await joined(ann, "dev")
        await joined(ann, "ops")
        await ann.type_text("for ops")
        await ann.press("alt+1")
        await ann.send_message("said in tea")
        await ann.type_text("for tea")
    async with chat_app(tmp_path / "ann", kept=again(server.url), cache=tmp_path / "cache") as ann:
        await come_back(ann, 3)
        assert list(ann.chat_screen.session.rooms) == ["tea", "dev", "ops"]
        assert ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["dev"]
        assert ann.composer.text == ""
        await ann.press("alt+1")
        assert ann.composer.text == "for tea"
        await ann.press("alt+3")
        assert ann.composer.text == "for ops"


async def test_what_was_sent_is_walked_after_a_restart_unless_nothing_is_cached(
    server: RunningServer, tmp_path: Path
) -> None:
    for cached in (True, False):
        folder = tmp_path / str(cached)
        cache = folder / "cache" if cached else None
        async with chat_app_in_room(folder, server.url, "ann", cache=cache) as ann:
            await ann.send_message("/names")
            await ann.wait_for_text("1 here: ann")
        async with chat_app_in_room(folder, server.url, "ann", cache=cache) as ann:
            await ann.press("up")
            assert ann.composer.text == ("/names" if cached else "")


async def test_a_room_that_was_left_does_not_come_back(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev")
        await ann.send_message("/part tea")
        await ann.wait_until(lambda: list(ann.chat_screen.session.rooms) == ["dev"])
        await joined(ann, "ops")
    async with chat_app(tmp_path / "ann", kept=again(server.url)) as ann:
        await come_back(ann, 2)
        assert list(ann.chat_screen.session.rooms) == ["dev", "ops"]


async def test_a_room_that_is_named_is_the_only_one(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev")
    async with chat_app_in_room(tmp_path, server.url, "ann", room="ops") as ann:
        await ann.send_message("here")
        await ann.wait_for_text("here")
        assert list(ann.chat_screen.session.rooms) == ["ops"]
    async with chat_app(tmp_path / "ann", kept=again(server.url)) as ann:
        await come_back(ann, 3)
        assert list(ann.chat_screen.session.rooms) == ["tea", "dev", "ops"]


async def test_what_was_said_meanwhile_is_unread_in_every_room(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann,
        ChatClient(server.url) as other,
    ):
        tea, dev = await other.join("tea", nick="bob"), await other.join("dev", nick="bob")
        await tea.send("seen in tea")
        await ann.wait_for_text("seen in tea")
        await joined(ann, "dev")
        await dev.send("seen in dev")
        await ann.wait_for_text("seen in dev")
        await ann.wait_until(lambda: ann.chat_screen.session.rooms["dev"].unread_count == 0)
        await ann.press("ctrl+q")
        await ann.wait_until(lambda: not ann.app.is_running)
        await tea.send("ann: missed in tea")
        await dev.send("missed in dev")
        async with chat_app(tmp_path / "ann", kept=again(server.url), cache=tmp_path / "cache") as back:
            await come_back(back, 2)
            await back.wait_for_text("missed in dev")
            await back.wait_for_text("@1")
            assert (
                back.screen_text().index("seen in dev")
                < back.screen_text().index("─ new ─")
                < back.screen_text().index("missed in")
            )


async def test_the_settings_can_say_that_no_room_comes_back(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev")
    async with chat_app(tmp_path / "ann", kept=again(server.url), settings={"come_back": False}) as ann:
        await come_back(ann, 1)
        await ann.send_message("here")
        await ann.wait_for_text("here")
        assert list(ann.chat_screen.session.rooms) == ["dev"]


async def test_a_draft_survives_being_killed(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for_text("1 here")
        ann.write_keys("half a thought")
        await ann.wait_for_text("half a thought")
        await asyncio.sleep(1.5)  # what may be lost is the last second
        ann.send_signal(signal.SIGKILL)
        await ann.wait_closed()
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for_text("half a thought")
        ann.write_keys(" and its end\r")
        await ann.wait_for_text("✓ half a thought and its end")
        ann.send_signal(signal.SIGKILL)
        await ann.wait_closed()
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for_text("1 here")
        await ann.wait_for_text("Message")
