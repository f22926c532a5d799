"""Read markers and mentions of durable members."""

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from server.domain.log_commands import AppendMemberChange, AppendMessage, LogCommand, MentionTargets, RoomRef
from server.storage import membership_reader, read_markers
from server.storage.database import Database
from server.storage.executor import ThreadExecutor
from server.storage.read_markers import MarkerMove, ReadMarkerRepository
from server.storage.sqlite import open_engine
from tests.support.storage import (
    ANN,
    BEN,
    LOUNGE,
    ManualClock,
    build_deletion,
    build_edit,
    build_message,
    build_topic,
    recorded_statements,
)
from tui_chat.protocol.events import Member, MemberRef, Message
from tui_chat.protocol.responses import ReadState

CAT = Member(member_id="cat", nick_name="Cat", account="cat", role="member")
TEA = RoomRef(key="tea", name="Tea")


@pytest.fixture
def storage(path: Path, database: Database) -> Generator[sqlite3.Connection]:
    """Second connection to the database file, for rows that the tested operations only read."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def add_membership(storage: sqlite3.Connection, member: Member, room: RoomRef = LOUNGE, joined_at: int = 0) -> None:
    storage.execute(
        "INSERT INTO memberships (room_id, member_id, account, nick_name, role, joined_at)"
        " SELECT id, ?, ?, ?, 'member', ? FROM rooms WHERE key = ?",
        (member.member_id, member.account, member.nick_name, joined_at, room.key),
    )


def add_block(storage: sqlite3.Connection, member: Member, blocked: Member) -> None:
    storage.execute("INSERT INTO blocks VALUES (?, ?, ?, NULL, 0)", (member.member_id, blocked.member_id, "x"))


def mention(
    *members: Member, room: RoomRef = LOUNGE, author: Member = ANN, all_members: bool = False, text: str = "hello"
) -> AppendMessage:
    targets = MentionTargets(candidates=tuple((member.member_id,) for member in members), all_members=all_members)
    return build_message(text, room=room, author=author, mentions=targets)


async def append(database: Database, *commands: LogCommand) -> None:
    for command in commands:
        await database.journal.append(command)


async def mark(database: Database, seq: int, member: Member = BEN, *, may_decrease: bool = False) -> MarkerMove:
    move = await database.read_markers.move(LOUNGE.key, member.member_id, seq, may_decrease=may_decrease)
    assert move is not None
    return move


async def list_mentions(database: Database, member: Member = BEN, limit: int = 100) -> list[tuple[str, int]]:
    """Return room and `seq` of all mentions, from pages of a limited size."""
    found: list[Message] = []
    before: int | None = None
    while True:
        page = await database.read_markers.list_mentions(member.member_id, before=before, limit=limit)
        assert len(page.messages) <= limit
        found += page.messages
        if (before := page.next_before) is None:
            return [(message.room, message.seq) for message in found]


async def test_unread_messages_do_not_count_other_entries(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, build_message(), build_topic("news"), build_message(), build_message(), build_topic("more"))
    add_membership(storage, BEN)
    assert await mark(database, 0) == MarkerMove("Lounge", ReadState(0, 3, 0), is_moved=False)
    assert await mark(database, 2) == MarkerMove("Lounge", ReadState(2, 2, 0), is_moved=True)
    assert (await mark(database, 3)).read == ReadState(3, 1, 0)
    await append(database, build_deletion(4))
    assert (await mark(database, 3)).read == ReadState(3, 1, 0), "a deleted message keeps its ordinal"
    assert (await mark(database, 1000)).read == ReadState(6, 0, 0)


async def test_a_read_marker_decreases_on_request_only(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, *[build_message() for _ in range(4)])
    add_membership(storage, BEN)
    await mark(database, 3)
    assert await mark(database, 1) == MarkerMove("Lounge", ReadState(3, 1, 0), is_moved=False)
    assert await mark(database, 1, may_decrease=True) == MarkerMove("Lounge", ReadState(1, 3, 0), is_moved=True)
    assert await mark(database, 1, may_decrease=True) == MarkerMove("Lounge", ReadState(1, 3, 0), is_moved=False)


async def test_concurrent_moves_leave_the_highest_marker(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, *[build_message() for _ in range(9)])
    add_membership(storage, BEN)
    moves = await asyncio.gather(*[mark(database, seq) for seq in (3, 9, 1, 5)])
    assert [move.read for move in moves] == [ReadState(9, 0, 0)] * 4


async def test_the_close_waits_for_a_running_commit(
    path: Path, database: Database, storage: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(database, build_message())
    add_membership(storage, BEN)
    readers, writer = (
        ThreadExecutor(open_engine(path, writable=writable, pool_size=1, busy_timeout=50), 1, "markers")
        for writable in (False, True)
    )
    is_writing, gate = asyncio.Event(), asyncio.Event()
    write = writer.run

    async def wait_and_write(work: Callable[[Connection], Any]) -> Any:
        is_writing.set()
        await gate.wait()
        return await write(work)

    monkeypatch.setattr(writer, "run", wait_and_write)
    markers = ReadMarkerRepository(writer, readers)
    move = asyncio.create_task(markers.move(LOUNGE.key, "ben", 1, may_decrease=False))
    await is_writing.wait()
    close = asyncio.create_task(markers.close())
    await asyncio.sleep(0)
    assert not close.done()
    gate.set()
    await close
    assert await move == MarkerMove("Lounge", ReadState(1, 0, 0), is_moved=True)
    for executor in (readers, writer):
        await executor.close()


async def test_only_durable_members_have_a_marker(database: Database) -> None:
    await append(database, build_message())
    assert await database.read_markers.move(LOUNGE.key, "ben", 1, may_decrease=False) is None
    assert await database.read_markers.move("unknown", "ben", 1, may_decrease=False) is None


async def test_removed_messages_before_the_marker_do_not_count(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, build_message(), build_topic("news"), build_message(), build_topic("more"))
    add_membership(storage, BEN)
    storage.execute("DELETE FROM entries WHERE seq < 3")
    storage.execute("UPDATE rooms SET first_seq = 3")
    assert (await mark(database, 1)).read == ReadState(2, 1, 0)
    storage.execute("DELETE FROM entries")
    storage.execute("UPDATE rooms SET first_seq = 5")
    assert (await mark(database, 4)).read == ReadState(4, 0, 0)


async def test_own_messages_move_the_marker_of_an_account(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, build_message(), build_message())
    add_membership(storage, BEN)
    add_membership(storage, CAT)
    await append(database, build_message(author=BEN), build_message())
    assert (await mark(database, 0)).read == ReadState(3, 1, 0)
    assert (await mark(database, 0, CAT)).read == ReadState(0, 4, 0)


async def test_mentions_after_the_marker_are_counted(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, build_message())
    add_membership(storage, BEN)
    add_membership(storage, CAT)
    await append(
        database,
        *(mention(BEN), mention(BEN, BEN, CAT), mention(CAT, author=CAT), build_message(), mention(all_members=True)),
    )
    assert (await mark(database, 0)).read.mentions == 3
    assert (await mark(database, 2)).read.mentions == 2
    assert (await mark(database, 0, CAT)).read.mentions == 1, "the message of Cat has moved the marker to 4"
    assert await list_mentions(database) == [("Lounge", 6), ("Lounge", 3), ("Lounge", 2)]
    assert await list_mentions(database, CAT) == [("Lounge", 6), ("Lounge", 3)], "a message does not mention its author"


async def test_the_first_candidate_with_a_membership_is_mentioned(
    database: Database, storage: sqlite3.Connection
) -> None:
    await append(database, build_message())
    add_membership(storage, BEN)
    add_membership(storage, CAT)
    targets = MentionTargets(candidates=(("elsewhere", "cat", "ben"), ("elsewhere",)))
    await append(database, build_message(mentions=targets))
    assert await list_mentions(database) == []
    assert await list_mentions(database, CAT) == [("Lounge", 2)]


async def test_mentions_follow_the_memberships_of_their_batch(database: Database) -> None:
    await append(database, build_message())
    target = MemberRef(member_id="ben", nick_name="Ben", account="ben")
    joined = AppendMemberChange(room=LOUNGE, author=BEN, action="joined", target=target)
    left = replace(joined, action="left")
    await asyncio.gather(
        *map(database.journal.append, (mention(BEN), joined, mention(BEN), left, mention(BEN), joined))
    )
    assert await list_mentions(database) == [("Lounge", 4)]


async def test_mentions_follow_edits_and_deletions(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, build_message())
    add_membership(storage, BEN)
    add_membership(storage, CAT)
    edit = build_edit(2, "edited", mentions=MentionTargets(candidates=(("cat",),)))
    await asyncio.gather(*map(database.journal.append, [mention(BEN), edit, mention(BEN), build_deletion(4)]))
    assert await list_mentions(database) == []
    assert await list_mentions(database, CAT) == [("Lounge", 2)]
    await append(database, build_edit(2, "edited again", mentions=MentionTargets(all_members=True)))
    assert await list_mentions(database) == await list_mentions(database, CAT) == [("Lounge", 2)]
    await append(database, build_deletion(2))
    assert await list_mentions(database) == await list_mentions(database, CAT) == []


async def test_mentions_by_blocked_members_do_not_count(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, build_message())
    add_membership(storage, BEN)
    add_block(storage, BEN, ANN)
    await append(database, mention(BEN), mention(all_members=True), mention(BEN, author=CAT))
    assert (await mark(database, 0)).read == ReadState(0, 4, 1)
    assert await list_mentions(database) == [("Lounge", 4)]


async def test_a_page_of_long_mentions_is_limited_in_bytes(database: Database, storage: sqlite3.Connection) -> None:
    await append(database, build_message())
    add_membership(storage, BEN)
    await asyncio.gather(*(database.journal.append(mention(BEN, text="汉" * 4_000)) for _ in range(40)))
    page = await database.read_markers.list_mentions("ben", before=None, limit=100)
    assert 10 < len(page.messages) < 25
    assert await list_mentions(database) == [("Lounge", seq) for seq in range(41, 1, -1)]


async def test_unread_messages_and_mentions_of_500_rooms_take_one_query_and_the_list_is_bounded(
    database: Database, storage: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [RoomRef(key=f"room {number}", name=f"Room {number}") for number in range(500)]
    await asyncio.gather(*[database.journal.append(build_message(room=room)) for room in rooms])
    for room in rooms:
        add_membership(storage, BEN, room)
    await asyncio.gather(*[database.journal.append(mention(BEN, room=room)) for room in rooms])
    with recorded_statements() as statements:
        own_rooms = await database.reader.list_memberships("ben")
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1
    assert [own_room.read for own_room in own_rooms] == [ReadState(0, 2, 1)] * 500
    monkeypatch.setattr(membership_reader, "_MAX_BYTES", 3 * 512)
    assert await database.reader.list_memberships("ben") == own_rooms[:3]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_list_the_mentions_of_all_rooms_once(
    database: Database, storage: sqlite3.Connection, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(read_markers, "MAX_SCANNED_MENTIONS", 3)
    other = RoomRef(key="other", name="Other")
    await append(database, build_message(), build_message(room=TEA), mention(room=other, all_members=True))
    add_membership(storage, BEN)
    await append(database, mention(all_members=True, room=TEA))
    clock.now += 1
    add_membership(storage, BEN, TEA, joined_at=clock.now)
    for _ in range(3):
        await append(
            database,
            *(mention(BEN), mention(BEN, room=TEA), mention(BEN, room=other)),
            *(mention(all_members=True, room=room) for room in (other, LOUNGE, TEA, other)),
        )
    expected = [
        (room, seq)
        for seq in (7, 5, 3)
        for room, seq in [("Tea", seq + 1), ("Lounge", seq), ("Tea", seq), ("Lounge", seq - 1)]
    ]
    assert await list_mentions(database, limit=limit) == expected
