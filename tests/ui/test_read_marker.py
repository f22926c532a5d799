"""What is read and what is not: the focus of the terminal, the room shown, the place in it."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from textual import events

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.in_process_server import running_server
from tui_chat.client.client import ChatClient
from tui_chat.session.lines import Line, MessageLine, UnreadLine


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


def first_unread(lines: Sequence[Line]) -> str:
    """What was said right below the unread line, empty when there is no such line."""
    for index, line in enumerate(lines):
        if isinstance(line, UnreadLine):
            below = next(line for line in lines[index:] if isinstance(line, MessageLine))
            return below.text
    return ""


async def look(person: ChatAppDriver, here: bool) -> None:
    """The terminal gains or loses the focus."""
    person.app.post_message(events.AppFocus() if here else events.AppBlur())
    await person.pilot.pause()


async def test_the_unread_line_stands_above_what_came_while_the_terminal_was_elsewhere_until_one_looks_away_again(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        tea = ann.chat_screen.session.rooms["tea"]
        await room.send("seen")
        await ann.wait_for_text("seen")
        assert first_unread(ann.timeline.lines) == ""
        await look(ann, False)
        await room.send("first unseen")
        await room.send("second unseen")
        await ann.wait_until(lambda: tea.unread_count == 2)
        assert first_unread(ann.timeline.lines) == "first unseen"
        await look(ann, True)
        await ann.wait_until(lambda: tea.unread_count == 0)
        assert first_unread(ann.timeline.lines) == "first unseen", "so that one finds it"
        await look(ann, False)
        await room.send("later")
        await ann.wait_until(lambda: tea.unread_count == 1)
        assert first_unread(ann.timeline.lines) == "later"


async def test_the_unread_line_is_set_when_one_leaves_the_room(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        await room.send("seen")
        await ann.wait_for_text("seen")
        await ann.send_message("/join dev")
        await ann.wait_until(lambda: len(ann.chat_screen.session.rooms) == 2)
        tea = ann.chat_screen.session.rooms["tea"]
        await room.send("unseen")
        await ann.wait_until(lambda: tea.unread_count == 1)
        await ann.press("alt+1")
        await ann.wait_until(lambda: tea.unread_count == 0)
        assert first_unread(ann.timeline.lines) == "unseen"


async def test_coming_back_to_a_terminal_that_is_scrolled_up_reads_nothing(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        tea = ann.chat_screen.session.rooms["tea"]
        for number in range(40):
            await room.send(f"line {number}")
        await ann.wait_for_text("line 39")
        await ann.press("pageup")
        await look(ann, False)
        await room.send("unseen")
        await ann.wait_until(lambda: tea.unread_count == 1)
        await look(ann, True)
        assert tea.unread_count == 1
        await ann.press("alt+u")
        await ann.wait_for_text("unseen")
        await ann.press("alt+end")
        await ann.wait_until(lambda: tea.unread_count == 0)


async def test_what_comes_behind_another_screen_is_not_read(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        tea = ann.chat_screen.session.rooms["tea"]
        await ann.press("f9")
        await room.send("behind it")
        await ann.wait_until(lambda: tea.unread_count == 1)
        await ann.press("escape")
        await ann.wait_until(lambda: tea.unread_count == 0)


async def test_what_one_says_oneself_from_elsewhere_is_not_unread(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        tea = ann.chat_screen.session.rooms["tea"]
        await look(ann, False)
        ann.chat_screen.connection.post("tea", "from here", None)
        await room.send("from there")
        await ann.wait_until(lambda: tea.unread_count == 1)
        assert first_unread(ann.timeline.lines) == "from there"
