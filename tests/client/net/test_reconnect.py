"""Connection failures: each message arrives once, in one order for all clients."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from server.app import RECONNECT_AFTER, RunningServer
from tests.support.event_recorder import EventRecorder, next_event
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.raw_client import raw_client
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import (
    ClientEvent,
    ConnectionStateChanged,
    LogChanged,
    Offline,
    Online,
    ProblemReported,
    RoomJoined,
)
from tui_chat.client.net import backoff, transport
from tui_chat.client.net.backoff import INITIAL_DELAY
from tui_chat.client.room import Room
from tui_chat.protocol.errors import InternalError, Unavailable
from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.requests import JoinRoom
from tui_chat.protocol.responses import JoinResponse

PING_FRAME = 0x89
"""First byte of a WebSocket ping (RFC 6455, section 5.5.2)."""


async def post_many(url: str, messages: int) -> None:
    """Post `messages` equal texts to `tea` in one burst, so that the journal writes few transactions."""
    async with raw_client(url) as client:
        await client.join("tea", "crowd")
        await client.send_messages("tea", ["missed"] * messages)


async def read_entries(room: Room, count: int) -> list[Entry]:
    """Return the next `count` entries of the iteration over a room."""
    entries: list[Entry] = []
    async with asyncio.timeout(TIMEOUT):
        async for entry in room:
            entries.append(entry)
            if len(entries) == count:
                break
    return entries


async def test_a_reset_connection_is_reopened_after_the_initial_delay_with_missed_messages(
    server: RunningServer, proxy: TcpProxy
) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        member_id = bobs_tea.member_id
        stream = bob.events()
        await tea.send("before")
        await wait_until(lambda: message_texts(bobs_tea) == ["before"])
        proxy.reset_all()
        await wait_until(lambda: isinstance(bob.state, Offline))
        await tea.send("during")
        await wait_until(lambda: message_texts(bobs_tea) == ["before", "during"])
        assert bobs_tea.member_id == member_id
        assert len(bobs_tea.members) == 2
        await tea.send("after")
        assert [entry.seq for entry in await read_entries(bobs_tea, 3)] == [1, 2, 3]
        events: list[ClientEvent] = []
        while len(stream):
            events.append(await anext(stream))
        assert RoomJoined("tea", rejoined=True) in events
        states = [event.state for event in events if isinstance(event, ConnectionStateChanged)]
        assert isinstance(states[-1], Online)
        offline = next(state for state in states if isinstance(state, Offline))
        assert offline.retry_in <= INITIAL_DELAY
        assert any(2 in event.seqs for event in events if isinstance(event, LogChanged))


async def test_messages_sent_while_offline_are_delivered_once(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: isinstance(bob.state, Offline))
        sending = [asyncio.create_task(bobs_tea.send(f"m{number}")) for number in range(5)]
        await wait_until(lambda: proxy.accepted_count >= 3)
        proxy.accept_connections()
        responses = await asyncio.gather(*sending)
        assert [response.seq for response in responses] == [1, 2, 3, 4, 5]
        await wait_until(lambda: message_texts(tea) == message_texts(bobs_tea) == [f"m{number}" for number in range(5)])


async def test_twenty_interrupted_sends_are_posted_once(server: RunningServer, proxy: TcpProxy) -> None:
    async with contextlib.AsyncExitStack() as clients:
        ann = await clients.enter_async_context(ChatClient(server.url))
        tea = await ann.join("tea", nick="ann")
        senders = [await clients.enter_async_context(ChatClient(proxy.url)) for _ in range(20)]
        rooms = [await sender.join("tea", nick="bob") for sender in senders]

        async def send_after(number: int) -> int:
            for _ in range(number):
                await asyncio.sleep(0)
            return (await rooms[number].send(f"m{number}")).seq

        sending = [asyncio.create_task(send_after(number)) for number in range(20)]
        await wait_until(lambda: tea.log.last >= 3)
        proxy.reset_all()
        assert sorted(await asyncio.gather(*sending)) == list(range(1, 21))
        for room in (tea, *rooms):
            await wait_until(lambda room=room: room.log.last == 20)
            assert message_texts(room) == message_texts(tea)
        assert sorted(message_texts(tea)) == sorted(f"m{number}" for number in range(20))


async def test_a_send_without_a_connection_fails_after_its_timeout(proxy: TcpProxy) -> None:
    async with ChatClient(proxy.url) as bob:
        bobs_tea = await bob.join("tea", nick="bob")
        proxy.refuse_connections()
        proxy.reset_all()
        with pytest.raises(Unavailable, match="did not respond in time"):
            await bobs_tea.send("never", timeout=0.3)


@pytest.mark.usefixtures("short_pages")
async def test_an_iterator_reads_across_the_gap_of_a_long_absence(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        await tea.send("m1")
        await wait_until(lambda: bobs_tea.log.last == 1)
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: isinstance(bob.state, Offline))
        await post_many(server.url, 200)
        proxy.accept_connections()
        await wait_until(lambda: bobs_tea.log.last == 201)
        (gap,) = bobs_tea.log.gaps()
        assert (gap.after, gap.missing_count) == (1, 180)
        assert [entry.seq for entry in await read_entries(bobs_tea, 201)] == list(range(1, 202))
        assert bobs_tea.log.gaps() == ()


@pytest.mark.usefixtures("short_pages")
async def test_small_gaps_fill_automatically_and_large_gaps_on_request(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        await ann.join("tea", nick="ann")  # an empty room without members would be created again with another log id
        bobs_tea = await bob.join("tea", nick="bob")
        for last, missed in ((0, 90), (90, 150)):
            proxy.refuse_connections()
            proxy.reset_all()
            await wait_until(lambda: isinstance(bob.state, Offline))
            await post_many(server.url, missed)
            proxy.accept_connections()
            await wait_until(lambda end=last + missed: bobs_tea.log.last == end)
            if missed == 90:
                await wait_until(lambda: len(bobs_tea.log) == 90)
        (gap,) = bobs_tea.log.gaps()
        assert gap.missing_count == 130
        await bobs_tea.history.fill_gap(gap, limit=20)
        assert [(rest.after, rest.missing_count) for rest in bobs_tea.log.gaps()] == [(90, 110)]
        await bobs_tea.history.fill_gap(gap, limit=20, oldest_first=True)
        assert [(rest.after, rest.missing_count) for rest in bobs_tea.log.gaps()] == [(110, 90)]
        await bobs_tea.history.fill_gap(gap)
        assert bobs_tea.log.gaps() == ()
        assert len(bobs_tea.log) == 240


async def test_a_server_restart_preserves_messages_order_and_members(tmp_path: Path, unused_tcp_port: int) -> None:
    async with contextlib.AsyncExitStack() as clients:
        acknowledged: list[str] = []
        async with running_server(tmp_path, port=unused_tcp_port, rate_limit="off") as running:
            ann = await clients.enter_async_context(ChatClient(running.url))
            events = EventRecorder(ann)
            bob = await clients.enter_async_context(ChatClient(running.url))
            tea, bobs_tea = await ann.join("tea", nick="ann"), await bob.join("tea", nick="bob")
            member_ids = (tea.member_id, bobs_tea.member_id)

            async def send_all(room: Room, name: str) -> None:
                for number in range(40):
                    await room.send(f"{name} {number}")
                    acknowledged.append(f"{name} {number}")

            sending = [asyncio.create_task(send_all(tea, "ann")), asyncio.create_task(send_all(bobs_tea, "bob"))]
            await wait_until(lambda: len(acknowledged) >= 10)
        await wait_until(lambda: isinstance(ann.state, Offline) and isinstance(bob.state, Offline))
        states = [event.state for event in events.of_type(ConnectionStateChanged)]
        offline = next(state for state in states if isinstance(state, Offline))
        assert offline.error.reason == "server_restarting"
        assert offline.retry_in >= RECONNECT_AFTER
        async with running_server(tmp_path, port=unused_tcp_port, rate_limit="off"):
            await asyncio.gather(*sending)
            await wait_until(lambda: tea.log.last == bobs_tea.log.last == 80)
            assert sorted(message_texts(tea)) == sorted(acknowledged)
            assert message_texts(tea) == message_texts(bobs_tea)
            assert [entry.seq for entry in await read_entries(tea, 80)] == list(range(1, 81))
            assert (tea.member_id, bobs_tea.member_id) == member_ids
            assert not tea.log.gaps()


async def test_a_replaced_database_resets_the_room_log(tmp_path: Path, unused_tcp_port: int) -> None:
    async with contextlib.AsyncExitStack() as clients:
        async with running_server(tmp_path, port=unused_tcp_port) as running:
            ann = await clients.enter_async_context(ChatClient(running.url))
            tea = await ann.join("tea", nick="ann")
            stream = ann.events()
            for text in ("old one", "old two", "old three"):
                await tea.send(text)
        other = tmp_path / "other"
        other.mkdir()
        async with running_server(other, port=unused_tcp_port):
            assert await next_event(stream, RoomJoined) == RoomJoined("tea", rejoined=True, log_reset=True)
            await tea.send("new")
            await wait_until(lambda: message_texts(tea) == ["new"])
            assert [entry.seq for entry in await read_entries(tea, 1) if isinstance(entry, Message)] == [1]


async def test_leaving_during_a_rejoin_leaves_the_room_on_the_server(
    tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with contextlib.AsyncExitStack() as clients:
        async with running_server(tmp_path, port=unused_tcp_port) as running:
            ann = await clients.enter_async_context(ChatClient(running.url))
            tea = await ann.join("tea", nick="ann")
            await tea.send("old")
        join = transport.Transport.join
        joins: list[JoinRoom] = []

        async def leave_during_the_second_join(self: transport.Transport, request: JoinRoom) -> JoinResponse | None:
            joins.append(request)
            response = await join(self, request)
            if len(joins) == 2:
                await tea.leave()
            return response

        monkeypatch.setattr(transport.Transport, "join", leave_during_the_second_join)
        other = tmp_path / "other"
        other.mkdir()
        async with running_server(other, port=unused_tcp_port, rate_limit="off") as running:
            await wait_until(lambda: len(joins) == 2)
            async with raw_client(running.url) as bob, asyncio.timeout(TIMEOUT):
                while (await bob.join("tea", "bob"))["memberCount"] > 1:
                    pass


async def test_a_response_timeout_detects_a_stalled_connection(
    proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ChatClient(proxy.url) as bob:
        bobs_tea = await bob.join("tea", nick="bob")
        proxy.stall()
        with monkeypatch.context() as patch:
            patch.setattr(transport, "RESPONSE_TIMEOUT", 0.3)
            sending = asyncio.create_task(bobs_tea.send("through the wall"))
            await wait_until(lambda: isinstance(bob.state, Offline))
        proxy.reset_all()
        proxy.resume()
        assert (await sending).seq == 1
        await wait_until(lambda: message_texts(bobs_tea) == ["through the wall"])


async def test_missing_server_pings_detect_a_stalled_connection(tmp_path: Path) -> None:
    async with running_server(tmp_path, ping_interval=0.2, ping_timeout=0.3) as running:  # noqa: SIM117
        async with tcp_proxy(running.port) as proxy, ChatClient(proxy.url) as bob:
            await bob.join("tea", nick="bob")
            proxy.stall()
            await wait_until(lambda: isinstance(bob.state, Offline))
            proxy.reset_all()
            proxy.resume()
            await wait_until(lambda: isinstance(bob.state, Online))


async def test_an_unanswered_client_ping_detects_a_stalled_connection(
    proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "HEARTBEAT_INTERVAL", 1.0)
    ping_count = 0

    def count_pings(data: bytes) -> bool:
        nonlocal ping_count
        ping_count += data[0] == PING_FRAME
        return True

    async with ChatClient(proxy.url) as bob:
        await bob.join("tea", nick="bob")
        proxy.on_request = count_pings
        await wait_until(lambda: ping_count >= 2)
        assert isinstance(bob.state, Online)
        assert proxy.accepted_count == 1
        proxy.stall()
        await wait_until(lambda: isinstance(bob.state, Offline))


async def test_a_stalled_connection_can_be_closed(proxy: TcpProxy) -> None:
    async with ChatClient(proxy.url) as bob:
        await bob.join("tea", nick="bob")
        proxy.stall()
        await asyncio.wait_for(bob.close(), TIMEOUT)
    proxy.resume()


async def test_a_client_started_before_the_server_connects_later(tmp_path: Path, unused_tcp_port: int) -> None:
    async with ChatClient(f"http://127.0.0.1:{unused_tcp_port}", connect_in_background=True) as ann:
        await wait_until(lambda: isinstance(ann.state, Offline))
        joining = asyncio.create_task(ann.join("tea", nick="ann"))
        async with running_server(tmp_path, port=unused_tcp_port):
            tea = await joining
            assert (await tea.send("at last")).seq == 1


async def test_entering_the_context_uses_an_earlier_connection(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_transport = transport.Transport.open
    connections: list[transport.Transport] = []

    async def record_connection(*args: Any, **kwargs: Any) -> transport.Transport:
        connections.append(await open_transport(*args, **kwargs))
        return connections[-1]

    monkeypatch.setattr(transport.Transport, "open", record_connection)
    chat = ChatClient(server.url)
    await chat.connect()
    async with chat:
        await chat.join("tea", nick="ann")
    assert len(connections) == 1


async def test_closing_at_the_end_of_a_connection_attempt_closes_the_connection(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_transport = transport.Transport.open
    connections: list[transport.Transport] = []
    closing: list[asyncio.Task[None]] = []
    chat = ChatClient(server.url, connect_in_background=True)

    async def open_and_close_client(*args: Any, **kwargs: Any) -> transport.Transport:
        connections.append(await open_transport(*args, **kwargs))
        closing.append(asyncio.create_task(chat.close()))
        return connections[0]

    monkeypatch.setattr(transport.Transport, "open", open_and_close_client)
    async with chat:
        await wait_until(lambda: closing)
        await closing[0]
        await asyncio.wait_for(connections[0].wait_closed(), TIMEOUT)


async def test_reconnect_now_skips_the_backoff_delay(
    tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("INITIAL_DELAY", "EARLY_MAX_DELAY"):
        monkeypatch.setattr(backoff, name, 10 * TIMEOUT)
    async with ChatClient(f"http://127.0.0.1:{unused_tcp_port}", connect_in_background=True) as ann:
        await wait_until(lambda: isinstance(ann.state, Offline))
        async with running_server(tmp_path, port=unused_tcp_port):
            ann.reconnect_now()
            await wait_until(lambda: isinstance(ann.state, Online))


async def test_an_unexpected_error_of_an_interrupted_attempt_is_reported(
    proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[str] = []

    async def fail_on_cancellation(url: str, *_: object, **__: object) -> None:
        attempts.append(url)
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("failed cleanup")

    async with ChatClient(proxy.url) as client:
        events = EventRecorder(client)
        monkeypatch.setattr(transport.Transport, "open", fail_on_cancellation)
        proxy.reset_all()
        await wait_until(lambda: len(attempts) == 1)
        client.reconnect_now()
        await wait_until(lambda: len(attempts) == 2 and events.of_type(ProblemReported))
    assert [type(event.error) for event in events.of_type(ProblemReported)] == [InternalError]
