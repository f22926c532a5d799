import asyncio
import os
import sqlite3
import stat
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tui_chat.client.outbox.item import OutboxItem, OutboxItemState, OutboxRequest
from tui_chat.client.outbox.store import FILE_NAME, Outbox, OutboxScope, hash_guest_key
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.protocol.requests import DeleteMessage, EditMessage, React, SendMessage

TEA = OutboxScope("http://localhost:3000", "tea", hash_guest_key("secret"), "ann")


def posting(text: str, client_id: UUID | None = None) -> OutboxItem:
    client_id = client_id or uuid4()
    return OutboxItem("tea", client_id, SendMessage(room="tea", message=text, client_id=client_id, reply_to=3), 1_000)


async def texts(outbox: Outbox, place: OutboxScope = TEA) -> list[str]:
    return [found.text for found in await outbox.claim_orphans(place, "tea")]


async def test_what_a_program_left_is_given_to_the_next_in_order(tmp_path: Path) -> None:
    first = posting("one")
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, first)
        for number in range(20):
            await outbox.add(TEA, posting(str(number)))
    async with Outbox(tmp_path) as outbox:
        found = await outbox.claim_orphans(TEA, "tea")
    assert [each.text for each in found] == ["one", *map(str, range(20))]
    assert (found[0].client_id, found[0].reply_to, found[0].ts, found[0].persisted) == (first.client_id, 3, 1_000, True)


async def test_what_a_living_program_has_is_not_given_away(tmp_path: Path) -> None:
    async with Outbox(tmp_path) as mine, Outbox(tmp_path) as other:
        await mine.add(TEA, posting("mine"))
        await other.add(TEA, posting("other"))
        assert await texts(mine) == ["mine"]
        assert await texts(other) == ["other"]


async def test_of_two_that_want_what_is_left_one_has_it(tmp_path: Path) -> None:
    async with Outbox(tmp_path) as dead:
        await dead.add(TEA, posting("left"))
    async with Outbox(tmp_path) as first, Outbox(tmp_path) as second:
        assert [await texts(first), await texts(second)] == [["left"], []]


async def test_another_server_room_or_person_gets_nothing(tmp_path: Path) -> None:
    async with Outbox(tmp_path) as dead:
        await dead.add(TEA, posting("left"))
    async with Outbox(tmp_path) as outbox:
        assert await texts(outbox, OutboxScope("http://elsewhere:3000", "tea", TEA.guest_hash, "ann")) == []
        assert await texts(outbox, OutboxScope(TEA.server_url, "dev", TEA.guest_hash, "ann")) == []
        assert await texts(outbox, OutboxScope(TEA.server_url, "tea", hash_guest_key("another"), "ann")) == []
        assert await texts(outbox) == ["left"]


async def test_before_the_first_visit_the_nickname_says_whose_it_is(tmp_path: Path) -> None:
    nobody = OutboxScope(TEA.server_url, "tea", "", "ann")
    async with Outbox(tmp_path) as dead:
        await dead.add(nobody, posting("left"))
    async with Outbox(tmp_path) as outbox:
        assert await texts(outbox, OutboxScope(TEA.server_url, "tea", "", "bob")) == []
        assert await texts(outbox, nobody) == ["left"]
        await outbox.update_guest(TEA.server_url, "", TEA.guest_hash)
    async with Outbox(tmp_path) as outbox:
        assert await texts(outbox, OutboxScope(TEA.server_url, "tea", hash_guest_key("another"), "ann")) == []
        assert await texts(outbox) == ["left"]


async def test_what_was_sent_leaves_and_what_failed_stays_with_its_reason(tmp_path: Path) -> None:
    sent, refused = posting("sent"), posting("refused")
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, sent)
        await outbox.add(TEA, refused)
        await outbox.delete(sent.client_id)
        await outbox.mark_failed(refused.client_id, "you may not")
    async with Outbox(tmp_path) as outbox:
        (found,) = await outbox.claim_orphans(TEA, "tea")
    assert (found.text, found.state, found.problem) == ("refused", OutboxItemState.FAILED, "you may not")


@pytest.mark.parametrize(
    "request_",
    [
        EditMessage(room="tea", seq=4, message="otherwise"),
        DeleteMessage(room="tea", seq=4),
        React(room="tea", seq=4, emoji="👍", on=False),
    ],
)
async def test_changes_wait_like_messages(tmp_path: Path, request_: OutboxRequest) -> None:
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, OutboxItem("tea", uuid4(), request_, 1))
    async with Outbox(tmp_path) as outbox:
        assert [found.request for found in await outbox.claim_orphans(TEA, "tea")] == [request_]


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
async def test_only_its_owner_can_read_it_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with Outbox(tmp_path / "state") as outbox:
            await outbox.add(TEA, posting("secret"))
            files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
            assert len(files) >= 3
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
            assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    finally:
        os.umask(before)


async def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    problems: list[str] = []
    async with Outbox(tmp_path) as outbox:
        outbox.on_problem = problems.append
        await outbox.add(TEA, posting("still"))
        assert await texts(outbox) == ["still"]
    (aside,) = tmp_path.glob(f"{FILE_NAME}.damaged-*")
    assert aside.read_bytes().startswith(b"no database")
    assert len(problems) == 1
    assert str(aside) in problems[0]


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, posting("old"))
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    async with Outbox(tmp_path) as outbox:
        with pytest.raises(LocalStorageError, match="newer version"):
            await outbox.add(TEA, posting("new"))
    assert not list(tmp_path.glob("*.damaged-*"))


async def test_the_lock_of_a_killed_program_is_free(tmp_path: Path) -> None:
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", _LEAVE, str(tmp_path))
    assert await ended.wait() == -9
    async with Outbox(tmp_path) as outbox:
        assert await texts(outbox) == ["left"]


_LEAVE = """
import asyncio, os, signal, sys
from pathlib import Path
from uuid import uuid4
from tui_chat.protocol.requests import SendMessage
from tui_chat.client.outbox.store import Outbox, Place, guest_hash
from tui_chat.client.outbox.item import Posting

async def leave(folder):
    number = uuid4()
    said = SendMessage(room="tea", message="left", client_id=number)
    place = Place("http://localhost:3000", "tea", guest_hash("secret"), "ann")
    await Outbox(folder).keep(place, Posting("tea", number, said, 1))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(leave(Path(sys.argv[1])))
"""
