"""Search of the log in SQLite (docs/protocol.md, "Search")."""

import asyncio
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings, strategies as st

from server.domain.log_commands import LogCommand
from server.storage import log_reader, search as search_module
from server.storage.database import Database, open_database
from server.storage.search import SearchResult
from tests.support.reactions import reacting_members
from tests.support.search_model import check_search, command_batches, queries as any_query
from tests.support.storage import ManualClock, RoomRef, build_deletion, build_edit, build_message, build_reaction
from tui_chat.protocol.errors import NotFound, Unavailable


async def search(
    database: Database, text: str, *, room: str | None = "lounge", before: int | None = None, limit: int = 50
) -> SearchResult:
    return await database.reader.search(text, room_key=room, joined=frozenset(), before=before, limit=limit)


def texts(result: SearchResult) -> list[str]:
    return [message.message for message in result.messages]


async def check_in_file(batches: list[list[LogCommand]], search_texts: list[str]) -> None:
    with TemporaryDirectory() as directory:
        database = await open_database(Path(directory) / "chat.db", clock=ManualClock())
        try:
            await check_search(database, batches, search_texts)
        finally:
            await database.close()


@settings(max_examples=40, deadline=None)
@given(command_batches, st.lists(any_query, min_size=1, max_size=4))
def test_search_equals_a_full_scan(batches: list[list[LogCommand]], search_texts: list[str]) -> None:
    asyncio.run(check_in_file(batches, search_texts))


async def test_search_uses_the_current_text_of_messages(database: Database) -> None:
    for command in (
        build_message("first draft"),
        build_edit(1, "final text"),
        build_reaction(1, "🎉"),
        build_message("draft two"),
        build_deletion(4),
    ):
        await database.journal.append(command)
    assert texts(await search(database, "draft")) == []
    (hit,) = (await search(database, "final")).messages
    assert (hit.seq, hit.edited, reacting_members(hit)) == (1, 2, {"🎉": ["ann"]})


async def test_a_message_deleted_within_its_batch_is_not_found(database: Database) -> None:
    commands = [
        build_message("one kettle"),
        build_edit(1, "two kettles"),
        build_deletion(1),
        build_message("kettle three"),
        build_edit(4, "four kettles"),
    ]
    await asyncio.gather(*(database.journal.append(command) for command in commands))
    assert texts(await search(database, "kettle")) == ["four kettles"]


async def test_private_rooms_are_searched_only_by_their_members(database: Database, path: Path) -> None:
    secret = RoomRef(key="secret", name="Secret")
    await database.journal.append(build_message("tea for all"))
    await database.journal.append(build_message("tea for two", room=secret))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE rooms SET visibility = 'private' WHERE key = 'secret'")
    connection.close()
    for query in ("tea", "-tea", "."):
        await search(database, query, room=None)
    assert texts(await search(database, "tea", room=None)) == ["tea for all"]
    in_all_rooms = await database.reader.search("tea", room_key=None, joined={"secret"}, before=None, limit=9)
    assert texts(in_all_rooms) == ["tea for two", "tea for all"]
    in_secret_room = await database.reader.search("tea", room_key="secret", joined={"secret"}, before=None, limit=9)
    assert texts(in_secret_room) == ["tea for two"]
    for room in ("secret", "missing"):
        with pytest.raises(NotFound, match="no such room"):
            await search(database, "tea", room=room)
    in_unwritten_room = await database.reader.search("tea", room_key="new", joined={"new"}, before=None, limit=9)
    assert in_unwritten_room == SearchResult([], None)


async def test_a_search_stops_at_its_candidate_limit_and_continues_by_page(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "_CHUNK_SIZE", 10)
    monkeypatch.setattr(search_module, "MAX_CANDIDATES", 20)
    await asyncio.gather(*(database.journal.append(build_message(text)) for text in ["needle -x", *["needles"] * 45]))
    # The term hashes of "needle x" are a subset of those of "needles x"; only "-x" has a unique hash.
    for query in ("needle!", "!", "needle ?"):
        assert texts(await search(database, query)) == []
    position, pages = None, 0
    while True:
        page = await search(database, "-", before=position)
        pages += 1
        if page.next_before is None:
            break
        assert page.messages == []
        position = page.next_before
    assert texts(page) == ["needle -x"]
    assert pages == 3


async def test_a_search_stops_at_its_time_limit_and_returns_a_position(database: Database, clock: ManualClock) -> None:
    await asyncio.gather(*(database.journal.append(build_message(f"cup {number}")) for number in range(300)))

    def advance_clock() -> int:
        clock.now += search_module.TIME_LIMIT_MS
        return clock.now

    database.reader._clock = advance_clock  # pyright: ignore[reportPrivateUsage]
    page = await search(database, "cup -")
    assert page == SearchResult([], 51)


HOSTILE = [
    '"', "*", "NEAR(", "a AND", "OR", "NOT a", "tea*", '"tea', "tea:", "search:tea", "-tea", "^tea", "{", "x'00'",
    "%", "_", "\\", "'; DROP TABLE entries; --", "\x00", "((((((((((", "ｔｅａ",
    "🎉" * 250, "中" * 250, "a " * 125, "?" * 250,
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
async def test_hostile_queries_are_answered(database: Database, query: str) -> None:
    await database.journal.append(build_message("tea"))
    for room in ("lounge", None):
        assert texts(await search(database, query, room=room)) == (["tea"] if query == "ｔｅａ" else [])


async def test_searches_beyond_the_queue_limit_are_rejected(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "MAX_QUEUED_SEARCHES", 3)
    results = await asyncio.gather(*(search(database, "tea", room=None) for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [
        SearchResult,
        SearchResult,
        SearchResult,
        Unavailable,
        Unavailable,
    ]
    assert await search(database, "tea", room=None)


async def test_deleted_text_is_removed_from_the_search_index(database: Database, path: Path) -> None:
    for command in (build_message("supercalifragilistic 秘密口令"), build_message("kept"), build_deletion(1)):
        await database.journal.append(command)
    await database.close()
    stored = await asyncio.to_thread(path.read_bytes)
    assert b"kept" in stored
    for fragment in ("supercali", "super", "秘密", "密"):
        assert fragment.encode() not in stored


async def test_a_page_at_a_timestamp_is_centered_on_its_first_entry(database: Database, clock: ManualClock) -> None:
    start = clock.now
    for number in range(40):
        clock.now = start + number // 2 * 1000
        await database.journal.append(build_message(str(number)))
    for timestamp, expected_seq in (
        (start - 1, 1),
        (start, 1),
        (start + 5_001, 13),
        (start + 19_000, 39),
        (start + 99_000, 41),
    ):
        page = await database.reader.read_page("lounge", at=timestamp, limit=5)
        seqs = [entry.seq for entry in page.messages]
        assert min(expected_seq, 40) in seqs
        assert len(seqs) == 5
    assert (await database.reader.read_page("empty", at=start, limit=5)).messages == []
