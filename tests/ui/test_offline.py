"""The terminal without a network: what is known is there, what is written waits, and the header is true."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.tcp_proxy import tcp_proxy
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.outbox import store
from tui_chat.client.storage.history_db import FILE_NAME
from tui_chat.session import chat_session
from tui_chat.session.lines import GapLine, MessageLine, NoticeLine
from tui_chat.session.store import composer_store
from tui_chat.session.store import profile as profile_store


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path / "server", rate_limit="off") as running:
        yield running


def header(person: ChatAppDriver) -> str:
    return person.first_row_of(person.chat_screen.query_one("ChatHeader"))


def said(person: ChatAppDriver) -> list[str]:
    return [line.text for line in person.timeline.lines if isinstance(line, MessageLine)]


def notices(person: ChatAppDriver) -> list[str]:
    return [line.text for line in person.timeline.lines if isinstance(line, NoticeLine)]


def on_disk(home: Path) -> int:
    """How much waits in the outbox of this home folder."""
    with closing(sqlite3.connect(next(home.rglob(store.FILE_NAME)))) as connection:
        (count,) = connection.execute("SELECT count(*) FROM postings").fetchone()
    return count


def settled(home: Path, sent: int) -> bool:
    """Whether so much stands on disk as sent, and nothing any more as being written."""
    with closing(sqlite3.connect(next(home.rglob(composer_store.FILE_NAME)))) as connection:
        (texts,) = connection.execute("SELECT count(*) FROM sent").fetchone()
        (drafts,) = connection.execute("SELECT count(*) FROM drafts").fetchone()
    return (texts, drafts) == (sent, 0)


async def test_the_header_counts_what_waits_and_when_it_is_tried_again(server: RunningServer, tmp_path: Path) -> None:
    async with tcp_proxy(server.port) as proxy, chat_app_in_room(tmp_path, proxy.url, "ann") as ann:
        await ann.wait_until(lambda: "● online" in header(ann) and " ms" in header(ann))
        proxy.refuse_connections()
        proxy.reset_all()
        await ann.wait_until(lambda: "○ offline" in header(ann))
        for text in ("one", "two", "three"):
            await ann.send_message(text)
        assert said(ann) == ["one", "two", "three"]
        await ann.wait_until(lambda: header(ann).endswith(", 3 unsent"))
        await ann.wait_until(lambda: "offline: retry in " in header(ann))
        proxy.accept_connections()
        await ann.send_message("/reconnect")
        await ann.wait_until(lambda: "● online" in header(ann))
        await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0)
        assert said(ann) == ["one", "two", "three"]


async def test_what_is_known_of_a_room_is_there_without_a_server(tmp_path: Path) -> None:
    start: dict[str, Any] = {"server": "", "room": "tea", "nick": "ann", "cache": tmp_path / "cache"}
    async with running_server(tmp_path / "server", rate_limit="off") as server:
        start["server"] = server.url
        async with chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann:
            await ann.send_message("hello")
            await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0)
        port = server.port
    kept, _ = profile_store.load(tmp_path / "ann" / "state")
    async with chat_app(tmp_path / "ann", kept=kept, **start) as ann:
        await ann.wait_for_text("hello")
        line = ann.timeline.lines[0]
        assert isinstance(line, MessageLine)
        assert line.is_own
        await ann.send_message("said offline")
        await ann.wait_until(lambda: header(ann).endswith(", 1 unsent"))
        async with running_server(tmp_path / "server", rate_limit="off", port=port):
            await ann.send_message("/reconnect")
            await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0)
            assert said(ann) == ["hello", "said offline"]


async def test_a_damaged_history_costs_one_notice(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / FILE_NAME).write_bytes(b"nothing of the kind" * 500)
    async with chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann:
        await ann.wait_until(lambda: [text for text in notices(ann) if "could not be read, and was set aside" in text])
        await ann.send_message("goes on")
        await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0)


async def test_a_killed_terminal_sends_what_was_typed_when_it_is_started_again(
    server: RunningServer, tmp_path: Path
) -> None:
    async with tcp_proxy(server.port) as proxy, ChatClient(server.url) as witness:
        tea = await witness.join("tea", nick="witness")
        command = [*CHAT_TUI, proxy.url, "--room", "tea", "--nick", "ann"]
        async with terminal(command, tmp_path) as ann:
            await ann.wait_for_text("2 here")
            proxy.refuse_connections()
            proxy.reset_all()
            await ann.wait_for_text("offline")
            for number in range(10):
                ann.write_keys(f"line {number}\r")
            await ann.wait_for_text("10 unsent")
            # A draft of half a line is on disk for the moment between two keys; it must not come back as one.
            await wait_until(lambda: on_disk(tmp_path) == 10 and settled(tmp_path, 10))
            ann.send_signal(signal.SIGKILL)
            await ann.wait_closed()
        # Still no network: all of it stands there, pending.
        async with terminal(command, tmp_path) as ann:
            await ann.wait_for_text("10 unsent")
            await ann.wait_for_text("line 9")
            proxy.accept_connections()
            ann.write_keys("/reconnect\r")
            await wait_until(lambda: len(tea.log) == 10)
            await ann.wait_for_text("online")
        assert [message.message for message in tea.log.messages()] == [f"line {number}" for number in range(10)]


async def test_no_cache_keeps_nothing(server: RunningServer, tmp_path: Path) -> None:
    command = [*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann", "--no-cache"]
    async with terminal(command, tmp_path) as ann:
        await ann.wait_for_text("1 here")
        ann.write_keys("hello\r")
        await ann.wait_for_text("✓")
    assert not list(tmp_path.rglob(FILE_NAME))


async def test_a_long_absence_is_a_line_that_loads(server: RunningServer, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    async with chat_app_in_room(tmp_path, server.url, "ann", cache=cache) as ann:
        await ann.send_message("before")
        await ann.wait_until(lambda: ann.chat_screen.session.unsent_count == 0)
    async with ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        await asyncio.gather(*(room.send(f"missed {number}") for number in range(1_440)))
    kept, _ = profile_store.load(tmp_path / "ann" / "state")
    async with chat_app_in_room(tmp_path, server.url, "ann", cache=cache, kept=kept) as ann:
        await ann.wait_until(lambda: any(isinstance(line, GapLine) for line in ann.timeline.lines))
        (gap,) = [line for line in ann.timeline.lines if isinstance(line, GapLine)]
        assert gap.missing_count == 1_240
        assert said(ann)[0] == "before"
        await ann.wait_until(lambda: len(said(ann)) == 201)
        # Scrolled to, it loads.
        await ann.press("alt+home")
        await ann.wait_until(lambda: len(said(ann)) == 1_441)
        assert not [line for line in ann.timeline.lines if isinstance(line, GapLine)]
        assert len(set(said(ann))) == 1_441


async def test_a_flood_does_not_grow_the_screen_without_bound(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_session, "MAX_LINES", 200)
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann,
        ChatClient(server.url) as other,
    ):
        room = await other.join("tea", nick="bob")
        for first in range(0, 600, 100):
            await asyncio.gather(*(room.send(f"line {number}") for number in range(first, first + 100)))
            await ann.wait_until(lambda last=first + 100: ann.chat_screen.session.rooms["tea"].newest_seq == last)
        await ann.wait_until(lambda: len(said(ann)) <= 200)
        held, newest = len(said(ann)), said(ann)[-1]
        # What went comes back when somebody scrolls up to it.
        await ann.press("alt+home")
        await ann.wait_until(lambda: len(said(ann)) == held + 200)
        assert said(ann)[-1] == newest


async def test_a_flood_below_one_who_reads_back_is_bounded_too(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_session, "MAX_LINES", 100)
    monkeypatch.setattr(chat_session, "MAX_LINES_READING_BACK", 400)
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann,
        ChatClient(server.url) as other,
    ):
        room = await other.join("tea", nick="bob")

        async def say(numbers: range) -> None:
            await asyncio.gather(*(room.send(f"line {number}") for number in numbers))
            await ann.wait_until(lambda: ann.chat_screen.session.rooms["tea"].newest_seq == numbers.stop)

        await say(range(0, 90))
        await ann.press("alt+home")
        await ann.wait_until(lambda: not ann.timeline.is_at_bottom)
        await say(range(90, 290))
        assert said(ann)[0] == "line 0"  # what is read stays, though it is far above the newest
        for first in range(290, 890, 100):
            await say(range(first, first + 100))
        await ann.wait_until(lambda: len(said(ann)) <= 400)
        assert not ann.timeline.is_at_bottom
        await ann.wait_until(lambda: said(ann)[0] in ann.screen_text())
