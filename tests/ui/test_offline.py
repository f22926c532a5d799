"""Offline client: cached history, unsent messages and connection state in the header."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.tcp_proxy import tcp_proxy
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.outbox import store
from tui_chat.client.storage.history_db import FILE_NAME
from tui_chat.session import chat_session
from tui_chat.session.lines import GapLine, MessageLine, NoticeLine
from tui_chat.session.store import composer_store, profile as profile_store


def header_text(driver: ChatAppDriver) -> str:
    return driver.first_row_of(driver.chat_screen.query_one("ChatHeader"))


def message_texts(driver: ChatAppDriver) -> list[str]:
    return [line.text for line in driver.timeline.lines if isinstance(line, MessageLine)]


def notice_texts(driver: ChatAppDriver) -> list[str]:
    return [line.text for line in driver.timeline.lines if isinstance(line, NoticeLine)]


def count_outbox_items(home: Path) -> int:
    """Return the number of items in the outbox file below `home`."""
    with closing(sqlite3.connect(next(home.rglob(store.FILE_NAME)))) as connection:
        (count,) = connection.execute("SELECT count(*) FROM outbox_items").fetchone()
    return count


def is_composer_saved(home: Path, sent_count: int) -> bool:
    """Return whether the composer file contains `sent_count` sent texts and no draft."""
    with closing(sqlite3.connect(next(home.rglob(composer_store.FILE_NAME)))) as connection:
        (saved_texts,) = connection.execute("SELECT count(*) FROM sent_texts").fetchone()
        (drafts,) = connection.execute("SELECT count(*) FROM drafts").fetchone()
    return (saved_texts, drafts) == (sent_count, 0)


async def test_offline_commands_answer_at_once_while_joins_and_messages_wait_for_the_connection(
    server: RunningServer, tmp_path: Path
) -> None:
    async with tcp_proxy(server.port) as proxy, chat_app_in_room(tmp_path, proxy.url, "ann") as ann:
        await ann.wait_until(lambda: "● online" in header_text(ann) and " ms" in header_text(ann))
        await ann.send_message("hello")
        await ann.wait_until_sent()
        proxy.refuse_connections()
        proxy.reset_all()
        await ann.wait_until(lambda: "○ offline" in header_text(ann))
        for command in ("/nick bob", "/list", "/topic leaves", "/date yesterday"):
            await ann.send_message(command)
            assert f"{command.split()[0]} needs a connection. You are offline." in ann.screen_text()
            await ann.press("ctrl+u")
        ann.chat_screen.message_actions.show_links([proxy.url.replace("http://", "chat://") + "/dev"])
        await ann.wait_for_text("Enter join")
        await ann.press("enter")
        await ann.wait_for_text("You are offline. dev opens after the reconnect.")
        await ann.type_text("meanwhile")
        await ann.wait_until(lambda: ann.composer.text == "meanwhile")
        await ann.press("ctrl+u")
        for text in ("one", "two", "three"):
            await ann.send_message(text)
        assert message_texts(ann) == ["hello", "one", "two", "three"]
        await ann.wait_until(lambda: header_text(ann).endswith(", 3 unsent"))
        await ann.wait_until(lambda: "offline: retry in " in header_text(ann))
        await ann.send_message("/jion dev")
        assert "Did you mean /join?" in ann.screen_text()
        proxy.accept_connections()
        await ann.wait_for_text("dev is open.")
        await ann.wait_until(lambda: "● online" in header_text(ann))
        await ann.wait_until(lambda: "Did you mean" not in ann.screen_text())
        assert ann.chat_screen.session.current_room is ann.chat_screen.session.rooms["tea"]
        assert "dev" in ann.chat_screen.session.rooms
        await ann.wait_until_sent()
        assert message_texts(ann) == ["hello", "one", "two", "three"]


async def test_a_taken_nickname_is_explained_and_a_topic_names_its_author(
    server: RunningServer, tmp_path: Path
) -> None:
    async with ChatClient(server.url) as observer, chat_app_in_room(tmp_path, server.url, "ann") as ann:
        tea = await observer.join("tea", nick="bob")
        await ann.send_message("/nick Bob")
        await ann.wait_for_text("Bob is taken. The server assigned Bob2.")
        await tea.set_topic("leaves")
        await ann.wait_for_text("bob set the topic: leaves")
        await tea.set_topic("")
        await ann.wait_for_text("bob cleared the topic.")


async def test_cached_history_is_shown_and_messages_wait_without_a_server(tmp_path: Path) -> None:
    async with tcp_proxy(0) as proxy:
        async with running_server(tmp_path / "server", rate_limit="off") as server:
            proxy.retarget(server.port)
            async with chat_app_in_room(tmp_path, proxy.url, "ann", cache=tmp_path / "cache") as ann:
                await ann.send_message("hello")
                await ann.wait_until_sent()
        proxy.refuse_connections()
        profile, _ = profile_store.load(tmp_path / "ann" / "state")
        start_options: dict[str, Any] = {"server": proxy.url, "room": "tea", "nick": "ann", "cache": tmp_path / "cache"}
        async with chat_app(tmp_path / "ann", profile=profile, **start_options) as ann:
            await ann.wait_for_text("hello")
            line = ann.timeline.lines[0]
            assert isinstance(line, MessageLine)
            assert line.is_own
            await ann.send_message("said offline")
            await ann.wait_until(lambda: header_text(ann).endswith(", 1 unsent"))
            async with running_server(tmp_path / "server", rate_limit="off") as server:
                proxy.retarget(server.port)
                proxy.accept_connections()
                await ann.send_message("/reconnect")
                await ann.wait_until_sent()
                assert message_texts(ann) == ["hello", "said offline"]


async def test_a_join_queued_offline_waits_for_the_connection_after_a_restart(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tcp_proxy(server.port) as proxy:
        async with chat_app_in_room(tmp_path, proxy.url, "ann", cache=tmp_path / "cache") as ann:
            await ann.send_message("hello")
            await ann.wait_until_sent()
            proxy.refuse_connections()
            proxy.reset_all()
            await ann.wait_until(lambda: "○ offline" in header_text(ann))
            await ann.send_message("/join dev")
            await ann.wait_for_text("You are offline. dev opens after the reconnect.")
        join_defaults = ChatClient.join.__kwdefaults__
        assert join_defaults is not None
        monkeypatch.setitem(join_defaults, "timeout", 0)  # a wait longer than the timeout of a request
        profile, _ = profile_store.load(tmp_path / "ann" / "state")
        async with chat_app(tmp_path / "ann", profile=profile, cache=tmp_path / "cache") as ann:
            await ann.press("enter")
            await ann.wait_for_text("hello")
            await ann.wait_until(lambda: "○ offline" in header_text(ann))
            proxy.accept_connections()
            await ann.wait_until(lambda: "dev" in ann.chat_screen.session.rooms)


async def test_a_corrupt_history_cache_is_reported_and_messages_are_still_sent(
    server: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / FILE_NAME).write_bytes(b"nothing of the kind" * 500)
    async with chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann:
        await ann.wait_until(lambda: [text for text in notice_texts(ann) if "was damaged and moved" in text])
        await ann.send_message("continues")
        await ann.wait_for_text("✓ continues")


async def test_unsent_messages_survive_a_kill_and_are_sent_after_a_restart(
    server: RunningServer, tmp_path: Path
) -> None:
    async with tcp_proxy(server.port) as proxy, ChatClient(server.url) as observer:
        tea = await observer.join("tea", nick="witness")
        command = [*CHAT_TUI, proxy.url, "--room", "tea", "--nick", "ann"]
        async with terminal(command, tmp_path) as ann:
            await ann.wait_for_text("2 here")
            proxy.refuse_connections()
            proxy.reset_all()
            await ann.wait_for_text("offline")
            for number in range(10):
                ann.write_keys(f"line {number}\r")
            await ann.wait_for_text("10 unsent")
            # Drafts are saved between two keys; wait for the deletion, else the restart restores a partial line.
            await wait_until(lambda: count_outbox_items(tmp_path) == 10 and is_composer_saved(tmp_path, 10))
            ann.send_signal(signal.SIGKILL)
            await ann.wait_closed()
        # All messages are still pending without a network.
        async with terminal(command, tmp_path) as ann:
            await ann.wait_for_text("10 unsent")
            await ann.wait_for_text("line 9")
            proxy.accept_connections()
            ann.write_keys("/reconnect\r")
            await wait_until(lambda: len(tea.log) == 10)
            await ann.wait_for_text("online")
        assert [message.message for message in tea.log.messages()] == [f"line {number}" for number in range(10)]


async def test_no_cache_writes_no_history_file(server: RunningServer, tmp_path: Path) -> None:
    command = [*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann", "--no-cache"]
    async with terminal(command, tmp_path) as ann:
        await ann.wait_for_text("1 here")
        ann.write_keys("hello\r")
        await ann.wait_for_text("✓")
    assert not list(tmp_path.rglob(FILE_NAME))


@pytest.mark.usefixtures("short_pages")
async def test_a_long_absence_is_a_gap_that_loads_on_scroll(server: RunningServer, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    async with chat_app_in_room(tmp_path, server.url, "ann", cache=cache) as ann:
        await ann.send_message("before")
        await ann.wait_until_sent()
    async with raw_client(server.url) as bob:
        await bob.join("tea", "bob")
        await bob.send_messages("tea", [f"missed {number}" for number in range(144)])
    profile, _ = profile_store.load(tmp_path / "ann" / "state")
    options: dict[str, Any] = {"cache": cache, "profile": profile, "size": (80, 12)}  # fewer rows than a page
    async with chat_app_in_room(tmp_path, server.url, "ann", **options) as ann:
        await ann.wait_until(lambda: any(isinstance(line, GapLine) for line in ann.timeline.lines))
        (gap,) = [line for line in ann.timeline.lines if isinstance(line, GapLine)]
        texts = message_texts(ann)
        assert texts[0] == "before"
        assert gap.missing_count == 145 - len(texts) > 0  # a page more is loaded if the first frame shows the gap
        # Scrolling to the gap requests the missing messages.
        await ann.press("alt+home")
        await ann.wait_until(lambda: len(message_texts(ann)) == 145)
        assert not [line for line in ann.timeline.lines if isinstance(line, GapLine)]
        assert len(set(message_texts(ann))) == 145


async def test_the_timeline_is_bounded_during_a_flood_and_trimmed_messages_load_on_scroll(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_session, "MAX_LINES", 200)
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann,
        raw_client(server.url) as bob,
    ):
        await bob.join("tea", "bob")
        for first in range(0, 600, 100):
            await bob.send_messages("tea", [f"line {number}" for number in range(first, first + 100)])
            await ann.wait_until(
                lambda last=first + 100: ann.chat_screen.session.rooms["tea"].transcript.newest_seq == last
            )
        await ann.wait_until(lambda: len(message_texts(ann)) <= 200 and message_texts(ann)[-1] == "line 599")
        line_count = len(message_texts(ann))
        # Scrolling up loads the trimmed messages again.
        await ann.press("alt+home")
        await ann.wait_until(lambda: len(message_texts(ann)) == line_count + 200)
        assert message_texts(ann)[-1] == "line 599"


async def test_the_timeline_is_bounded_during_a_flood_below_a_scrolled_view(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_session, "MAX_LINES", 100)
    monkeypatch.setattr(chat_session, "MAX_SCROLLBACK_LINES", 400)
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann,
        raw_client(server.url) as bob,
    ):
        await bob.join("tea", "bob")

        async def send_lines(numbers: range) -> None:
            await bob.send_messages("tea", [f"line {number}" for number in numbers])
            await ann.wait_until(lambda: ann.chat_screen.session.rooms["tea"].transcript.newest_seq == numbers.stop)

        await send_lines(range(0, 90))
        await ann.press("alt+home")
        await ann.wait_until(lambda: not ann.timeline.is_at_bottom)
        await send_lines(range(90, 290))
        assert message_texts(ann)[0] == "line 0"  # lines in view are not trimmed
        for first in range(290, 890, 100):
            await send_lines(range(first, first + 100))
        await ann.wait_until(lambda: len(message_texts(ann)) <= 400 and message_texts(ann)[-1] == "line 889")
        assert not ann.timeline.is_at_bottom
        await ann.wait_until(lambda: message_texts(ann)[0] in ann.screen_text())
