import asyncio
import gc
import socket
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from server.app import RunningServer
from tests.support.event_recorder import next_event
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.reactions import reacting_members
from tests.support.wait import wait_until
from tui_chat.client import history_sync
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import InvalidAddress, Unreachable
from tui_chat.client.events import (
    Closed,
    ConnectionStateChanged,
    LogChanged,
    MembersChanged,
    NoticeReceived,
    Offline,
    Online,
    RoomJoined,
    TypingChanged,
)
from tui_chat.client.room import Room
from tui_chat.protocol.errors import BadRequest, Forbidden, NickInvalid, NotJoined, RateLimited, TooLong, Unavailable
from tui_chat.protocol.events import Entry, Message


def nicks(room: Room) -> list[str]:
    return sorted(member.nick_name for member in room.members.values())


async def test_a_message_reaches_every_member(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        sent = await tea.send("hello")
        assert (sent.seq, sent.duplicate) == (1, False)
        await wait_until(lambda: message_texts(bobs_tea) == ["hello"] and message_texts(tea) == ["hello"])
        assert bobs_tea.log[1].nick_name == "ann"
        assert bobs_tea.log[1].member_id == tea.member_id
        assert ann.rooms == {"tea": tea}


async def test_a_join_returns_recent_history_and_load_older_the_rest(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("tea", nick="ann")
        for number in range(10):
            await tea.send(f"m{number}")
        bobs_tea = await bob.join("tea", nick="bob", limit=3)
        assert message_texts(bobs_tea) == ["m7", "m8", "m9"]
        assert await bobs_tea.history.load_older(limit=5) is True
        assert await bobs_tea.history.load_older() is False
        assert message_texts(bobs_tea) == [f"m{number}" for number in range(10)]


async def test_iterating_over_a_room_yields_each_entry_once(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("tea", nick="ann")
        await tea.send("before")
        bobs_tea = await bob.join("tea", nick="bob")
        for number in range(5):
            await tea.send(f"m{number}")
        received: list[str] = []
        async for entry in bobs_tea:
            assert isinstance(entry, Message)
            received.append(entry.message)
            if len(received) == 5:
                break
        assert received == [f"m{number}" for number in range(5)]


@pytest.mark.usefixtures("short_pages")
async def test_a_late_iterator_fetches_entries_beyond_the_buffer(server: RunningServer) -> None:
    count = history_sync.MAX_BUFFERED_ENTRIES + 50
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        await asyncio.gather(*(tea.send("x") for _ in range(count)))
        await wait_until(lambda: bobs_tea.log.last == count)
        seqs: list[int] = []
        async for entry in bobs_tea:
            seqs.append(entry.seq)
            if entry.seq == count:
                break
        assert seqs == list(range(1, count + 1))


async def test_a_repeated_client_id_is_posted_once(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        client_id = UUID(int=7)
        first = await tea.send("once", client_id)
        repeated = await tea.send("once", client_id)
        assert (repeated.seq, repeated.duplicate) == (first.seq, True)
        await wait_until(lambda: message_texts(tea) == ["once"])


async def test_edits_reactions_deletions_and_topics_reach_every_client(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        first, second = (await tea.send("frist")).seq, (await tea.send("second", reply_to=1)).seq
        edited = (await tea.edit(first, "first")).revision
        await bobs_tea.react(first, "👍")
        await bobs_tea.react(second, "🎉")
        await bobs_tea.react(second, "🎉", on=False)
        await tea.delete(second)
        with pytest.raises(Forbidden):
            await bobs_tea.edit(first, "mine")
        changes = (await tea.set_topic("leaves")).revision
        await wait_until(
            lambda: bobs_tea.log.last == tea.log.last == changes and bobs_tea.topic == tea.topic == "leaves"
        )
        for room in (tea, bobs_tea):
            message = room.log[first]
            assert (message.message, message.edited) == ("first", edited)
            assert reacting_members(message) == {"👍": [bobs_tea.member_id]}
            assert room.log[second].deleted
            assert room.log[second].message == ""
        async with ChatClient(server.url) as eve:
            fresh = await eve.join("tea", nick="eve")
            assert list(fresh.log.messages()) == list(tea.log.messages())
            assert [message.seq for message in bobs_tea.log.messages()] == [first, second]
            assert [(room.log[first].reactions or {})["👍"].own for room in (tea, bobs_tea)] == [False, True]
            assert fresh.topic == "leaves"


async def test_invalid_texts_and_nicknames_are_rejected(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(BadRequest):
            await tea.send("   ")
        with pytest.raises(TooLong):
            await tea.send("x" * 4_001)
        with pytest.raises(NickInvalid):
            await ann.join("other", nick="")


async def test_a_taken_nickname_gets_a_numeric_suffix(server: RunningServer) -> None:
    async with ChatClient(server.url) as one, ChatClient(server.url) as two:
        await one.join("tea", nick="ann")
        second = await two.join("tea", nick="ann")
        assert second.nick == "ann2"


async def test_member_lists_follow_joins_renames_and_leaves(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        await wait_until(lambda: nicks(tea) == ["ann", "bob"])
        assert nicks(bobs_tea) == ["ann", "bob"]
        assert await bob.change_nick("robert") == "robert"
        await wait_until(lambda: nicks(tea) == ["ann", "robert"] and bobs_tea.nick == "robert")
        assert await bobs_tea.change_nick("rob") == "rob"
        await bobs_tea.leave()
        await wait_until(lambda: nicks(tea) == ["ann"])
        assert bob.rooms == {}
        with pytest.raises(NotJoined):
            await bobs_tea.send("too late")


async def test_leaving_a_room_ends_its_iteration(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        received: list[Entry] = []

        async def collect() -> None:
            async for entry in tea:
                received.append(entry)

        collecting = asyncio.create_task(collect())
        await tea.send("bye")
        await wait_until(lambda: len(received) == 1)
        await tea.leave()
        await collecting


async def test_one_client_joins_several_rooms(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        names = [f"room {number}" for number in range(12)]
        rooms = await asyncio.gather(*(ann.join(name, nick="ann") for name in names))
        bob_rooms = await asyncio.gather(*(bob.join(name, nick="bob") for name in names))
        await asyncio.gather(*(room.send(room.name) for room in rooms))
        for bob_room in bob_rooms:
            await wait_until(lambda room=bob_room: message_texts(room) == [room.name])
        assert len({room.member_id for room in rooms}) == 1
        listed = await ann.list_rooms("room 1")
        assert {summary.name for summary in listed} == {"room 1", "room 10", "room 11"}
        assert all(summary.members == 2 for summary in listed)


async def test_room_names_are_case_insensitive(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("Tea", nick="ann")
        assert await ann.join("tea", nick="ann") is tea
        bobs_tea = await bob.join("TEA", nick="bob")
        await tea.send("hi")
        await wait_until(lambda: message_texts(bobs_tea) == ["hi"])


async def test_a_guest_key_restores_the_member_id(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann:
        before = (await ann.join("tea", nick="ann")).member_id
        key = ann.guest_key
    async with ChatClient(server.url, guest_key=key) as ann:
        assert (await ann.join("tea", nick="ann")).member_id == before
    async with ChatClient(server.url) as stranger:
        assert (await stranger.join("tea", nick="ann")).member_id != before


async def test_two_clients_with_one_guest_key_are_one_member(server: RunningServer) -> None:
    async with ChatClient(server.url) as first:
        tea = await first.join("tea", nick="ann")
        async with ChatClient(server.url, guest_key=first.guest_key) as second:
            second_tea = await second.join("tea", nick="ann")
            assert second_tea.nick == "ann"
            assert len(second_tea.members) == 1
        await tea.send("still here")


async def test_events_arrive_in_order(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        stream = ann.events()
        tea = await ann.join("tea", nick="ann")
        assert isinstance(ann.state, Online)
        assert await next_event(stream, RoomJoined) == RoomJoined("tea", rejoined=False)
        bobs_tea = await bob.join("tea", nick="bob")
        while (await next_event(stream, NoticeReceived)).notice.nick_name != "bob":
            pass
        await bobs_tea.set_typing(True)
        assert await next_event(stream, TypingChanged) == TypingChanged("tea", bobs_tea.member_id, True)
        await bobs_tea.send("hi")
        assert await next_event(stream, LogChanged) == LogChanged("tea", (1,), is_live=True)
        assert message_texts(tea) == ["hi"]
        await bobs_tea.leave()
        # The presence push of the join may arrive after the message.
        while [member.nick_name for member in (await next_event(stream, MembersChanged)).members] != ["ann"]:
            pass


async def test_closing_the_client_ends_its_event_queue(server: RunningServer) -> None:
    ann = ChatClient(server.url)
    stream = ann.events()
    async with ann:
        await ann.join("tea", nick="ann")
    assert isinstance(ann.state, Closed)
    events = [event async for event in stream]
    assert events[-1] == ConnectionStateChanged(Closed())
    with pytest.raises(RuntimeError):
        ann.events()


async def test_latency_is_measured_without_requests(server: RunningServer) -> None:
    started_at = time.monotonic()
    async with ChatClient(server.url) as ann:
        await wait_until(lambda: isinstance(ann.state, Online) and ann.state.latency)
        assert isinstance(ann.state, Online)
        assert ann.state.latency is not None
        assert 0 < ann.state.latency < time.monotonic() - started_at


async def test_unread_events_are_coalesced(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        stream = bob.events()
        await asyncio.gather(*(tea.send("x") for _ in range(100)))
        await wait_until(lambda: bobs_tea.log.last == 100)
        assert len(stream) < 20


async def test_messages_above_the_rate_limit_are_delayed_in_order(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, message_burst=12.0, message_rate=2.0) as running,
        ChatClient(running.url) as ann,
    ):
        tea = await ann.join("tea", nick="ann")
        messages = [f"m{number}" for number in range(15)]
        started_at = time.monotonic()
        await asyncio.gather(*(tea.send(message) for message in messages))
        assert time.monotonic() - started_at > 1
        await wait_until(lambda: message_texts(tea) == messages)


async def test_a_retried_and_a_queued_send_raise_rate_limited_at_their_timeouts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "chat.client")
    async with running_server(tmp_path, message_burst=1.0, message_rate=0.1) as running, ChatClient(running.url) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("one")
        retried = asyncio.create_task(tea.send("retried", timeout=3))
        await wait_until(lambda: "message queued for retry" in caplog.text)
        with pytest.raises(RateLimited):
            await tea.send("queued", timeout=0.1)
        with pytest.raises(RateLimited):
            await retried


async def test_joins_above_the_rate_limit_are_retried_until_they_succeed(tmp_path: Path) -> None:
    async with running_server(tmp_path, join_rate=8.0) as running, ChatClient(running.url) as ann:
        rooms = await asyncio.gather(*(ann.join(f"room {number}", nick="ann") for number in range(14)))
        assert len({room.name for room in rooms}) == 14


async def test_connecting_to_an_unreachable_address_raises_a_readable_error(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_lookup(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unreachable, match="no server at this address"):
        async with ChatClient(f"http://127.0.0.1:{unused_tcp_port}"):
            pass
    monkeypatch.setattr(socket, "getaddrinfo", fail_lookup)
    with pytest.raises(Unreachable, match="unknown host name"):
        async with ChatClient("http://no-such-host.invalid"):
            pass
    with pytest.raises(InvalidAddress, match="port"):
        ChatClient("http://127.0.0.1:0")


async def test_connecting_to_another_http_server_raises_a_readable_error() -> None:
    async def respond_not_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")  # a close with unread data would reset the connection
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    http_server = await asyncio.start_server(respond_not_found, "127.0.0.1", 0)
    async with http_server:
        port = http_server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="not a chat server"):
            async with ChatClient(f"http://127.0.0.1:{port}"):
                pass


def open_sockets() -> int:
    """Return the number of open sockets of this process, 0 on systems without `/proc`."""
    descriptors = Path("/proc/self/fd")
    return sum(descriptor.is_socket() for descriptor in descriptors.iterdir()) if descriptors.exists() else 0


async def test_closing_releases_tasks_and_sockets(server: RunningServer) -> None:
    tasks, sockets = asyncio.all_tasks(), open_sockets()
    async with ChatClient(server.url) as ann:
        ann.events()
        tea = await ann.join("tea", nick="ann")
        await tea.send("hi")
        assert open_sockets() > sockets or sockets == 0
    await ann.close()
    await wait_until(lambda: asyncio.all_tasks() <= tasks)
    await wait_until(lambda: open_sockets() <= sockets)
    gc.collect()
    with pytest.raises(Unavailable, match="closed"):
        await tea.send("after the end")
    with pytest.raises(Unavailable, match="closed"):
        await ann.join("other", nick="ann")


async def test_closing_fails_pending_requests(unused_tcp_port: int) -> None:
    tasks = asyncio.all_tasks()
    async with ChatClient(f"http://127.0.0.1:{unused_tcp_port}", connect_in_background=True) as ann:
        joining = asyncio.create_task(ann.join("tea", nick="ann"))
        listing = asyncio.create_task(ann.list_rooms())
        await wait_until(lambda: isinstance(ann.state, Offline))
    for pending in (joining, listing):
        with pytest.raises(Unavailable, match="closed"):
            await pending
    await wait_until(lambda: asyncio.all_tasks() <= tasks)


async def test_a_close_cancelled_during_the_flush_closes_the_connection(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never_flush(_: Room) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Room, "flush", never_flush)
    chat = await ChatClient(server.url).__aenter__()
    await chat.join("tea", nick="ann")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await chat.close()
    assert isinstance(chat.state, Closed)
