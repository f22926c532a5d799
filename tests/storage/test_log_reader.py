from uuid import uuid4

import pytest

from server.storage.database import Database
from server.storage.log_reader import MAX_PAGE_BYTES
from tests.support.storage import (
    BEN,
    ManualClock,
    RoomRef,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
)
from tui_chat.protocol.events import Edit, Entry, Message


def seqs(entries: list[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


async def fill(database: Database, count: int) -> None:
    pending = [database.journal.append(build_message(str(number))) for number in range(1, count + 1)]
    for answer in pending:
        await answer


async def test_a_room_never_written_to_has_nothing(database: Database) -> None:
    backlog = await database.reader.read_join_snapshot("lounge", since=None, limit=10)
    assert (backlog.room, backlog.entries, backlog.has_more) == (None, [], False)
    page = await database.reader.read_page("lounge", before=5, limit=10)
    assert (page.messages, page.has_more, page.last_seq) == ([], False, 0)
    assert await database.reader.read_entry("lounge", 1) is None


@pytest.mark.parametrize("place", [{"before": 201}, {"after": 0}, {"around": 100}, {"around": 1}, {"around": 200}])
async def test_a_page_of_long_messages_ends_early_beside_its_place(database: Database, place: dict[str, int]) -> None:
    for answer in [database.journal.append(build_message("汉" * 4_000)) for _ in range(200)]:
        await answer
    page = await database.reader.read_page("lounge", **place, limit=200)
    found = seqs(page.messages)
    assert page.has_more
    assert 10 < len(found) < 25
    assert found == list(range(found[0], found[-1] + 1))
    wanted = {"before": 200, "after": 1}.get(next(iter(place)), place.get("around"))
    assert wanted in found
    assert sum(len(said.message.encode()) for said in page.messages if isinstance(said, Message)) <= MAX_PAGE_BYTES


async def test_a_backlog_of_long_messages_has_the_newest_and_says_that_there_is_more(database: Database) -> None:
    for answer in [database.journal.append(build_message("汉" * 4_000)) for _ in range(60)]:
        await answer
    backlog = await database.reader.read_join_snapshot("lounge", since=0, limit=50)
    assert seqs(backlog.entries)[-1] == 60
    assert len(backlog.entries) < 30
    assert backlog.has_more


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
async def test_the_backlog_is_the_newest_after_since(
    database: Database, since: int | None, limit: int, expected: list[int], has_more: bool
) -> None:
    await fill(database, 10)
    backlog = await database.reader.read_join_snapshot("lounge", since=since, limit=limit)
    assert (seqs(backlog.entries), backlog.has_more) == (expected, has_more)
    assert backlog.room is not None
    assert backlog.room.last_seq == 10


@pytest.mark.parametrize(
    ("place", "expected", "has_more"),
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
async def test_a_page_lies_where_it_was_asked_for(
    database: Database, place: dict[str, int], expected: list[int], has_more: bool
) -> None:
    await fill(database, 10)
    page = await database.reader.read_page("lounge", **place, limit=4)
    assert (seqs(page.messages), page.has_more, page.last_seq) == (expected, has_more, 10)


async def test_a_page_around_a_place_in_a_short_room_is_all_of_it(database: Database) -> None:
    await fill(database, 3)
    page = await database.reader.read_page("lounge", around=2, limit=50)
    assert (seqs(page.messages), page.has_more) == ([1, 2, 3], False)


async def test_a_page_takes_exactly_one_place(database: Database) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        await database.reader.read_page("lounge", limit=4)
    with pytest.raises(ValueError, match="exactly one"):
        await database.reader.read_page("lounge", before=1, after=1, limit=4)


async def test_messages_are_shown_in_their_present_state(database: Database) -> None:
    drafts = [
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
    for draft in drafts:
        await database.journal.append(draft)
    page = await database.reader.read_page("lounge", after=0, limit=50)
    assert seqs(page.messages) == list(range(1, 11))
    first, second, ninth = page.messages[0], page.messages[1], page.messages[8]
    assert isinstance(first, Message)
    assert (first.message, first.edited, first.deleted) == ("uno", 3, False)
    assert first.reactions == {"🎉": ["ben", "ann"]}
    assert isinstance(second, Message)
    assert (second.message, second.deleted, second.reactions, second.reply_to) == ("", True, None, 1)
    assert (second.account, second.nick_name, second.member_id) == ("ben", "Ben", "ben")
    assert isinstance(ninth, Edit)
    assert ninth.message == ""
    assert await database.reader.read_entry("lounge", 1) == first
    backlog = await database.reader.read_join_snapshot("lounge", since=None, limit=50)
    assert backlog.entries == page.messages


async def test_reactions_stand_in_the_order_in_which_they_were_chosen(database: Database) -> None:
    await database.journal.append(build_message())
    for draft in (
        build_reaction(1, "b"),
        build_reaction(1, "a"),
        build_reaction(1, "a", by=BEN),
        build_reaction(1, "b", on=False),
        build_reaction(1, "b"),
    ):
        await database.journal.append(draft)
    entry = await database.reader.read_entry("lounge", 1)
    assert isinstance(entry, Message)
    assert entry.reactions is not None
    assert list(entry.reactions.items()) == [("a", ["ann", "ben"]), ("b", ["ann"])]


async def test_an_emoji_keeps_its_place_while_anybody_has_it_there(database: Database) -> None:
    drafts = [
        build_message(),
        build_reaction(1, "a"),
        build_reaction(1, "b"),
        build_reaction(1, "a", by=BEN),
        build_reaction(1, "a", on=False),
        build_reaction(1, "a"),
    ]
    for draft in drafts:
        await database.journal.append(draft)
    entry = await database.reader.read_entry("lounge", 1)
    assert isinstance(entry, Message)
    assert entry.reactions is not None
    assert list(entry.reactions.items()) == [("a", ["ben", "ann"]), ("b", ["ann"])]


async def test_choosing_a_reaction_twice_keeps_its_place(database: Database) -> None:
    for draft in (build_message(), build_reaction(1, "a"), build_reaction(1, "b"), build_reaction(1, "a")):
        await database.journal.append(draft)
    entry = await database.reader.read_entry("lounge", 1)
    assert isinstance(entry, Message)
    assert list(entry.reactions or {}) == ["a", "b"]


async def test_a_room_row_tells_its_topic_and_times(database: Database, clock: ManualClock) -> None:
    start = clock.now
    await database.journal.append(build_message())
    clock.now += 10
    await database.journal.append(build_topic("first"))
    await database.journal.append(build_topic("second"))
    clock.now += 10
    await database.journal.append(build_message())
    room = (await database.reader.read_join_snapshot("lounge", since=None, limit=1)).room
    assert room is not None
    assert (room.key, room.name, room.topic, room.visibility) == ("lounge", "Lounge", "second", "public")
    assert (room.last_seq, room.created_at, room.active_at) == (4, start, start + 20)
    await database.journal.append(build_topic(""))
    room = (await database.reader.read_join_snapshot("lounge", since=None, limit=1)).room
    assert room is not None
    assert room.topic == ""


async def test_rooms_are_listed_with_the_newest_activity_first(database: Database, clock: ManualClock) -> None:
    for name in ("Tea", "Coffee", "50%_off", "Teapots"):
        clock.now += 1
        await database.journal.append(build_message(room=RoomRef(key=name.lower(), name=name)))
    clock.now += 1
    await database.journal.append(build_message(room=RoomRef(key="tea", name="Tea")))

    async def listed(query: str | None, limit: int = 10) -> list[str]:
        return [room.name for room in await database.reader.list_rooms(query, limit)]

    assert await listed(None) == ["Tea", "Teapots", "50%_off", "Coffee"]
    assert await listed(None, limit=2) == ["Tea", "Teapots"]
    assert await listed("TEA") == ["Tea", "Teapots"]
    assert await listed("%") == ["50%_off"]
    assert await listed("_") == ["50%_off"]
    assert await listed("ｔｅａ") == ["Tea", "Teapots"]
    assert await listed("cocoa") == []
    assert await listed("\u0007") == []


async def test_the_reactions_of_a_long_page_are_all_shown(database: Database) -> None:
    await fill(database, 200)
    for target in range(1, 201, 2):
        await database.journal.append(build_reaction(target))
    page = await database.reader.read_page("lounge", after=0, limit=200)
    shown = [entry.seq for entry in page.messages if isinstance(entry, Message) and entry.reactions == {"👍": ["ann"]}]
    assert shown == list(range(1, 201, 2))
