import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from tests.support.program import forked_python
from tui_chat.client.outbox.store import FILE_NAME, Outbox, OutboxScope, hash_identity
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState, OutboxRequest
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.protocol.errors import ChatError, TooLong
from tui_chat.protocol.requests import DeleteMessage, EditMessage, React, SendMessage

TEA = OutboxScope("http://localhost:3000", "tea", hash_identity("secret"), "ann")


def make_item(text: str, client_id: UUID | None = None) -> OutboxItem:
    client_id = client_id or uuid4()
    return OutboxItem("tea", client_id, SendMessage(room="tea", message=text, client_id=client_id, reply_to=3), 1_000)


async def texts(outbox: Outbox, scope: OutboxScope = TEA) -> list[str]:
    """Claim the orphaned items of a scope, and return the texts of all items of the process in this scope."""
    return [item.text for item in await outbox.claim_orphans(scope, "tea")]


async def test_orphaned_items_are_claimed_in_order(tmp_path: Path) -> None:
    first = make_item("one")
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, first)
        for number in range(20):
            await outbox.add(TEA, make_item(str(number)))
    async with Outbox(tmp_path) as outbox:
        items = await outbox.claim_orphans(TEA, "tea")
    assert [item.text for item in items] == ["one", *map(str, range(20))]
    assert (items[0].client_id, items[0].reply_to, items[0].ts, items[0].persisted) == (first.client_id, 3, 1_000, True)


async def test_items_of_a_live_owner_are_not_claimed(tmp_path: Path) -> None:
    async with Outbox(tmp_path) as first, Outbox(tmp_path) as second:
        await first.add(TEA, make_item("one"))
        await second.add(TEA, make_item("two"))
        assert [await texts(first), await texts(second)] == [["one"], ["two"]]


async def test_an_orphaned_item_is_claimed_once(tmp_path: Path) -> None:
    async with Outbox(tmp_path) as dead:
        await dead.add(TEA, make_item("left"))
    async with Outbox(tmp_path) as first, Outbox(tmp_path) as second:
        assert [await texts(first), await texts(second)] == [["left"], []]


async def test_items_are_claimed_only_in_their_scope(tmp_path: Path) -> None:
    async with Outbox(tmp_path) as dead:
        await dead.add(TEA, make_item("left"))
    async with Outbox(tmp_path) as outbox:
        assert await texts(outbox, OutboxScope("http://elsewhere:3000", "tea", TEA.identity_hash, "ann")) == []
        assert await texts(outbox, OutboxScope(TEA.server_url, "dev", TEA.identity_hash, "ann")) == []
        assert await texts(outbox, OutboxScope(TEA.server_url, "tea", hash_identity("another"), "ann")) == []
        assert await texts(outbox) == ["left"]


async def test_without_a_guest_key_the_nickname_is_the_scope(tmp_path: Path) -> None:
    without_guest = OutboxScope(TEA.server_url, "tea", "", "ann")
    async with Outbox(tmp_path) as dead:
        await dead.add(without_guest, make_item("left"))
    async with Outbox(tmp_path) as outbox:
        assert await texts(outbox, OutboxScope(TEA.server_url, "tea", "", "bob")) == []
        assert await texts(outbox, without_guest) == ["left"]
        await outbox.replace_identity(TEA.server_url, "", TEA.identity_hash)
    async with Outbox(tmp_path) as outbox:
        assert await texts(outbox, OutboxScope(TEA.server_url, "tea", hash_identity("another"), "ann")) == []
        assert await texts(outbox) == ["left"]


async def test_sent_items_are_deleted_and_failed_items_keep_their_error(tmp_path: Path) -> None:
    sent, rejected = make_item("sent"), make_item("refused")
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, sent)
        await outbox.add(TEA, rejected)
        await outbox.delete(sent.client_id)
        await outbox.set_error(rejected.client_id, TooLong("message_too_long", limit=4_000, count=4_001))
    async with Outbox(tmp_path) as outbox:
        (item,) = await outbox.claim_orphans(TEA, "tea")
    assert (item.text, item.state) == ("refused", OutboxItemState.FAILED)
    assert item.error is not None
    assert (item.error.code, item.error.reason) == ("too_long", "message_too_long")
    assert item.error.params == {"limit": 4_000, "count": 4_001}


@pytest.mark.parametrize(
    "request_",
    [
        EditMessage(room="tea", seq=4, message="otherwise"),
        DeleteMessage(room="tea", seq=4),
        React(room="tea", seq=4, emoji="👍", on=False),
    ],
)
async def test_edits_deletions_and_reactions_are_stored(tmp_path: Path, request_: OutboxRequest) -> None:
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, OutboxItem("tea", uuid4(), request_, 1))
    async with Outbox(tmp_path) as outbox:
        assert [item.request for item in await outbox.claim_orphans(TEA, "tea")] == [request_]


@pytest.mark.skipif(os.name != "posix", reason="POSIX file permissions")
async def test_files_are_private_to_the_user_with_umask_0(tmp_path: Path) -> None:
    old_umask = os.umask(0)
    try:
        async with Outbox(tmp_path / "state") as outbox:
            await outbox.add(TEA, make_item("secret"))
            files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
            assert len(files) >= 3
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
            assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    finally:
        os.umask(old_umask)


