"""Breaks of every kind: nothing is lost, nothing comes twice, everybody reads the same order."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RECONNECT_AFTER, RunningServer
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import ClientEvent, ConnectionStateChanged, LogChanged, Offline, Online, RoomJoined
from tui_chat.client.net import transport
from tui_chat.client.room import Room
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Entry, Message


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@pytest.fixture
async def proxy(server: RunningServer) -> AsyncGenerator[TcpProxy]:
    async with tcp_proxy(server.port) as between:
        yield between


async def chatter(url: str, messages: int) -> None:
    """Somebody says much and hardly waits for an answer: that is written to disk in few transactions."""
    async with raw_client(url) as crowd:
        await crowd.join("tea", "crowd")
        await crowd.send_messages("tea", ["missed"] * messages)


def texts(room: Room) -> list[str]:
    return [message.message for message in room.log.messages()]


async def heard(room: Room, count: int) -> list[Entry]:
    entries: list[Entry] = []
    async with asyncio.timeout(20):
        async for entry in room:
            entries.append(entry)
            if len(entries) == count:
                break
    return entries


async def test_a_cut_connection_is_back_within_two_seconds_with_what_was_missed(
    server: RunningServer, proxy: TcpProxy
) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        tea = await ann.join("tea", nick="ann")
        cup = await bob.join("tea", nick="bob")
        before = cup.member_id
        stream = bob.events()
        await tea.send("before")
        await wait_until(lambda: texts(cup) == ["before"])
        loop = asyncio.get_running_loop()
        proxy.reset_all()
        await wait_until(lambda: isinstance(bob.state, Offline))
        since = loop.time()
        await tea.send("during")
        await wait_until(lambda: texts(cup) == ["before", "during"])
        assert loop.time() - since < 2
        assert cup.member_id == before
        assert len(cup.members) == 2
        await tea.send("after")
        assert [entry.seq for entry in await heard(cup, 3)] == [1, 2, 3]
        told: list[ClientEvent] = []
        while len(stream):
            told.append(await anext(stream))
        assert RoomJoined("tea", rejoined=True) in told
        states = [type(event.state) for event in told if isinstance(event, ConnectionStateChanged)]
        assert Offline in states
        assert states[-1] is Online
        assert LogChanged("tea", (2,), live=False) in told or LogChanged("tea", (2,), live=True) in told


async def test_what_is_sent_while_offline_arrives_once_when_back(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        tea = await ann.join("tea", nick="ann")
        cup = await bob.join("tea", nick="bob")
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: isinstance(bob.state, Offline))
        sending = [asyncio.create_task(cup.send(f"m{number}")) for number in range(5)]
        await wait_until(lambda: proxy.accepted_count >= 3)
        proxy.accept_connections()
        answers = await asyncio.gather(*sending)
        assert [answer.seq for answer in answers] == [1, 2, 3, 4, 5]
        await wait_until(lambda: texts(tea) == texts(cup) == [f"m{number}" for number in range(5)])


async def test_a_send_that_is_cut_anywhere_on_its_way_is_said_once(server: RunningServer, proxy: TcpProxy) -> None:
    async with contextlib.AsyncExitStack() as clients:
        ann = await clients.enter_async_context(ChatClient(server.url))
        tea = await ann.join("tea", nick="ann")
        senders = [await clients.enter_async_context(ChatClient(proxy.url)) for _ in range(20)]
        cups = [await sender.join("tea", nick="bob") for sender in senders]

        async def say(number: int) -> int:
            for _ in range(number):
                await asyncio.sleep(0)
            return (await cups[number].send(f"m{number}")).seq

        saying = [asyncio.create_task(say(number)) for number in range(20)]
        await wait_until(lambda: tea.log.last >= 3)
        proxy.reset_all()
        assert sorted(await asyncio.gather(*saying)) == list(range(1, 21))
        for room in (tea, *cups):
            await wait_until(lambda room=room: room.log.last == 20)
            assert texts(room) == texts(tea)
        assert sorted(texts(tea)) == sorted(f"m{number}" for number in range(20))


async def test_a_send_gives_up_when_its_time_is_over(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(proxy.url) as bob:
        cup = await bob.join("tea", nick="bob")
        proxy.refuse_connections()
        proxy.reset_all()
        with pytest.raises(Unavailable, match="did not answer in time"):
            await cup.send("never", timeout=0.3)


async def test_a_long_absence_is_read_from_where_one_was(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        tea = await ann.join("tea", nick="ann")
        cup = await bob.join("tea", nick="bob")
        await tea.send("m1")
        await wait_until(lambda: cup.log.last == 1)
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: isinstance(bob.state, Offline))
        await chatter(server.url, 2_000)
        proxy.accept_connections()
        await wait_until(lambda: cup.log.last == 2_001)
        (gap,) = cup.log.gaps()
        assert (gap.after, gap.missing_count) == (1, 1_800)
        assert [entry.seq for entry in await heard(cup, 2_001)] == list(range(1, 2_002))
        assert cup.log.gaps() == ()


async def test_a_small_hole_is_filled_unasked_and_a_large_one_on_request(
    server: RunningServer, proxy: TcpProxy
) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        tea = await ann.join("tea", nick="ann")
        cup = await bob.join("tea", nick="bob")
        for missed in (900, 1_500):
            last = tea.log.last
            proxy.refuse_connections()
            proxy.reset_all()
            await wait_until(lambda: isinstance(bob.state, Offline))
            await chatter(server.url, missed)
            proxy.accept_connections()
            await wait_until(lambda end=last + missed: cup.log.last == end)
            if missed == 900:
                await wait_until(lambda: len(cup.log) == 900)
        (gap,) = cup.log.gaps()
        assert gap.missing_count == 1_300
        await cup.fill_gap(gap, limit=200)
        assert [(part.after, part.missing_count) for part in cup.log.gaps()] == [(900, 1_100)]
        await cup.fill_gap(gap, limit=200, oldest_first=True)
        assert [(part.after, part.missing_count) for part in cup.log.gaps()] == [(1_100, 900)]
        await cup.fill_gap(gap)
        assert cup.log.gaps() == ()
        assert len(cup.log) == 2_400


async def test_a_restarted_server_costs_nobody_anything(tmp_path: Path, unused_port: int) -> None:
    async with contextlib.AsyncExitStack() as clients:
        said: list[str] = []
        async with running_server(tmp_path, port=unused_port, rate_limit="off") as running:
            ann = await clients.enter_async_context(ChatClient(running.url))
            bob = await clients.enter_async_context(ChatClient(running.url))
            tea, cup = await ann.join("tea", nick="ann"), await bob.join("tea", nick="bob")
            ids = (tea.member_id, cup.member_id)

            async def talk(room: Room, name: str) -> None:
                for number in range(40):
                    await room.send(f"{name} {number}")
                    said.append(f"{name} {number}")

            talking = [asyncio.create_task(talk(tea, "ann")), asyncio.create_task(talk(cup, "bob"))]
            await wait_until(lambda: len(said) >= 10)
        await wait_until(lambda: isinstance(ann.state, Offline) and isinstance(bob.state, Offline))
        assert isinstance(ann.state, Offline)
        assert ann.state.reason == "the server is restarting"
        assert ann.state.retry_in >= RECONNECT_AFTER
        async with running_server(tmp_path, port=unused_port, rate_limit="off"):
            await asyncio.gather(*talking)
            await wait_until(lambda: tea.log.last == cup.log.last == 80)
            assert sorted(texts(tea)) == sorted(said)
            assert texts(tea) == texts(cup)
            assert [entry.seq for entry in await heard(tea, 80)] == list(range(1, 81))
            assert (tea.member_id, cup.member_id) == ids
            assert not tea.log.gaps()


async def test_another_database_behind_the_address_is_read_anew(tmp_path: Path, unused_port: int) -> None:
    async with contextlib.AsyncExitStack() as clients:
        async with running_server(tmp_path, port=unused_port) as running:
            ann = await clients.enter_async_context(ChatClient(running.url))
            tea = await ann.join("tea", nick="ann")
            stream = ann.events()
            for word in ("old one", "old two", "old three"):
                await tea.send(word)
        other = tmp_path / "other"
        other.mkdir()
        async with running_server(other, port=unused_port):
            async for event in stream:
                if event == RoomJoined("tea", rejoined=True, log_reset=True):
                    break
            await tea.send("new")
            await wait_until(lambda: texts(tea) == ["new"])
            assert [entry.seq for entry in await heard(tea, 1) if isinstance(entry, Message)] == [1]


async def test_a_stalled_connection_is_noticed_by_the_request_that_gets_no_answer(
    server: RunningServer, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "RESPONSE_TIMEOUT", 0.3)
    async with ChatClient(proxy.url) as bob:
        cup = await bob.join("tea", nick="bob")
        proxy.stall()
        sending = asyncio.create_task(cup.send("through the wall"))
        await wait_until(lambda: isinstance(bob.state, Offline))
        proxy.reset_all()
        proxy.resume()
        assert (await sending).seq == 1
        await wait_until(lambda: texts(cup) == ["through the wall"])


async def test_a_silent_connection_is_noticed_by_the_missing_ping(tmp_path: Path) -> None:
    async with running_server(tmp_path, ping_interval=0.2, ping_timeout=0.3) as running:  # noqa: SIM117
        async with tcp_proxy(running.port) as between, ChatClient(between.url) as bob:
            await bob.join("tea", nick="bob")
            between.stall()
            await wait_until(lambda: isinstance(bob.state, Offline))
            between.reset_all()
            between.resume()
            await wait_until(lambda: isinstance(bob.state, Online))


async def test_a_silent_connection_is_noticed_by_the_ping_that_nobody_answers(
    server: RunningServer, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "HEARTBEAT_INTERVAL", 0.2)
    async with ChatClient(proxy.url) as bob:
        await bob.join("tea", nick="bob")
        up = time.monotonic()
        await wait_until(lambda: time.monotonic() > up + 1)
        assert isinstance(bob.state, Online)
        assert proxy.accepted_count == 1
        proxy.stall()
        await wait_until(lambda: isinstance(bob.state, Offline))


async def test_closing_a_stalled_connection_does_not_take_long(server: RunningServer, proxy: TcpProxy) -> None:
    loop = asyncio.get_running_loop()
    async with ChatClient(proxy.url) as bob:
        await bob.join("tea", nick="bob")
        proxy.stall()
        since = loop.time()
    assert loop.time() - since < 4
    proxy.resume()


async def test_starting_before_the_server_is_there(tmp_path: Path, unused_port: int) -> None:
    async with ChatClient(f"http://127.0.0.1:{unused_port}", connect_in_background=True) as ann:
        await wait_until(lambda: isinstance(ann.state, Offline))
        joining = asyncio.create_task(ann.join("tea", nick="ann"))
        async with running_server(tmp_path, port=unused_port):
            tea = await joining
            assert (await tea.send("at last")).seq == 1


async def test_an_impatient_person_does_not_wait_for_the_next_attempt(tmp_path: Path, unused_port: int) -> None:
    async with ChatClient(f"http://127.0.0.1:{unused_port}", connect_in_background=True, random=lambda: 0.999) as ann:
        await wait_until(lambda: isinstance(ann.state, Offline) and ann.state.retry_in > 1.5)
        assert isinstance(ann.state, Offline)
        retry_at = ann.state.retry_at
        async with running_server(tmp_path, port=unused_port):
            ann.reconnect_now()
            await wait_until(lambda: isinstance(ann.state, Online))
            assert time.monotonic() < retry_at


async def test_a_change_whose_answer_was_lost_is_written_once(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url, connect_in_background=True) as bob:
        tea = await ann.join("tea", nick="ann")
        cup = await bob.join("tea", nick="bob")
        first, second = await cup.send("one"), await cup.send("two")
        for make in (
            lambda: cup.post_edit(first.seq, "uno"),
            lambda: cup.post_reaction(first.seq, "👍"),
            lambda: cup.post_reaction(first.seq, "👍", on=False),
            lambda: cup.post_deletion(second.seq),
        ):
            await wait_until(lambda: isinstance(bob.state, Online) and cup.was_joined)
            before = tea.log.last
            proxy.open_connections[-1].stall_downstream()
            make()
            await wait_until(lambda before=before: tea.log.last == before + 1)
            assert len(cup.unsent()) == 1
            proxy.reset_all()
            await wait_until(lambda: not cup.unsent())
        assert (await tea.send("end")).seq == 7
        await wait_until(lambda: cup.log.last == tea.log.last == 7)
        assert texts(cup) == texts(tea) == ["uno", "", "end"]
        assert cup.log[first.seq].reactions is None
