"""Pages of the log, the snapshot of a join and the list of rooms."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from server.storage.database import Database
from server.storage.page_size import MAX_PAGE_BYTES
from tests.support.reactions import reacting_members
from tests.support.storage import (
    BEN,
    ManualClock,
    RoomRef,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
    read_entry,
)
from tui_chat.protocol.events import Edit, Entry, Message


def seqs(entries: list[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


async def append_messages(database: Database, count: int) -> None:
    pending = [database.journal.append(build_message(str(number))) for number in range(1, count + 1)]
    for future in pending:
        await future


async def test_an_unknown_room_has_no_entries(database: Database) -> None:
    snapshot = await database.reader.read_join_snapshot("lounge", since=None, limit=10)
    assert (snapshot.room, snapshot.entries, snapshot.has_more) == (None, [], False)
    page = await database.reader.read_page("lounge", before=5, limit=10)
    assert (page.messages, page.has_more, page.last_seq) == ([], False, 0)
    assert await read_entry(database, 1) is None


@pytest.mark.parametrize("position", [{"before": 201}, {"after": 0}, {"around": 100}, {"around": 1}, {"around": 200}])
async def test_a_page_of_long_messages_is_limited_in_bytes_around_its_position(
    database: Database, position: dict[str, Any]
) -> None:
    for future in [database.journal.append(build_message("汉" * 4_000)) for _ in range(200)]:
        await future
    page = await database.reader.read_page("lounge", **position, limit=200)
    page_seqs = seqs(page.messages)
    assert page.has_more
    assert 10 < len(page_seqs) < 25
    assert page_seqs == list(range(page_seqs[0], page_seqs[-1] + 1))
    expected_seq = {"before": 200, "after": 1}.get(next(iter(position)), position.get("around"))
    assert expected_seq in page_seqs
    assert (
        sum(len(message.message.encode()) for message in page.messages if isinstance(message, Message))
        <= MAX_PAGE_BYTES
    )


async def test_a_join_snapshot_of_long_messages_is_limited_to_the_newest(database: Database) -> None:
    for future in [database.journal.append(build_message("汉" * 4_000)) for _ in range(60)]:
        await future
    snapshot = await database.reader.read_join_snapshot("lounge", since=0, limit=50)
    assert seqs(snapshot.entries)[-1] == 60
    assert len(snapshot.entries) < 30
    assert snapshot.has_more


@pytest.mark.parametrize(
    ("since", "limit", "expected", "has_more"),
    [
        (None, 4, [7, 8, 9, 10], True),
        (None, 10, list(range(1, 11)), False),
        (0, 50, list(range(1, 11)), False),
        (6, 4, [7, 8, 9, 10], False),
        (5, 4, [7, 8, 9, 10], True),
        (9, 4, [10], False),
        (10, 4, [], False),
        (99, 4, [], False),
    ],
)
async def test_a_join_snapshot_contains_the_newest_entries_after_since(
    database: Database, since: int | None, limit: int, expected: list[int], has_more: bool
) -> None:
    await append_messages(database, 10)
    snapshot = await database.reader.read_join_snapshot("lounge", since=since, limit=limit)
    assert (seqs(snapshot.entries), snapshot.has_more) == (expected, has_more)
    assert snapshot.room is not None
    assert snapshot.room.last_seq == 10


@pytest.mark.parametrize(
    ("position", "expected", "has_more"),
    [
        ({"before": 11}, [7, 8, 9, 10], True),
        ({"before": 99}, [7, 8, 9, 10], True),
        ({"before": 5}, [1, 2, 3, 4], False),
        ({"before": 1}, [], False),
        ({"after": 0}, [1, 2, 3, 4], True),
        ({"after": 6}, [7, 8, 9, 10], False),
        ({"after": 8}, [9, 10], False),
        ({"after": 10}, [], False),
        ({"after": 99}, [], False),
        ({"around": 5}, [3, 4, 5, 6], True),
        ({"around": 1}, [1, 2, 3, 4], True),
        ({"around": 10}, [7, 8, 9, 10], True),
        ({"around": 99}, [7, 8, 9, 10], True),
    ],
)
async def test_a_page_matches_its_requested_position(
    database: Database, position: dict[str, Any], expected: list[int], has_more: bool
) -> None:
    await append_messages(database, 10)
    page = await database.reader.read_page("lounge", **position, limit=4)
    assert (seqs(page.messages), page.has_more, page.last_seq) == (expected, has_more, 10)


async def test_a_page_around_an_entry_of_a_short_room_is_complete(database: Database) -> None:
    await append_messages(database, 3)
    page = await database.reader.read_page("lounge", around=2, limit=50)
    assert (seqs(page.messages), page.has_more) == ([1, 2, 3], False)


async def test_a_page_requires_exactly_one_position(database: Database) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        await database.reader.read_page("lounge", limit=4)
    with pytest.raises(ValueError, match="exactly one"):
        await database.reader.read_page("lounge", before=1, after=1, limit=4)


async def test_messages_are_read_in_their_current_state(database: Database) -> None:
    commands = [
        build_message("one", client_id=uuid4()),
        build_message("two", author=BEN, reply_to=1),
        build_edit(1, "uno"),
        build_reaction(1, "🎉", by=BEN),
        build_reaction(1, "👍", by=BEN),
        build_reaction(1, "🎉"),
        build_reaction(1, "👍", by=BEN, on=False),
        build_reaction(2, "👍"),
        build_edit(2, "dos", author=BEN),
        build_deletion(2, author=BEN),
    ]
    for command in commands:
        await database.journal.append(command)
    page = await database.reader.read_page("lounge", after=0, limit=50)
    assert seqs(page.messages) == list(range(1, 11))
    first, second, ninth = page.messages[0], page.messages[1], page.messages[8]
    assert isinstance(first, Message)
    assert (first.message, first.edited, first.deleted) == ("uno", 3, False)
    assert reacting_members(first) == {"🎉": ["ben", "ann"]}
    assert isinstance(second, Message)
    assert (second.message, second.deleted, second.reactions, second.reply_to) == ("", True, None, 1)
    assert (second.account, second.nick_name, second.member_id) == ("ben", "Ben", "ben")
    assert isinstance(ninth, Edit)
    assert ninth.message == ""
    assert await read_entry(database, 1) == first
    snapshot = await database.reader.read_join_snapshot("lounge", since=None, limit=50)
    assert snapshot.entries == page.messages


async def test_reactions_are_ordered_by_first_use(database: Database) -> None:
    await database.journal.append(build_message())
    for command in (
        build_reaction(1, "b"),
        build_reaction(1, "a"),
        build_reaction(1, "a", by=BEN),
        build_reaction(1, "b", on=False),
        build_reaction(1, "b"),
    ):
        await database.journal.append(command)
    entry = await read_entry(database, 1)
    assert isinstance(entry, Message)
    assert list(reacting_members(entry).items()) == [("a", ["ann", "ben"]), ("b", ["ann"])]


async def test_an_emoji_stays_in_position_while_a_member_uses_it(database: Database) -> None:
    commands = [
        build_message(),
        build_reaction(1, "a"),
        build_reaction(1, "b"),
        build_reaction(1, "a", by=BEN),
        build_reaction(1, "a", on=False),
        build_reaction(1, "a"),
    ]
    for command in commands:
        await database.journal.append(command)
    entry = await read_entry(database, 1)
    assert isinstance(entry, Message)
    assert list(reacting_members(entry).items()) == [("a", ["ben", "ann"]), ("b", ["ann"])]


async def test_a_repeated_reaction_stays_in_position(database: Database) -> None:
    for command in (build_message(), build_reaction(1, "a"), build_reaction(1, "b"), build_reaction(1, "a")):
        await database.journal.append(command)
    entry = await read_entry(database, 1)
    assert isinstance(entry, Message)
    assert list(entry.reactions or {}) == ["a", "b"]


async def test_a_room_row_contains_topic_and_timestamps(database: Database, clock: ManualClock, path: Path) -> None:
    start = clock.now
    await database.journal.append(build_message())
    clock.now += 10
    await database.journal.append(build_topic("first"))
    await database.journal.append(build_topic("second"))
    clock.now += 10
    await database.journal.append(build_message())
    room = (await database.reader.read_join_snapshot("lounge", since=None, limit=1)).room
    assert room is not None
    assert (room.key, room.name, room.topic, room.access.policy.visibility) == ("lounge", "Lounge", "second", "public")
    assert (room.last_seq, room.created_at) == (4, start)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT active_at FROM rooms WHERE key = 'lounge'").fetchall() == [(start + 20,)]
    await database.journal.append(build_topic(""))
    room = (await database.reader.read_join_snapshot("lounge", since=None, limit=1)).room
    assert room is not None
    assert room.topic == ""


async def test_rooms_are_listed_by_newest_activity(database: Database, clock: ManualClock) -> None:
    for name in ("Tea", "Coffee", "50%_off", "Teapots"):
        clock.now += 1
        await database.journal.append(build_message(room=RoomRef(key=name.lower(), name=name)))
    clock.now += 1
    await database.journal.append(build_message(room=RoomRef(key="tea", name="Tea")))

    async def list_names(query: str | None, limit: int = 10) -> list[str]:
        return [room.name for room in await database.reader.list_rooms(query, limit)]

    assert await list_names(None) == ["Tea", "Teapots", "50%_off", "Coffee"]
    assert await list_names(None, limit=2) == ["Tea", "Teapots"]
    assert await list_names("TEA") == ["Tea", "Teapots"]
    assert await list_names("%") == ["50%_off"]
    assert await list_names("_") == ["50%_off"]
    assert await list_names("ｔｅａ") == ["Tea", "Teapots"]
    assert await list_names("cocoa") == []
    assert await list_names("\u0007") == []


async def test_a_long_page_contains_all_reactions(database: Database) -> None:
    await append_messages(database, 200)
    for target in range(1, 201, 2):
        await database.journal.append(build_reaction(target))
    page = await database.reader.read_page("lounge", after=0, limit=200)
    with_reaction = [
        entry.seq
        for entry in page.messages
        if isinstance(entry, Message) and reacting_members(entry) == {"👍": ["ann"]}
    ]
    assert with_reaction == list(range(1, 201, 2))