async def test_a_corrupt_file_is_moved_aside_and_reported(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    problems: list[ChatError] = []
    async with Outbox(tmp_path) as outbox:
        outbox.on_problem = problems.append
        await outbox.add(TEA, make_item("still"))
        assert await texts(outbox) == ["still"]
    (backup,) = tmp_path.glob(f"{FILE_NAME}.damaged-*")
    assert backup.read_bytes().startswith(b"no database")
    assert len(problems) == 1
    assert problems[0].params == {"file": str(backup)}


async def test_items_of_an_older_file_format_are_returned_in_order(tmp_path: Path) -> None:
    items = [make_item("one"), make_item("two")]
    write_version_1_file(tmp_path, items)
    for _ in range(2):
        async with Outbox(tmp_path) as outbox:
            assert [item.request for item in await outbox.claim_orphans(TEA, "tea")] == [item.request for item in items]
    async with Outbox(tmp_path) as outbox:
        await outbox.claim_orphans(TEA, "tea")
        await outbox.delete(items[0].client_id)
        await outbox.add(TEA, make_item("three"))
        assert await texts(outbox) == ["two", "three"]
    assert not list(tmp_path.glob("*.damaged-*"))


async def replace_column(outbox_directory: Path, column: str, value: bytes, item: OutboxItem) -> None:
    """Store an item of an ended process, and replace one of its columns."""
    async with Outbox(outbox_directory) as ended_process:
        await ended_process.add(TEA, item)
    with closing(sqlite3.connect(outbox_directory / FILE_NAME)) as connection, connection:
        connection.execute(f"UPDATE outbox_items SET {column} = ? WHERE client_id = ?", (value, item.client_id.hex))


@pytest.mark.parametrize("lone_surrogate", [b"\\ud83d", b"\xed\xa0\xbd"], ids=["escaped", "raw"])
async def test_a_row_with_a_lone_surrogate_is_a_failed_item(tmp_path: Path, lone_surrogate: bytes) -> None:
    damaged = make_item("half")
    body = msgspec.json.encode(damaged.request).replace(b"half", b"half " + lone_surrogate)
    await replace_column(tmp_path, "body", body, damaged)
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, make_item("next"))
        items = await outbox.claim_orphans(TEA, "tea")
    assert [(item.text, item.state) for item in items] == [
        ("half \ufffd", OutboxItemState.FAILED),
        ("next", OutboxItemState.PENDING),
    ]
    assert items[0].client_id == damaged.client_id
    assert items[0].error is not None
    assert items[0].error.reason == "text_unencodable"


@pytest.mark.parametrize("column", ["body", "error"])
@pytest.mark.parametrize("value", [b"", b"{", b"NaN", b"[1]", b"\xff", b'{"code":7}'])
async def test_undecodable_rows_are_skipped(tmp_path: Path, column: str, value: bytes) -> None:
    await replace_column(tmp_path, column, value, make_item("damaged"))
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, make_item("next"))
        assert await texts(outbox) == ["next"]


def write_version_1_file(directory: Path, items: list[OutboxItem]) -> None:
    """Write an outbox file of schema version 1, owned by an ended process."""
    connection = sqlite3.connect(directory / FILE_NAME)
    connection.executescript(
        """
        CREATE TABLE postings (
            position INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
            server TEXT NOT NULL, room TEXT NOT NULL, guest TEXT NOT NULL, nick TEXT NOT NULL, event TEXT NOT NULL,
            body BLOB NOT NULL, ts INTEGER NOT NULL, problem TEXT
        );
        CREATE INDEX postings_of_a_room ON postings (server, room, position);
        PRAGMA application_id = 0x63686F62;
        PRAGMA user_version = 1
        """
    )
    connection.executemany(
        "INSERT INTO postings (client_id, owner, server, room, guest, nick, event, body, ts) "
        "VALUES (?, 'ended', ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(item.client_id.hex, TEA.server_url, TEA.room, TEA.identity_hash, TEA.nick),
                *(item.request.event, msgspec.json.encode(item.request), item.ts),
            )
            for item in items
        ],
    )
    connection.commit()
    connection.close()


async def test_a_file_of_a_newer_version_is_rejected_and_remains(tmp_path: Path) -> None:
    async with Outbox(tmp_path) as outbox:
        await outbox.add(TEA, make_item("old"))
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    async with Outbox(tmp_path) as outbox:
        with pytest.raises(LocalStorageError, match="newer version"):
            await outbox.add(TEA, make_item("new"))
    assert not list(tmp_path.glob("*.damaged-*"))


async def test_the_lock_of_a_killed_process_is_released(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(*forked_python(), "-c", _CRASH_WITH_ITEM, str(tmp_path))
    assert await process.wait() == -9
    async with Outbox(tmp_path) as outbox:
        assert await texts(outbox) == ["left"]


_CRASH_WITH_ITEM = """
import asyncio, os, signal, sys
from pathlib import Path
from uuid import uuid4
from tui_chat.protocol.requests import SendMessage
from tui_chat.client.outbox.store import Outbox, OutboxScope, hash_identity
from tui_chat.client.outbox_item import OutboxItem

async def crash(directory):
    client_id = uuid4()
    request = SendMessage(room="tea", message="left", client_id=client_id)
    scope = OutboxScope("http://localhost:3000", "tea", hash_identity("secret"), "ann")
    await Outbox(directory).add(scope, OutboxItem("tea", client_id, request, 1))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(crash(Path(sys.argv[1])))
"""
