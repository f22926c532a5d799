"""What is there again when the program is started anew."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.runtime import RunningServer
from tests.support.chat_app import Person, chat_app, in_room
from tests.support.serving import serving
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.client.chat import ChatClient
from tui_chat.session.remembered import Profile
from tui_chat.ui.screens.chat import ChatScreen


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with serving(tmp_path, rate_limit="off") as running:
        yield running


async def joined(person: Person, room: str) -> None:
    await person.say(f"/join {room}")
    await person.until(lambda: person.chat.displayed_room is person.chat.session.rooms.get(room))


async def come_back(person: Person, rooms: int) -> None:
    """Press Enter on the form, and wait for the rooms."""
    await person.press("enter")
    await person.until(lambda: any(isinstance(screen, ChatScreen) for screen in person.app.screen_stack))
    await person.until(lambda: len(person.chat.session.rooms) == rooms and person.chat.displayed_room is not None)


def again(url: str) -> Profile:
    return Profile(room="dev", nick="ann", server=url)


async def test_rooms_drafts_and_what_was_sent_come_back(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", cache=None) as ann:
        await joined(ann, "dev")
        await joined(ann, "ops")
        await ann.type("for ops")
        await ann.press("alt+1")
        await ann.say("said in tea")
        await ann.type("for tea")
    async with chat_app(tmp_path / "ann", kept=again(server.url), cache=tmp_path / "cache") as ann:
        await come_back(ann, 3)
        assert list(ann.chat.session.rooms) == ["tea", "dev", "ops"]
        assert ann.chat.displayed_room is ann.chat.session.rooms["dev"]
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
        async with in_room(folder, server.url, "ann", cache=cache) as ann:
            await ann.say("/names")
            await ann.sees("1 here: ann")
        async with in_room(folder, server.url, "ann", cache=cache) as ann:
            await ann.press("up")
            assert ann.composer.text == ("/names" if cached else "")


async def test_a_room_that_was_left_does_not_come_back(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev")
        await ann.say("/part tea")
        await ann.until(lambda: list(ann.chat.session.rooms) == ["dev"])
        await joined(ann, "ops")
    async with chat_app(tmp_path / "ann", kept=again(server.url)) as ann:
        await come_back(ann, 2)
        assert list(ann.chat.session.rooms) == ["dev", "ops"]


async def test_a_room_that_is_named_is_the_only_one(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev")
    async with in_room(tmp_path, server.url, "ann", room="ops") as ann:
        await ann.say("here")
        await ann.sees("here")
        assert list(ann.chat.session.rooms) == ["ops"]
    async with chat_app(tmp_path / "ann", kept=again(server.url)) as ann:
        await come_back(ann, 3)
        assert list(ann.chat.session.rooms) == ["tea", "dev", "ops"]


async def test_what_was_said_meanwhile_is_unread_in_every_room(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann, ChatClient(server.url) as other:
        tea, dev = await other.join("tea", nick="bob"), await other.join("dev", nick="bob")
        await tea.send("seen in tea")
        await ann.sees("seen in tea")
        await joined(ann, "dev")
        await dev.send("seen in dev")
        await ann.sees("seen in dev")
        await ann.until(lambda: ann.chat.session.rooms["dev"].unread_count == 0)
        await ann.press("ctrl+q")
        await ann.until(lambda: not ann.app.is_running)
        await tea.send("ann: missed in tea")
        await dev.send("missed in dev")
        async with chat_app(tmp_path / "ann", kept=again(server.url), cache=tmp_path / "cache") as back:
            await come_back(back, 2)
            await back.sees("missed in dev")
            await back.sees("@1")
            assert (
                back.screen().index("seen in dev") < back.screen().index("─ new ─") < back.screen().index("missed in")
            )


async def test_the_settings_can_say_that_no_room_comes_back(server: RunningServer, tmp_path: Path) -> None:
    async with in_room(tmp_path, server.url, "ann") as ann:
        await joined(ann, "dev")
    async with chat_app(tmp_path / "ann", kept=again(server.url), settings={"come_back": False}) as ann:
        await come_back(ann, 1)
        await ann.say("here")
        await ann.sees("here")
        assert list(ann.chat.session.rooms) == ["dev"]


async def test_a_draft_survives_being_killed(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for("1 here")
        ann.type("half a thought")
        await ann.wait_for("half a thought")
        await asyncio.sleep(1.5)  # what may be lost is the last second
        ann.signal(signal.SIGKILL)
        await ann.ended()
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for("half a thought")
        ann.type(" and its end\r")
        await ann.wait_for("✓ half a thought and its end")
        ann.signal(signal.SIGKILL)
        await ann.ended()
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for("1 here")
        await ann.wait_for("Message")
