"""Drafts to write, a clock to turn, and a list of what was published."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import connect
from uuid import UUID

from server.domain.drafts import (
    AppendDeletion,
    AppendEdit,
    AppendMessage,
    AppendReaction,
    AppendTopic,
    Author,
    RoomRef,
)
from server.protocol.entries import Entry

LOUNGE = RoomRef(key="lounge", name="Lounge")
ANN = Author(member_id="ann", nick_name="Ann")
BEN = Author(member_id="ben", nick_name="Ben", account="ben")
MOD = Author(member_id="mod", nick_name="Mod", is_moderator=True)


def say(
    message: str = "hello",
    *,
    by: Author = ANN,
    room: RoomRef = LOUNGE,
    client_id: UUID | None = None,
    reply_to: int | None = None,
) -> AppendMessage:
    return AppendMessage(room=room, author=by, message=message, client_id=client_id, reply_to=reply_to)


def edit(target: int, message: str, *, by: Author = ANN, room: RoomRef = LOUNGE) -> AppendEdit:
    return AppendEdit(room=room, author=by, target=target, message=message)


def delete(target: int, *, by: Author = ANN, room: RoomRef = LOUNGE) -> AppendDeletion:
    return AppendDeletion(room=room, author=by, target=target)


def react(
    target: int, emoji: str = "👍", *, on: bool = True, by: Author = ANN, room: RoomRef = LOUNGE
) -> AppendReaction:
    return AppendReaction(room=room, author=by, target=target, emoji=emoji, on=on)


def topic(text: str, *, by: Author = ANN, room: RoomRef = LOUNGE) -> AppendTopic:
    return AppendTopic(room=room, author=by, topic=text)


@dataclass
class Clock:
    """Milliseconds since the epoch, standing still until it is set."""

    now: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


class Published:
    """What the journal gave out, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[list[Entry]] = []
        self._news = asyncio.Event()

    def __call__(self, entries: Sequence[Entry]) -> None:
        self.batches.append(list(entries))
        self._news.set()

    async def first(self, count: int) -> list[Entry]:
        """All that was published, once it is that many."""
        while sum(map(len, self.batches)) < count:
            self._news.clear()
            await self._news.wait()
        return [entry for batch in self.batches for entry in batch]


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Another program that holds the database for itself."""
    other = connect(path, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()
