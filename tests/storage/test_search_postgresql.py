"""Search on PostgreSQL with concurrent writing."""

import asyncio
from uuid import uuid4

import pytest
from hypothesis import given, settings, strategies as st

from server.domain.log_commands import LogCommand
from server.storage.database import open_database
from tests.support.postgresql import PostgreSQLServer
from tests.support.search_model import check_search, command_batches, queries
from tests.support.storage import ManualClock, RoomRef, build_edit, build_message
from tui_chat.protocol.errors import NotFound


def test_search_equals_a_full_scan(postgresql: PostgreSQLServer) -> None:
    async def run(batches: list[list[LogCommand]], search_texts: list[str]) -> None:
        database = await open_database(postgresql.url, clock=ManualClock())
        try:
            await check_search(database, batches, search_texts)
        finally:
            await database.close()

    @settings(max_examples=20, deadline=None)
    @given(command_batches, st.lists(queries, min_size=1, max_size=4))
    def check(batches: list[list[LogCommand]], search_texts: list[str]) -> None:
        asyncio.run(run(batches, search_texts))

    check()


@pytest.mark.parametrize("in_one_room", [False, True])
async def test_messages_of_several_nodes_between_pages_do_not_change_the_older_pages(
    postgresql: PostgreSQLServer, clock: ManualClock, in_one_room: bool
) -> None:
    tea, coffee = (RoomRef(key=uuid4().hex, name=name) for name in ("Tea", "Coffee"))
    word = f"leaf{uuid4().hex}"
    nodes = await asyncio.gather(*(open_database(postgresql.url, clock=clock) for _ in range(2)))
    expected: list[int] = []
    for number in range(12):
        room = coffee if number % 3 == 0 else tea
        entry = (await nodes[number % 2].journal.append(build_message(f"{word} {number}", room=room))).entry
        if room == tea or not in_one_room:
            expected.insert(0, entry.id)
    found: list[int] = []
    before = None
    while before is not None or not found:
        page = await nodes[0].reader.search(
            word, room_key=tea.key if in_one_room else None, joined=(), before=before, limit=3
        )
        found += [message.id for message in page.messages]
        before = page.next_before
        new_messages = [(node, build_message(f"{word} new", room=room)) for node in nodes for room in (tea, coffee)]
        await asyncio.gather(*(node.journal.append(command) for node, command in new_messages))
    assert found == expected
    for node in nodes:
        await node.close()


async def test_concurrent_edits_on_several_nodes_update_the_index(
    postgresql: PostgreSQLServer, clock: ManualClock
) -> None:
    room = RoomRef(key=uuid4().hex, name="Old")
    nodes = await asyncio.gather(*(open_database(postgresql.url, clock=clock) for _ in range(3)))
    first = nodes[0]
    await asyncio.gather(*(first.journal.append(build_message(f"relic {number}", room=room)) for number in range(700)))
    edits = [build_edit(seq, f"jewel {seq}", room=room) for seq in range(1, 700, 70)]
    await asyncio.gather(*(nodes[seq % 3].journal.append(command) for seq, command in enumerate(edits)))
    for word, count in (("relic", 690), ("jewel", 10)):
        seqs: list[int] = []
        before = None
        while True:
            response = await first.reader.search(word, room_key=room.key, joined=(), before=before, limit=100)
            seqs += [message.seq for message in response.messages]
            before = response.next_before
            if before is None:
                break
        assert len(seqs) == len(set(seqs)) == count
    with pytest.raises(NotFound):
        await first.reader.search("relic", room_key="nowhere", joined=(), before=None, limit=1)
    for node in nodes:
        await node.close()
