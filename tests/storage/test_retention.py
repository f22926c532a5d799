"""Retention of rooms: removal of expired entries in slices, with their index rows and reactions."""

from contextlib import closing
from pathlib import Path
from sqlite3 import connect

from server.domain.log_commands import AppendPolicyChange
from server.storage.database import Database
from server.storage.retention import SLICE_ENTRIES
from tests.support.storage import ANN, LOUNGE, ManualClock, build_edit, build_message, build_reaction
from tui_chat.protocol.policies import PolicyFields, Retention

DAY_MS = 24 * 3600 * 1000


async def set_retention(database: Database, **limits: int) -> None:
    command = AppendPolicyChange(room=LOUNGE, author=ANN, changes=PolicyFields(keep=Retention(**limits)))
    await database.journal.append(command)


async def count_hits(database: Database, text: str) -> int:
    found = await database.reader.search(text, room_key=LOUNGE.key, joined=(), before=None, limit=100)
    return len(found.messages)


async def test_the_newest_messages_stay_with_their_changes(database: Database, path: Path) -> None:
    for number in range(5):
        await database.journal.append(build_message(f"word{number}"))
        await database.journal.append(build_reaction(2 * number + 1))
    await database.journal.append(build_edit(1, "edited"))
    await set_retention(database, messages=2)
    await database.retention.remove_expired()
    page = await database.reader.read_page(LOUNGE.key, after=0, limit=100)
    assert (page.first_seq, page.last_seq, [entry.seq for entry in page.messages]) == (7, 12, [7, 8, 9, 10, 11, 12])
    assert [await count_hits(database, f"word{number}") for number in range(5)] == [0, 0, 0, 1, 1]
    assert await count_hits(database, "edited") == 0
    with closing(connect(path)) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("entries", "reactions", "reaction_counts")
        ]
    assert counts == [6, 2, 2]
    older = await database.reader.read_page(LOUNGE.key, before=7, limit=100)
    assert (older.messages, older.has_more) == ([], False)


async def test_old_entries_expire_by_age(database: Database, clock: ManualClock) -> None:
    await database.journal.append(build_message("old"))
    clock.now += DAY_MS
    await database.journal.append(build_message("new"))
    await set_retention(database, days=1)
    await database.retention.remove_expired()
    assert (await database.reader.read_page(LOUNGE.key, after=0, limit=1)).first_seq == 1
    clock.now += 1
    await database.retention.remove_expired()
    assert (await database.reader.read_page(LOUNGE.key, after=0, limit=1)).first_seq == 2
    clock.now += DAY_MS
    await database.retention.remove_expired()
    page = await database.reader.read_page(LOUNGE.key, after=0, limit=1)
    assert (page.first_seq, page.last_seq, page.messages) == (4, 3, [])
    assert (await database.journal.append(build_message("newest"))).entry.seq == 4


async def test_a_log_longer_than_a_slice_expires_up_to_its_newest_message(database: Database) -> None:
    pending = [database.journal.append(build_message(str(number))) for number in range(2 * SLICE_ENTRIES + 1)]
    for appended in pending:
        await appended
    await set_retention(database, messages=1)
    await database.journal.append(build_message("last"))
    await database.retention.remove_expired()
    page = await database.reader.read_page(LOUNGE.key, after=0, limit=1)
    assert page.first_seq == page.last_seq == 2 * SLICE_ENTRIES + 3


async def test_a_room_without_retention_keeps_its_log(database: Database) -> None:
    await database.journal.append(build_message())
    await set_retention(database, days=1)
    await set_retention(database)
    await database.retention.remove_expired()
    assert (await database.reader.read_page(LOUNGE.key, after=0, limit=1)).first_seq == 1
