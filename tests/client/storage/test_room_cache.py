"""Room cache: immediate display, offline use and consistency with the server."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from server.app import RunningServer
from tests.support.event_recorder import EventRecorder
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.reactions import reacting_members
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Online, ProblemReported, RoomJoined
from tui_chat.client.net.transport import Transport
from tui_chat.client.room import Room
from tui_chat.client.storage import room_cache
from tui_chat.client.storage.history_db import FILE_NAME, LocalHistory, RoomKey
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.client.sync.log_segment import LogSegment
from tui_chat.protocol.events import Edit, Message
from tui_chat.protocol.requests import JoinRoom
from tui_chat.protocol.responses import JoinResponse
from tui_chat.protocol.search_query import SearchQuery

TEA = RoomKey("http://localhost:3000", "tea", "ann")


def message(seq: int) -> Message:
    return Message(room="tea", seq=seq, id=seq, nick_name="bob", member_id="b", message=f"line {seq}", ts=seq)


def segment(first: int, last: int) -> LogSegment:
    return LogSegment(tuple((message(seq), seq) for seq in range(first, last + 1)), (), ((first, last),))


async def post_messages(url: str, *lines: str) -> None:
    """Send messages to `tea` concurrently, as `bob`."""
    async with ChatClient(url) as chat:
        room = await chat.join("tea", nick="bob")
        await asyncio.gather(*(room.send(line) for line in lines))


async def cache_room(url: str, history: LocalHistory, lines: int) -> ChatClient:
    """Return a closed client that cached at least `lines` messages of the room."""
    async with ChatClient(url, history=history) as chat:
        room = await chat.join("tea", nick="ann", limit=200)
        await wait_until(lambda: len(room.log) >= lines)
    return chat


async def open_cached_room(chat: ChatClient) -> Room:
    """Return the cached room; fail the test if none exists."""
    room = await chat.open_cached("tea", nick="ann")
    assert room is not None
    return room


async def test_a_cached_room_opens_offline_and_is_synchronized_later(tmp_path: Path, unused_tcp_port: int) -> None:
    async with LocalHistory(tmp_path) as history:
        async with running_server(tmp_path, rate_limit="off", port=unused_tcp_port) as server:
            await post_messages(server.url, "one")
            await post_messages(server.url, "two")
            earlier_chat = await cache_room(server.url, history, 2)
        member_id = earlier_chat.rooms["tea"].member_id
        async with ChatClient(
            server.url, connect_in_background=True, history=history, guest_key=earlier_chat.guest_key
        ) as chat:
            room = await open_cached_room(chat)
            assert (message_texts(room), room.member_id, room.name) == (["one", "two"], member_id, "tea")
            assert chat.rooms == {"tea": room}
            assert await chat.open_cached("never-seen", nick="ann") is None
            assert not room.was_joined
            async with running_server(tmp_path, rate_limit="off", port=unused_tcp_port) as server:
                await post_messages(server.url, "three")
                chat.reconnect_now()
                await wait_until(lambda: message_texts(room) == ["one", "two", "three"])
                assert room.member_id == member_id


async def test_a_room_that_opens_during_the_connection_attempt_is_joined_once(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with LocalHistory(tmp_path) as history:
        await post_messages(server.url, "one")
        await cache_room(server.url, history, 1)
        chat = ChatClient(server.url, connect_in_background=True, history=history)
        read_room = history.read_room

        async def read_after_connection(*args: Any) -> Any:
            await wait_until(lambda: isinstance(chat.state, Online))
            return await read_room(*args)

        monkeypatch.setattr(history, "read_room", read_after_connection)
        join_requests: list[str] = []
        join = Transport.join

        async def count_join(transport: Transport, request: JoinRoom) -> JoinResponse | None:
            join_requests.append(request.room_name)
            return await join(transport, request)

        monkeypatch.setattr(Transport, "join", count_join)
        async with chat:
            room = await open_cached_room(chat)
            await wait_until(lambda: room.was_joined)
            await room.send("two")
            assert join_requests == ["tea"]


async def test_missed_changes_are_applied_to_cached_messages(server: RunningServer, tmp_path: Path) -> None:
    async with LocalHistory(tmp_path) as history, ChatClient(server.url) as bob_chat:
        bob = await bob_chat.join("tea", nick="bob")
        for text in ("one", "two", "three"):
            await bob.send(text)
        await cache_room(server.url, history, 3)
        await bob.edit(1, "first")
        await bob.delete(2)
        await bob.react(3, "👍")
        async with ChatClient(server.url, history=history) as chat:
            room = await chat.join("tea", nick="ann")
            await wait_until(lambda: room.log.last == 6)
            assert message_texts(room) == ["first", "", "three"]
            assert reacting_members(room.log[3]) == {"👍": [bob.member_id]}
    # The cache has stored the changes.
    async with (
        LocalHistory(tmp_path) as history,
        ChatClient("localhost:9", connect_in_background=True, history=history) as chat,
    ):
        assert await chat.open_cached("tea", nick="ann") is None  # another server
    async with (
        LocalHistory(tmp_path) as history,
        ChatClient(server.url, connect_in_background=True, history=history) as chat,
    ):
        room = await open_cached_room(chat)
        assert message_texts(room) == ["first", "", "three"]


@pytest.mark.usefixtures("short_pages")
async def test_the_gap_of_a_long_absence_can_be_filled_and_is_cached_as_filled(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_cache, "MESSAGES_ON_LOAD", 20)
    async with LocalHistory(tmp_path) as history:
        await post_messages(server.url, "before")
        await cache_room(server.url, history, 1)
        await post_messages(server.url, *(f"missed {number}" for number in range(144)))
        async with ChatClient(server.url, history=history) as chat:
            room = await chat.join("tea", nick="ann")
            (gap,) = room.log.gaps()
            assert gap.missing_count == 124
            assert message_texts(room)[0] == "before"
            assert len(room.log) == 21
            await room.history.fill_gap(gap)
            assert len(room.log) == 145
    async with (
        LocalHistory(tmp_path) as history,
        ChatClient(server.url, connect_in_background=True, history=history) as chat,
    ):
        room = await open_cached_room(chat)
        assert len(room.log) == 20
        assert room.log.gaps() == ()


async def test_older_messages_load_from_the_cache_while_offline(proxy: TcpProxy, tmp_path: Path) -> None:
    async with LocalHistory(tmp_path) as history:
        async with ChatClient(proxy.url, history=history) as chat:
            room = await chat.join("tea", nick="ann")
            await asyncio.gather(*(room.send(str(number)) for number in range(500)))
            await wait_until(lambda: len(room.log) == 500)
        async with ChatClient("http://127.0.0.1:9", connect_in_background=True, history=history) as other_chat:
            assert await other_chat.open_cached("tea", nick="ann") is None
        proxy.refuse_connections()
        async with ChatClient(proxy.url, connect_in_background=True, history=history) as chat:
            room = await open_cached_room(chat)
            assert len(room.log) == 200
            assert await room.history.load_older()
            assert not await room.history.load_older()
            assert len(room.log) == 500


async def test_trimmed_messages_reload_from_the_cache_with_later_changes(server: RunningServer, tmp_path: Path) -> None:
    async with (
        LocalHistory(tmp_path) as history,
        ChatClient(server.url) as bob_chat,
        ChatClient(server.url, history=history, max_messages=50) as chat,
    ):
        room = await chat.join("tea", nick="ann")
        bob = await bob_chat.join("tea", nick="bob")
        await asyncio.gather(*(bob.send(str(number)) for number in range(300)))
        await wait_until(lambda: room.log.last == 300 and len(room.log) <= 100)
        await bob.edit(1, "first")
        await wait_until(lambda: room.log.last == 301)
        while await room.history.load_older(100):
            pass
        assert len(room.log) == 300
        assert room.log[1].message == "first"


async def test_a_cached_log_is_discarded_after_a_change_of_the_log_id(tmp_path: Path, unused_tcp_port: int) -> None:
    async with LocalHistory(tmp_path) as history:
        async with running_server(tmp_path / "old", rate_limit="off", port=unused_tcp_port) as server:
            await post_messages(server.url, "old one", "old two")
            await cache_room(server.url, history, 2)
        async with running_server(tmp_path / "new", rate_limit="off", port=unused_tcp_port) as server:
            await post_messages(server.url, "new one", "new two", "new three")
            async with ChatClient(server.url, history=history) as chat:
                events = EventRecorder(chat)
                room = await chat.join("tea", nick="ann")
                await wait_until(lambda: len(message_texts(room)) == 3)
                assert sorted(message_texts(room)) == ["new one", "new three", "new two"]
                await wait_until(lambda: any(event.log_reset for event in events.of_type(RoomJoined)))
        async with ChatClient(server.url, connect_in_background=True, history=history) as chat:
            room = await open_cached_room(chat)
            assert sorted(message_texts(room)) == ["new one", "new three", "new two"]


@pytest.mark.parametrize("damage", ["no database", "overwritten pages", "foreign", "invalid message"])
async def test_a_corrupt_cache_file_is_moved_aside_and_reported_once(
    server: RunningServer, tmp_path: Path, damage: str
) -> None:
    await post_messages(server.url, *(f"line {number}" for number in range(150)))
    async with LocalHistory(tmp_path) as history:
        await cache_room(server.url, history, 150)
    path = tmp_path / FILE_NAME
    if damage == "no database":
        path.write_bytes(b"not a database file" * 1_000)
    elif damage == "overwritten pages":
        content = path.read_bytes()
        path.write_bytes(content[:8_192] + b"\xff" * 8_192 + content[16_384:])
    else:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA application_id = 7" if damage == "foreign" else "UPDATE messages SET body = x'00'")
        connection.commit()
        connection.close()
    async with LocalHistory(tmp_path) as history, ChatClient(server.url, history=history) as chat:
        events = EventRecorder(chat)
        room = await chat.join("tea", nick="ann", limit=200)
        await wait_until(lambda: len(room.log) == 150)
        await wait_until(lambda: events.of_type(ProblemReported))
        (backup,) = [
            path for path in tmp_path.glob(f"{FILE_NAME}.damaged-*") if not path.name.endswith(("-wal", "-shm"))
        ]
    assert [event.error.params for event in events.of_type(ProblemReported)] == [{"file": str(backup)}]
    async with (
        LocalHistory(tmp_path) as history,
        ChatClient(server.url, connect_in_background=True, history=history) as chat,
    ):
        room = await open_cached_room(chat)
        assert len(room.log) == 150


async def test_a_cache_of_an_older_file_format_is_upgraded(tmp_path: Path) -> None:
    async with LocalHistory(tmp_path) as history:
        await history.write(TEA, segment(1, 50), "log")
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript(
        "ALTER TABLE memberships RENAME TO visits; ALTER TABLE ranges RENAME TO spans; "
        "ALTER TABLE rooms DROP COLUMN log_id; ALTER TABLE rooms DROP COLUMN title; PRAGMA user_version = 1"
    )
    connection.close()
    async with LocalHistory(tmp_path) as history:
        cached = await history.read_room(TEA, 200)
    assert cached is not None
    assert cached.segment.ranges == ((1, 50),)
    assert not list(tmp_path.glob("*.damaged-*"))


async def test_the_cache_of_a_room_is_bounded(tmp_path: Path) -> None:
    async with LocalHistory(tmp_path, max_messages_per_room=100) as history:
        for first in range(1, 1_001, 50):
            await history.write(TEA, segment(first, first + 49), "log")
        cached = await history.read_room(TEA, 1_000)
    assert cached is not None
    assert [message.seq for message, _ in cached.segment.messages] == list(range(901, 1_001))
    assert cached.segment.ranges == ((901, 1_000),)


async def test_the_changes_of_a_room_are_bounded(tmp_path: Path) -> None:
    def edits(target: int, first: int, last: int) -> tuple[Edit, ...]:
        return tuple(
            Edit(
                room="tea",
                seq=seq,
                id=seq,
                ts=seq,
                nick_name="bob",
                member_id="b",
                target=target,
                message=f"edit {seq}",
            )
            for seq in range(first, last + 1)
        )

    async with LocalHistory(tmp_path) as history:
        await history.write(TEA, LogSegment(((message(1), 1),), edits(1, 1_001, 1_100), ((1, 1),)), "log")
        for target in range(2, 32):
            first = 1_001 + 100 * target
            await history.write(TEA, LogSegment((), edits(target, first, first + 99), ()), "log")
        cached = await history.read_room(TEA, 200)
    assert cached is not None
    assert cached.segment.messages == ((replace(message(1), message="edit 1100", edited=1_100), 1_100),)
    assert cached.segment.changes == tuple(
        edit for n in range(22, 32) for edit in edits(n, 1_001 + 100 * n, 1_100 + 100 * n)
    )


async def test_an_older_state_of_a_message_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    edited = replace(message(1), message="edited", edited=5)
    async with LocalHistory(tmp_path) as history:
        await history.write(TEA, LogSegment(((edited, 5),), (), ((1, 5),)), "log")
        await history.write(TEA, LogSegment(((message(1), 4),), (), ((1, 5),)), "log")
        cached = await history.read_room(TEA, 200)
    assert cached is not None
    assert cached.segment.messages == ((edited, 5),)


async def test_a_search_ignores_changes_that_a_stored_message_includes(tmp_path: Path) -> None:
    edited = replace(message(1), message="newer text", edited=5)
    edit = Edit(room="tea", seq=4, id=4, ts=4, member_id="b", nick_name="bob", target=1, message="older text")
    async with LocalHistory(tmp_path) as history:
        await history.write(TEA, LogSegment(((edited, 5),), (), ((1, 5),)), "log")
        await history.write(TEA, LogSegment(((message(1), 1),), (edit,), ((1, 4),)), "log")
        found, _ = await history.search(TEA.server_url, SearchQuery("text"), None, None, 10)
    assert found == [edited]


async def test_two_history_instances_share_one_file(tmp_path: Path) -> None:
    async with LocalHistory(tmp_path) as one, LocalHistory(tmp_path) as two:
        await asyncio.gather(one.write(TEA, segment(1, 50), "log"), two.write(TEA, segment(51, 100), "log"))
        cached = await one.read_room(TEA, 200)
    assert cached is not None
    assert cached.segment.ranges == ((1, 100),)
    assert len(cached.segment.messages) == 100


async def test_another_spelling_of_a_cached_room_keeps_its_messages(tmp_path: Path) -> None:
    async with LocalHistory(tmp_path) as history:
        await history.write(TEA, segment(1, 2), "log")
        await history.rename_room(TEA, "tea", "Tea")
        cached = await history.read_room(TEA, 200)
    assert cached is not None
    assert (cached.name, cached.segment) == ("Tea", segment(1, 2))


async def test_an_unwritable_cache_is_reported_once_and_messages_are_received(
    server: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    async with LocalHistory(tmp_path / "cache") as history, ChatClient(server.url, history=history) as chat:
        events = EventRecorder(chat)
        room = await chat.join("tea", nick="ann")
        for number in range(3):
            await room.send(str(number))
        await room.flush()
        await wait_until(lambda: message_texts(room) == ["0", "1", "2"])
    assert len(events.of_type(ProblemReported)) == 1


async def test_a_failed_batch_leaves_a_gap_in_the_cache(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failures = LocalHistory.write, [LocalStorageError("locked")]

    async def fail_once(*args: Any) -> None:
        if failures:
            raise failures.pop()
        await write(*args)

    await post_messages(server.url, *"abcde")
    monkeypatch.setattr(room_cache, "WRITE_BATCH_SIZE", 2)
    monkeypatch.setattr(LocalHistory, "write", fail_once)
    async with LocalHistory(tmp_path / "cache") as history, ChatClient(server.url, history=history) as chat:
        room = await chat.join("tea", nick="ann", limit=200)
        await room.flush()
        cached = await history.read_room(RoomKey(server.url, "tea", "ann"), 10)
    assert cached is not None
    assert cached.segment == LogSegment()


async def test_concurrent_starts_create_one_file(tmp_path: Path) -> None:
    for attempt in range(10):
        directory = tmp_path / str(attempt)
        histories = [LocalHistory(directory) for _ in range(8)]
        await asyncio.gather(
            *(
                history.write(TEA, segment(index * 10 + 1, index * 10 + 10), "log")
                for index, history in enumerate(histories)
            )
        )
        cached = await histories[0].read_room(TEA, 200)
        for history in histories:
            await history.close()
        assert cached is not None
        assert cached.segment.ranges == ((1, 80),)
        assert not list(directory.glob("*.damaged-*"))
