"""Search by the SDK: on the server while online, in the local history while offline."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings, strategies as st

from server.app import RunningServer
from tests.support.naive_search import matches
from tests.support.raw_client import raw_client
from tests.support.search_model import queries, texts
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Online
from tui_chat.client.search_page import Position, SearchCursor, SearchPage, SearchSource
from tui_chat.client.storage.history_db import LocalHistory, RoomKey
from tui_chat.client.sync.log_segment import LogSegment
from tui_chat.protocol.errors import BadRequest, NotFound, TooLong
from tui_chat.protocol.events import Deletion, Edit, Message, MessageChange
from tui_chat.protocol.search_query import SearchQuery

SERVER = "http://localhost:3000"


def hits(page: SearchPage) -> list[tuple[str, str]]:
    """Return the room and text of each message of a page."""
    return [(message.room, message.message) for message in page.messages]


@pytest.mark.parametrize("with_history", [True, False])
async def test_search_finds_local_messages_while_offline(
    server: RunningServer, proxy: TcpProxy, tmp_path: Path, with_history: bool
) -> None:
    async with (
        LocalHistory(tmp_path / "cache") as history,
        ChatClient(proxy.url, history=history if with_history else None) as chat,
    ):
        tea, milk = await chat.join("tea", nick="ann"), await chat.join("milk", nick="ann")
        for room, text in ((tea, "green tea"), (milk, "绿茶 latte"), (tea, "green again"), (tea, "gone green")):
            await room.send(text)
        await tea.edit(1, "green TEA, edited")
        await tea.delete(3)
        async with ChatClient(server.url) as bob:
            await (await bob.join("elsewhere", nick="bob")).send("green elsewhere")
        results = await chat.search("green")
        assert results.source is SearchSource.SERVER
        local_hits = [("tea", "green again"), ("tea", "green TEA, edited")]
        assert hits(results) == [("elsewhere", "green elsewhere"), *local_hits]
        assert hits(await milk.search("茶")) == [("milk", "绿茶 latte")]
        await wait_until(lambda: len(tea.log) == 3 and tea.log[3].deleted and len(milk.log) == 1)
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: not isinstance(chat.state, Online))
        results = await chat.search("green")
        assert results.source is SearchSource.LOCAL
        assert hits(results) == local_hits
        assert hits(await milk.search("茶")) == [("milk", "绿茶 latte")]
        first = await chat.search("green", limit=1)
        assert hits(first) == local_hits[:1]
        assert hits(await chat.search("green", limit=1, cursor=first.next)) == local_hits[1:]
        assert not (await chat.search("nothing")).messages


async def test_local_results_have_the_current_name_of_a_renamed_room(server: RunningServer, proxy: TcpProxy) -> None:
    async with raw_client(server.url) as ann, ChatClient(proxy.url) as chat:
        created = await ann.request("createRoom", {"name": "old"})
        await ann.request("joinRoom", {"roomName": "old", "nickName": "ann"})
        await ann.request("sendMessage", {"room": "old", "message": "green"})
        await ann.request("leaveRoom", {"room": "old"})
        room = await chat.observe("old")
        await wait_until(lambda: len(room.log) == 1)
        await ann.request("updateRoom", {"id": created["id"], "name": "new"})
        await wait_until(lambda: room.name == "new")
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: not isinstance(chat.state, Online))
        assert hits(await chat.search("green")) == [("new", "green")]


@pytest.mark.parametrize("with_history", [True, False])
async def test_a_search_continues_across_a_disconnect_without_repeated_messages(
    server: RunningServer, proxy: TcpProxy, tmp_path: Path, with_history: bool
) -> None:
    async with (
        ChatClient(server.url) as bob,
        LocalHistory(tmp_path / "cache") as history,
        ChatClient(proxy.url, history=history if with_history else None) as chat,
    ):
        tea, milk = await chat.join("tea", nick="ann"), await chat.join("milk", nick="ann")
        elsewhere = await bob.join("elsewhere", nick="bob")
        sent_texts = [f"green {number}" for number in range(12)]
        for number, text in enumerate(sent_texts):
            await (tea, milk, elsewhere)[number % 3 if number < 3 else number % 2].send(text)
        await wait_until(lambda: len(tea.log) + len(milk.log) == 11)
        sources: list[SearchSource] = []
        found: list[str] = []
        cursor: SearchCursor | None = None
        for is_online in (True, False, True, False, True):
            if is_online:
                proxy.accept_connections()
                await wait_until(lambda: isinstance(chat.state, Online))
            else:
                proxy.refuse_connections()
                proxy.reset_all()
                await wait_until(lambda: not isinstance(chat.state, Online))
            page = await chat.search("green", limit=3, cursor=cursor)
            sources.append(page.source)
            found += [message.message for message in page.messages]
            cursor = page.next
        while cursor is not None:
            page = await chat.search("green", limit=3, cursor=cursor)
            found += [message.message for message in page.messages]
            cursor = page.next
        assert sources == [SearchSource.SERVER, SearchSource.LOCAL] * 2 + [SearchSource.SERVER]
        assert found == sent_texts[::-1]


async def test_invalid_queries_and_unknown_rooms_are_rejected(server: RunningServer) -> None:
    async with ChatClient(server.url) as chat:
        for query, error in ((" ", BadRequest), ("x" * 251, TooLong)):
            with pytest.raises(error):
                await chat.search(query)
        with pytest.raises(NotFound):
            await chat.search("tea", room="nowhere")


async def test_the_context_of_a_message_or_time_is_loaded_from_the_server_or_the_cache(
    server: RunningServer, proxy: TcpProxy, tmp_path: Path
) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="bob")
        await asyncio.gather(*(room.send(f"line {number}") for number in range(1, 301)))
    async with LocalHistory(tmp_path) as history:
        async with ChatClient(proxy.url, history=history) as chat:
            room = await chat.join("tea", nick="ann", limit=20)
            assert await room.history.load_around(100, limit=40)
            assert [message.seq for message in room.log.messages()] == [*range(80, 120), *range(281, 301)]
            assert [(gap.after, gap.before) for gap in room.log.gaps()] == [(119, 281)]
            assert room.log.last == 300
            assert not await room.history.load_around(9_999, limit=4)
            assert await room.history.load_at_time(0, limit=4) == 1
            assert await room.history.load_at_time(2**50, limit=4) == 300
        proxy.refuse_connections()
        async with ChatClient(proxy.url, history=history, connect_in_background=True) as chat:
            room = await chat.open_cached("tea", nick="ann", limit=20)
            assert room is not None
            before = [message.seq for message in room.log.messages()]
            assert await room.history.load_around(100, limit=10)
            assert {*range(95, 105)} <= {message.seq for message in room.log.messages()}
            assert {*before} <= {message.seq for message in room.log.messages()}
            assert await room.history.load_at_time(0, limit=4) == 1


def message(room: int, seq: int, text: str) -> Message:
    return Message(
        room=f"room{room}", seq=seq, id=seq * 2 + room, nick_name="b", member_id="b", message=text, ts=seq * 1000
    )


def change(room: int, seq: int, target: int, text: str) -> MessageChange:
    """Return an edit, or a deletion for an empty text."""
    deletion = Deletion(room=f"room{room}", seq=seq, id=900 + seq, ts=1, member_id="b", nick_name="b", target=target)
    if not text:
        return deletion
    return Edit(
        room=deletion.room, seq=seq, id=deletion.id, ts=1, member_id="b", nick_name="b", target=target, message=text
    )


async def check_search(logs: list[list[tuple[str, str | None]]], search_queries: list[str]) -> None:
    """Store `logs` (original text, pending change or None) and compare every search with the naive one."""
    expected_texts: dict[int, tuple[int, str]] = {}
    with TemporaryDirectory() as directory:
        async with LocalHistory(Path(directory)) as history:
            for room, log in enumerate(logs):
                changes: list[MessageChange] = []
                last = len(log)
                for seq, (text, new_text) in enumerate(log, 1):
                    expected_texts[seq * 2 + room] = room, text if new_text is None else new_text
                    if new_text is not None:
                        changes.append(change(room, last + 10 + seq, seq, new_text))
                messages = tuple((message(room, seq, text), seq) for seq, (text, _) in enumerate(log, 1))
                room_key = RoomKey(SERVER, f"room{room}", "ann")
                await history.write(room_key, LogSegment(messages, tuple(changes), ((1, last),)), "log")
            await history.write(
                RoomKey("http://other", "room0", "ann"), LogSegment(((message(0, 9, "中 abc"), 9),)), "log"
            )
            for query in search_queries:
                for room in (None, 0, 1):
                    expected = sorted(
                        (
                            number
                            for number, (room_number, text) in expected_texts.items()
                            if room in {None, room_number}
                            if matches(query, text)
                        ),
                        reverse=True,
                    )
                    assert await search_all_pages(history, query, room) == expected


async def search_all_pages(history: LocalHistory, query: str, room: int | None) -> list[int]:
    """Return the ids of all found messages, from pages of two messages."""
    ids: list[int] = []
    before: Position | None = None
    while True:
        messages, before = await history.search(
            SERVER, SearchQuery(query), None if room is None else f"room{room}", before, 2
        )
        ids += [message.id for message in messages]
        if before is None:
            return ids


stored_logs = st.lists(st.tuples(texts, st.none() | st.just("") | texts), max_size=6)


@settings(max_examples=30, deadline=None)
@given(st.lists(stored_logs, min_size=2, max_size=2), st.lists(queries, min_size=1, max_size=3))
def test_local_search_matches_the_reference_implementation(
    logs: list[list[tuple[str, str | None]]], search_queries: list[str]
) -> None:
    asyncio.run(check_search(logs, search_queries))
