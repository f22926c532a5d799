"""Commands of the journal: entries, idempotency, rejections and stored effects."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs

from server.domain.log_commands import StaleAccess
from server.storage.batch_writer import AppendResult
from server.storage.database import Database, open_database
from server.storage.journal import MAX_BATCH
from tests.support.storage import (
    ANN,
    BEN,
    LOUNGE,
    ManualClock,
    PublishedEntries,
    RoomRef,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
    build_upload,
    read_entry,
)
from tui_chat.protocol.errors import ChatError, Conflict, Forbidden, NotFound
from tui_chat.protocol.events import Deletion, Edit, Entry, Message, Reaction, TopicChange


async def test_each_content_command_becomes_its_entry_type(database: Database, clock: ManualClock) -> None:
    append = database.journal.append
    posted = (await append(build_message("hi", author=structs.replace(BEN, bot=True)))).entry
    author: dict[str, Any] = {"member_id": "ben", "nick_name": "Ben", "account": "ben"}
    assert posted == Message(room="Lounge", seq=1, id=posted.id, n=1, message="hi", ts=clock.now, bot=True, **author)
    assert await read_entry(database, 1) == posted
    common: dict[str, Any] = {"room": "Lounge", "ts": clock.now, "member_id": "ben", "nick_name": "Ben"}
    edit = (await append(build_edit(1, "hello", author=BEN))).entry
    assert edit == Edit(**common, seq=2, id=edit.id, target=1, message="hello")
    reaction = (await append(build_reaction(1, "🎉", by=BEN))).entry
    assert reaction == Reaction(**common, seq=3, id=reaction.id, target=1, emoji="🎉", on=True)
    topic = (await append(build_topic("news", author=BEN))).entry
    assert topic == TopicChange(**common, seq=4, id=topic.id, topic="news")
    deletion = (await append(build_deletion(1, author=BEN))).entry
    assert deletion == Deletion(**common, seq=5, id=deletion.id, target=1)
    assert posted.id < edit.id < reaction.id < topic.id < deletion.id


async def test_a_command_checked_against_another_policy_seq_is_rejected(database: Database) -> None:
    append = database.journal.append
    with pytest.raises(StaleAccess):
        await append(structs.replace(build_message(), policy_seq=1))
    assert await database.reader.list_rooms(None, 10) == []
    await append(structs.replace(build_message(), policy_seq=0))
    with pytest.raises(StaleAccess) as rejection:
        await append(structs.replace(build_message(), policy_seq=1))
    assert rejection.value.room_key == LOUNGE.key
    assert (await append(build_message())).entry.seq == 2


async def test_seq_increases_by_one_per_room_in_call_order(database: Database) -> None:
    rooms = [RoomRef(key=f"room {number}", name=f"Room {number}") for number in range(3)]
    pending = [database.journal.append(build_message(str(n), room=rooms[n % 3])) for n in range(3 * MAX_BATCH)]
    entries = [appended.entry for appended in await asyncio.gather(*pending)]
    for number in range(3):
        assert [entry.seq for entry in entries[number::3]] == list(range(1, MAX_BATCH + 1))
    ids = [entry.id for entry in entries]
    assert ids == sorted(set(ids))


async def test_messages_are_numbered_without_holes(database: Database, published: PublishedEntries) -> None:
    commands = [
        *(build_topic("news"), build_message("1"), build_message("rejected", reply_to=1), build_reaction(2)),
        *(build_message("2", reply_to=2), build_deletion(2), build_message("3")),
    ]
    await asyncio.gather(*map(database.journal.append, commands), return_exceptions=True)
    assert [entry.n for entry in await published.wait_for_entries(6) if isinstance(entry, Message)] == [1, 2, 3]
    client_id = uuid4()
    fourth = (await database.journal.append(build_message("4", client_id=client_id))).entry
    repeated = (await database.journal.append(build_message("4", client_id=client_id))).entry
    other = (await database.journal.append(build_message(room=RoomRef(key="tea", name="Tea")))).entry
    assert [entry.n for entry in (fourth, repeated, other) if isinstance(entry, Message)] == [4, 4, 1]
    page = await database.reader.read_page(LOUNGE.key, before=100, limit=100)
    stored = [entry for entry in page.messages if isinstance(entry, Message)]
    assert [(entry.n, entry.deleted) for entry in stored] == [(1, True), (2, False), (3, False), (4, False)]
    assert [entry.reply_to for entry in stored] == [None, 2, None, None]


async def test_a_repeated_client_id_gets_the_first_response(
    database: Database, path: Path, clock: ManualClock, published: PublishedEntries
) -> None:
    client_id = uuid4()
    first = await database.journal.append(build_message("once", client_id=client_id))
    clock.now += 1000
    repeated = await database.journal.append(build_message("once", client_id=client_id))
    assert repeated == AppendResult(first.entry, duplicate=True)
    await database.close()
    reopened = await open_database(path, clock=clock)
    later = await reopened.journal.append(build_message("once", client_id=client_id))
    following = await reopened.journal.append(build_message())
    await reopened.close()
    assert later == AppendResult(first.entry, duplicate=True)
    assert following.entry.seq == 2
    assert following.entry.id > first.entry.id
    assert await published.wait_for_entries(1) == [first.entry]


async def test_a_repeat_within_a_batch_is_a_duplicate(database: Database, published: PublishedEntries) -> None:
    client_id = uuid4()
    results = await asyncio.gather(*(database.journal.append(build_message(client_id=client_id)) for _ in range(3)))
    assert [result.duplicate for result in results] == [False, True, True]
    assert {result.entry.seq for result in results} == {1}
    await database.journal.append(build_message())
    assert [entry.seq for entry in await published.wait_for_entries(2)] == [1, 2]


async def test_client_ids_are_scoped_to_a_room(database: Database) -> None:
    client_id = uuid4()
    other = RoomRef(key="other", name="Other")
    first, second = await asyncio.gather(
        database.journal.append(build_message(client_id=client_id)),
        database.journal.append(build_message(client_id=client_id, room=other)),
    )
    assert not first.duplicate
    assert not second.duplicate


@pytest.mark.parametrize("same_batch", [True, False])
async def test_a_client_id_of_another_member_is_a_conflict(database: Database, same_batch: bool) -> None:
    client_id = uuid4()
    first = database.journal.append(build_message("secret", client_id=client_id))
    if not same_batch:
        await first
    with pytest.raises(Conflict) as error:
        await database.journal.append(build_message("mine", author=BEN, client_id=client_id))
    assert error.value.reason == "client_id_in_use"
    assert "secret" not in str(error.value)
    assert (await first).entry.seq == 1


async def test_rejected_commands_in_a_batch_leave_no_seq_gap(database: Database, published: PublishedEntries) -> None:
    await database.journal.append(build_message("first"))
    outcomes = await asyncio.gather(
        database.journal.append(build_message("a")),
        database.journal.append(build_message("b", reply_to=99)),
        database.journal.append(build_edit(99, "x")),
        database.journal.append(build_message("c", reply_to=1)),
        database.journal.append(build_deletion(1, author=BEN)),
        database.journal.append(build_reaction(99)),
        database.journal.append(build_edit(1, "x", author=BEN)),
        database.journal.append(build_message("d")),
        return_exceptions=True,
    )
    types = [type(outcome) for outcome in outcomes]
    assert types == [AppendResult, NotFound, NotFound, AppendResult, Forbidden, NotFound, Forbidden, AppendResult]
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, ChatError)]
    not_found = "message_not_found"
    assert reasons == [not_found, not_found, "delete_not_author", not_found, "edit_not_author"]
    seqs = [outcome.entry.seq for outcome in outcomes if isinstance(outcome, AppendResult)]
    assert seqs == [2, 3, 4]
    await database.journal.append(build_message("e"))
    assert [entry.seq for entry in await published.wait_for_entries(5)] == [1, 2, 3, 4, 5]


async def test_a_command_sees_earlier_commands_of_its_batch(database: Database) -> None:
    outcomes = await asyncio.gather(
        database.journal.append(build_message("one")),
        database.journal.append(build_message("two", reply_to=1)),
        database.journal.append(build_reaction(1)),
        database.journal.append(build_edit(1, "uno")),
        database.journal.append(build_deletion(1)),
        database.journal.append(build_edit(1, "too late")),
        database.journal.append(build_reaction(1, "🎉")),
        database.journal.append(build_message("three", reply_to=8)),
        return_exceptions=True,
    )
    rejected = [(type(outcome), outcome.reason) for outcome in outcomes if isinstance(outcome, ChatError)]
    deleted = (Conflict, "message_deleted")
    assert rejected == [deleted, deleted, (NotFound, "message_not_found")]
    page = await database.reader.read_page("lounge", after=0, limit=10)
    assert [entry.seq for entry in page.messages] == [1, 2, 3, 4, 5]
    first, edited = page.messages[0], page.messages[3]
    assert isinstance(first, Message)
    assert (first.message, first.edited, first.deleted, first.reactions) == ("", 4, True, None)
    assert isinstance(edited, Edit)
    assert edited.message == ""


async def test_only_messages_can_be_targets(database: Database) -> None:
    await database.journal.append(build_topic("news"))
    for command in (build_message(reply_to=1), build_edit(1, "x"), build_deletion(1), build_reaction(1)):
        with pytest.raises(NotFound):
            await database.journal.append(command)


async def test_a_target_of_another_room_is_not_found(database: Database) -> None:
    await database.journal.append(build_message())
    with pytest.raises(NotFound):
        await database.journal.append(build_deletion(1, room=RoomRef(key="other", name="Other")))
    assert (await database.reader.read_join_snapshot("other", since=None, limit=10)).room is None


async def test_a_deletion_for_any_author_deletes_messages_of_other_members(database: Database) -> None:
    await database.journal.append(build_message("rude"))
    with pytest.raises(Forbidden, match="edit"):
        await database.journal.append(build_edit(1, "polite", author=BEN))
    with pytest.raises(Forbidden, match="delete"):
        await database.journal.append(build_deletion(1, author=BEN))
    await database.journal.append(build_deletion(1, author=BEN, any_author=True))
    entry = await read_entry(database, 1)
    assert isinstance(entry, Message)
    assert entry.deleted
    assert entry.member_id == ANN.member_id


async def test_a_running_upload_counts_for_the_quotas_after_its_end(database: Database, clock: ManualClock) -> None:
    upload = structs.replace(build_upload(), state="pending", created_at=clock.now)
    await database.uploads.create(upload, ANN.member_id)
    assert await database.uploads.read_usage(ANN.member_id) == (0, 0)
    await database.uploads.set_state(upload.id, "ready")
    assert await database.uploads.read_usage(ANN.member_id) == (1, 1)
    await database.uploads.set_state(upload.id, "removed")
    assert await database.uploads.read_usage(ANN.member_id) == (1, 0)


@pytest.mark.parametrize("same_batch", [True, False])
async def test_a_deleted_message_has_no_files(database: Database, same_batch: bool) -> None:
    upload = build_upload()
    await database.uploads.create(upload, ANN.member_id)
    commands = [build_message(files=(upload.id,)), build_deletion(1)]
    if same_batch:
        await asyncio.gather(*map(database.journal.append, commands))
    else:
        for command in commands:
            await database.journal.append(command)
    entry = await read_entry(database, 1)
    assert isinstance(entry, Message)
    assert (entry.deleted, entry.attachments) == (True, None)
    assert (await database.uploads.find([upload.id]))[upload.id].room_key is None


async def test_an_upload_in_two_rooms_of_a_batch_belongs_to_the_first_and_creates_no_empty_room(
    database: Database,
) -> None:
    await database.journal.append(build_message())
    for first in (LOUNGE, RoomRef(key="tea", name="tea")):
        upload = build_upload()
        await database.uploads.create(upload, ANN.member_id)
        other = RoomRef(key=f"a {first.key}", name="other")
        foreign = build_message(author=BEN, room=other, files=(upload.id,))
        commands = [foreign, *(build_message(room=room, files=(upload.id,)) for room in (first, other))]
        outcomes = await asyncio.gather(*map(database.journal.append, commands), return_exceptions=True)
        assert [isinstance(outcome, NotFound) for outcome in outcomes] == [True, False, True]
        assert (await database.reader.read_join_snapshot(other.key, since=None, limit=10)).room is None
        assert (await database.uploads.find([upload.id]))[upload.id].room_key == first.key


@pytest.mark.parametrize("same_batch", [True, False])
async def test_a_change_without_effect_appends_no_entry(
    database: Database, published: PublishedEntries, same_batch: bool
) -> None:
    changes = [
        build_edit(1, "new"),
        build_edit(1, "new"),
        build_reaction(1),
        build_reaction(1),
        build_reaction(1, on=False),
        build_reaction(1, on=False),
    ]
    commands = [
        build_message("old"),
        build_edit(1, "old"),
        *changes,
        build_deletion(1),
        build_deletion(1),
        build_reaction(1, on=False),
        build_message(),
    ]
    if same_batch:
        results = await asyncio.gather(*map(database.journal.append, commands))
    else:
        results = [await database.journal.append(command) for command in commands]
    assert [result.entry.seq for result in results] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6]
    assert [n for n, result in enumerate(results) if result.duplicate] == [1, 3, 5, 7, 9, 10]
    assert [result.entry.id == 0 for result in results] == [result.duplicate for result in results]
    assert [entry.seq for entry in await published.wait_for_entries(6)] == [1, 2, 3, 4, 5, 6]


async def test_equal_reactions_of_different_members_are_separate_entries(database: Database) -> None:
    commands = [
        build_message(),
        build_reaction(1),
        build_reaction(1, by=BEN),
        build_reaction(1, "🎉"),
        build_reaction(1, "👎"),
        build_reaction(1, on=False, by=BEN),
        build_reaction(1),
    ]
    results = [await database.journal.append(command) for command in commands]
    assert [result.entry.seq for result in results] == [1, 2, 3, 4, 5, 6, 6]


async def test_reactions_of_a_deleted_message_can_only_be_removed(database: Database) -> None:
    for command in (build_message(), build_reaction(1), build_deletion(1), build_reaction(1, on=False)):
        await database.journal.append(command)
    with pytest.raises(Conflict):
        await database.journal.append(build_reaction(1))


async def test_deleted_text_is_removed_from_the_file(database: Database, path: Path) -> None:
    for command in (
        build_message("first secret wording"),
        build_edit(1, "second secret wording"),
        build_message("kept wording"),
        build_deletion(1),
    ):
        await database.journal.append(command)
    await database.close()
    stored = await asyncio.to_thread(path.read_bytes)
    assert b"kept wording" in stored
    assert b"secret wording" not in stored


async def test_timestamps_never_decrease_within_a_room(database: Database, clock: ManualClock) -> None:
    start = clock.now
    await database.journal.append(build_message())
    clock.now = start - 5000
    assert (await database.journal.append(build_message())).entry.ts == start
    other = RoomRef(key="other", name="Other")
    assert (await database.journal.append(build_message(room=other))).entry.ts == start - 5000


async def test_the_first_spelling_of_a_room_name_is_preserved(database: Database) -> None:
    await database.journal.append(build_message())
    entry = (await database.journal.append(build_message(room=RoomRef(key="lounge", name="LOUNGE")))).entry
    assert entry.room == "Lounge"


async def test_the_stored_log_has_no_seq_gaps(database: Database, path: Path) -> None:
    entries: list[Entry] = []
    for number in range(50):
        try:
            entries.append(
                (await database.journal.append(build_message(reply_to=number if number % 2 else None))).entry
            )
        except NotFound:
            continue
    with sqlite3.connect(path) as connection:
        stored = [seq for (seq,) in connection.execute("SELECT seq FROM entries ORDER BY id")]
        (last_seq,) = connection.execute("SELECT last_seq FROM rooms WHERE last_seq > 0").fetchone()
    connection.close()
    assert stored == [entry.seq for entry in entries] == list(range(1, last_seq + 1))
    assert LOUNGE.name == entries[0].room
