"""Storage test helpers: log commands, a manual clock, a publisher, recorded statements and a lock."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import connect
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, event

from server.domain.log_commands import (
    AppendDeletion,
    AppendEdit,
    AppendMessage,
    AppendReaction,
    AppendTopic,
    AttachedUpload,
    MentionTargets,
    RoomRef,
)
from server.domain.uploads import Upload
from server.storage.database import Database
from tui_chat.protocol.events import Entry, Member

LOUNGE = RoomRef(key="lounge", name="Lounge")
ANN = Member(member_id="ann", nick_name="Ann", role="member")
NO_MENTIONS = MentionTargets()
BEN = Member(member_id="ben", nick_name="Ben", account="ben", role="member")


def build_message(
    message: str = "hello",
    *,
    author: Member = ANN,
    room: RoomRef = LOUNGE,
    client_id: UUID | None = None,
    reply_to: int | None = None,
    mentions: MentionTargets = NO_MENTIONS,
    files: tuple[str, ...] = (),
) -> AppendMessage:
    return AppendMessage(
        room=room,
        author=author,
        message=message,
        client_id=client_id,
        reply_to=reply_to,
        mentions=mentions,
        attachments=tuple(AttachedUpload(upload_id=upload_id) for upload_id in files),
    )


def build_upload(
    *, author: Member = ANN, name: str = "x", media_type: str = "text/plain", pinned: bool = False
) -> Upload:
    return Upload(
        id=uuid4().hex[:22],
        state="ready",
        member_id=author.member_id,
        name=name,
        type=media_type,
        size=1,
        digest=b"",
        is_pinned=pinned,
        created_at=0,
    )


def build_edit(
    target: int,
    message: str,
    *,
    author: Member = ANN,
    room: RoomRef = LOUNGE,
    mentions: MentionTargets = NO_MENTIONS,
) -> AppendEdit:
    return AppendEdit(room=room, author=author, target=target, message=message, mentions=mentions)


def build_deletion(
    target: int, *, author: Member = ANN, room: RoomRef = LOUNGE, any_author: bool = False
) -> AppendDeletion:
    return AppendDeletion(room=room, author=author, target=target, any_author=any_author)


def build_reaction(
    target: int, emoji: str = "👍", *, on: bool = True, by: Member = ANN, room: RoomRef = LOUNGE
) -> AppendReaction:
    return AppendReaction(room=room, author=by, target=target, emoji=emoji, on=on)


def build_topic(text: str, *, author: Member = ANN, room: RoomRef = LOUNGE) -> AppendTopic:
    return AppendTopic(room=room, author=author, topic=text)


async def read_entry(database: Database, seq: int) -> Entry | None:
    """Return one entry of the lounge in its current state, None if there is no such entry."""
    page = await database.reader.read_page(LOUNGE.key, after=seq - 1, limit=1)
    return page.messages[0] if page.messages else None


@dataclass
class ManualClock:
    """Clock in milliseconds since the epoch that changes by assignment alone."""

    now: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


class PublishedEntries:
    """Recorder of the batches that the journal publishes."""

    def __init__(self) -> None:
        self.batches: list[list[Entry]] = []
        self._published = asyncio.Event()

    def __call__(self, entries: Sequence[Entry]) -> None:
        self.batches.append(list(entries))
        self._published.set()

    async def wait_for_entries(self, count: int) -> list[Entry]:
        """Return all published entries after at least `count` entries."""
        while sum(map(len, self.batches)) < count:
            self._published.clear()
            await self._published.wait()
        return [entry for batch in self.batches for entry in batch]


@contextmanager
def recorded_statements() -> Generator[list[str]]:
    """Record the SQL statements of all databases of the process within the block, in order."""
    statements: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", record)


@contextmanager
def exclusive_lock(path: Path) -> Generator[None]:
    """Hold an exclusive lock on the SQLite file, like another process."""
    connection = connect(path, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()
