"""Repeated changes with a clientId."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from server.domain.log_commands import AppendDeletion, AppendEdit, AppendReaction, AppendTopic
from server.storage.database import Database, open_database
from tests.support.storage import (
    ANN,
    BEN,
    LOUNGE,
    ManualClock,
    PublishedEntries,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
)
from tui_chat.protocol.errors import Conflict

Change = AppendEdit | AppendDeletion | AppendReaction | AppendTopic
CHANGES = [
    pytest.param(build_edit(1, "two"), build_edit(1, "three"), id="edit"),
    pytest.param(build_deletion(1), build_topic("deletions cannot be undone"), id="deletion"),
    pytest.param(build_reaction(1), build_reaction(1, on=False), id="reaction"),
    pytest.param(build_topic("news"), build_topic("other news"), id="topic"),
]


def with_client_id(change: Change, client_id: UUID) -> Change:
    return replace(change, client_id=client_id)


async def count_entries(database: Database) -> int:
    return (await database.reader.read_page(LOUNGE.key, after=0, limit=1)).last_seq


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(("change", "later_change"), CHANGES)
async def test_a_repeated_change_gets_the_first_response(
    path: Path, clock: ManualClock, change: Change, later_change: Change, restart: bool
) -> None:
    database = await open_database(path, clock=clock)
    database.journal.publish = published = PublishedEntries()
    command = with_client_id(change, uuid4())
    await database.journal.append(build_message("one"))
    assert (await database.journal.append(command)).entry.seq == 2
    assert (await database.journal.append(later_change)).entry.seq == 3
    if restart:
        await database.close()
        database = await open_database(path, clock=clock)
        database.journal.publish = published
    for _ in range(2):
        result = await database.journal.append(command)
        assert (result.entry.seq, result.duplicate) == (2, True)
    assert await count_entries(database) == 3
    await database.close()
    assert [entry.seq for batch in published.batches for entry in batch] == [1, 2, 3]


@pytest.mark.parametrize("restart", [False, True])
async def test_a_repeated_change_without_effect_gets_the_first_response(
    path: Path, clock: ManualClock, restart: bool
) -> None:
    database = await open_database(path, clock=clock)
    await database.journal.append(build_message("one"))
    await database.journal.append(build_reaction(1))
    command = with_client_id(build_reaction(1), uuid4())
    assert (await database.journal.append(command)).entry.seq == 2
    await database.journal.append(build_reaction(1, on=False))
    if restart:
        await database.close()
        database = await open_database(path, clock=clock)
    result = await database.journal.append(command)
    assert (result.entry.seq, result.duplicate) == (2, True)
    assert await count_entries(database) == 3
    await database.close()


@pytest.mark.parametrize(("change", "_later"), CHANGES)
@pytest.mark.parametrize("same_batch", [False, True])
async def test_a_client_id_of_another_member_is_a_conflict_for_changes(
    database: Database, change: Change, _later: Change, same_batch: bool
) -> None:
    client_id = uuid4()
    first = build_message("one", client_id=client_id, author=BEN)
    command = with_client_id(replace(change, author=ANN), client_id)
    if same_batch:
        results = await asyncio.gather(
            database.journal.append(first), database.journal.append(command), return_exceptions=True
        )
        error = results[1]
    else:
        await database.journal.append(first)
        (error,) = await asyncio.gather(database.journal.append(command), return_exceptions=True)
    assert isinstance(error, Conflict)
    assert error.reason == "client_id_in_use"
    assert await count_entries(database) == 1


async def test_repeats_within_a_batch_get_the_first_response(database: Database) -> None:
    await database.journal.append(build_message("one"))
    command = with_client_id(build_reaction(1), uuid4())
    noop = with_client_id(build_reaction(1), uuid4())
    results = await asyncio.gather(
        *(database.journal.append(item) for item in (command, command, noop, noop, build_reaction(1, on=False), noop))
    )
    assert [(result.entry.seq, result.duplicate) for result in results] == [
        (2, False),
        (2, True),
        (2, True),
        (2, True),
        (3, False),
        (2, True),
    ]
