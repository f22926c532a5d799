"""Bounded reactions in storage, history pages and search results."""

import asyncio

import pytest

from server.domain.room_access import Requester
from server.storage.database import Database
from server.storage.page_size import MAX_PAGE_BYTES
from tests.support.reactions import reacting_members
from tests.support.storage import (
    ANN,
    BEN,
    LOUNGE,
    build_deletion,
    build_message,
    build_reaction,
    read_entry,
)
from tui_chat.protocol import codec
from tui_chat.protocol.errors import Conflict
from tui_chat.protocol.events import Member, Message, ReactionSummary

EMOJI = [f"e{number}" for number in range(20)]


def build_authors(count: int, nick_name: str = "nick") -> list[Member]:
    return [
        Member(member_id=f"m{number:03}", nick_name=f"{nick_name}{number}", role="member") for number in range(count)
    ]


async def react_with_all(database: Database, target: int, authors: list[Member], emoji: list[str]) -> None:
    await asyncio.gather(
        *(database.journal.append(build_reaction(target, text, by=by)) for text in emoji for by in authors)
    )


async def read_summary(database: Database, reader: str | None, emoji: str = "👍") -> ReactionSummary:
    page = await database.reader.read_page(LOUNGE.key, after=0, limit=1, reader=reader)
    assert isinstance(page.messages[0], Message)
    return (page.messages[0].reactions or {})[emoji]


async def test_a_summary_names_the_first_members_and_counts_all(database: Database) -> None:
    await database.journal.append(build_message())
    authors = build_authors(25)
    await react_with_all(database, 1, authors, ["👍"])
    summary = await read_summary(database, None)
    assert (summary.count, summary.own) == (25, False)
    assert [(reactor.member_id, reactor.nick_name) for reactor in summary.by] == [
        (author.member_id, author.nick_name) for author in authors[:20]
    ]
    await database.journal.append(build_reaction(1, on=False, by=authors[24]))
    await database.journal.append(build_reaction(1, on=False, by=authors[0]))
    summary = await read_summary(database, None)
    assert (summary.count, [reactor.member_id for reactor in summary.by]) == (
        23,
        [author.member_id for author in authors[1:21]],
    )


async def test_own_refers_to_the_reader_even_beyond_the_named_members(database: Database) -> None:
    authors = build_authors(25)
    await database.journal.append(build_message("tea"))
    await react_with_all(database, 1, authors, ["👍"])
    for member_id, expected in (("m024", True), ("m003", True), ("nobody", False)):
        assert (await read_summary(database, member_id)).own is expected
        hits = await database.reader.search(
            "tea", room_key=None, joined=(), searcher=Requester(member_id=member_id or ""), before=None, limit=1
        )
        (hit,) = hits.messages
        assert (hit.reactions or {})["👍"].own is expected
        snapshot = await database.reader.read_join_snapshot(LOUNGE.key, since=None, limit=200, reader=member_id)
        assert snapshot.entries[0] == hit


async def test_a_message_has_at_most_twenty_different_reactions(database: Database) -> None:
    await database.journal.append(build_message())
    await react_with_all(database, 1, [ANN], EMOJI)
    with pytest.raises(Conflict) as caught:
        await database.journal.append(build_reaction(1, "one more"))
    assert (caught.value.reason, caught.value.params) == ("too_many_reactions", {"limit": 20})
    assert not (await database.journal.append(build_reaction(1, EMOJI[3], by=BEN))).duplicate
    assert (await database.journal.append(build_reaction(1, "absent", on=False))).duplicate
    await database.journal.append(build_reaction(1, EMOJI[0], on=False))
    assert not (await database.journal.append(build_reaction(1, "one more"))).duplicate
    message = await read_entry(database, 1)
    assert isinstance(message, Message)
    assert list(reacting_members(message)) == [*EMOJI[1:], "one more"]


async def test_the_limit_applies_within_a_batch(database: Database) -> None:
    await database.journal.append(build_message())
    results = await asyncio.gather(
        *(database.journal.append(build_reaction(1, text)) for text in [*EMOJI, "one", "two"]), return_exceptions=True
    )
    assert [type(result).__name__ for result in results] == ["AppendResult"] * 20 + ["Conflict"] * 2


async def test_a_deletion_removes_all_reactions_and_their_counts(database: Database) -> None:
    await database.journal.append(build_message())
    await react_with_all(database, 1, [ANN, BEN], EMOJI)
    await database.journal.append(build_deletion(1))
    message = await read_entry(database, 1)
    assert isinstance(message, Message)
    assert message.reactions is None


async def test_a_page_with_long_names_stays_below_its_limit(database: Database) -> None:
    authors = build_authors(20, "😀" * 60)
    for _ in range(3):
        await database.journal.append(build_message())
    for target in (1, 2, 3):
        await react_with_all(database, target, authors, EMOJI)
    page = await database.reader.read_page(LOUNGE.key, before=4, limit=3)
    assert len(codec.encode_response(page)) < MAX_PAGE_BYTES
    assert page.messages[-1].seq == 3
    assert page.has_more
