"""Reads and writes for the erasure of deleted accounts, in slices of the log.

- Slices: a slice covers a range of entry ids of all rooms, so that other writes wait for one slice at most.
- Repetition: an erased slice may be erased again without effect, for example after a restart.
"""

from functools import partial
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, case, delete, func, select, tuple_, update

from server.domain.log_commands import RoomRef
from server.storage.executor import Executor, TransactionRunner
from server.storage.group_tables import conversations, pending_covers
from server.storage.tables import (
    REMOVED,
    blocks,
    entries,
    hooks,
    memberships,
    mentions,
    reactions,
    rooms,
    sanctions,
    uploads,
)

SLICE_ENTRIES = 2_000
"""Number of entry ids in a slice."""


class MessageRef(NamedTuple):
    """Message that is not deleted: its room and its `seq`."""

    room: RoomRef
    seq: int


class ErasureRepository:
    """Repository of erasures; all methods raise `Unavailable` if the database fails."""

    def __init__(self, writer: Executor, readers: Executor) -> None:
        self._writes = TransactionRunner.for_writes(writer, "erasures")
        self._reads = TransactionRunner.for_reads(readers, "erasures")

    async def list_rooms(self, member_id: str) -> list[RoomRef]:
        """Return the rooms in which a member has a durable membership, without removed rooms."""
        statement = (
            select(rooms.c.key, rooms.c.name)
            .join(memberships, memberships.c.room_id == rooms.c.id)
            .where(memberships.c.member_id == member_id, rooms.c.visibility != REMOVED)
        )
        rows = await self._reads.run(lambda connection: connection.execute(statement).all())
        return [RoomRef(key=key, name=name) for key, name in rows]

    async def list_messages(self, member_id: str, first_id: int) -> list[MessageRef]:
        """Return the messages of a member in the slice that starts at an entry id.

        Deleted messages and those of removed rooms are omitted.
        """
        statement = (
            select(rooms.c.key, rooms.c.name, entries.c.seq)
            .join(rooms, rooms.c.id == entries.c.room_id)
            .where(
                entries.c.id.between(first_id, first_id + SLICE_ENTRIES - 1),
                entries.c.member_id == member_id,
                entries.c.kind == "message",
                entries.c.deleted.is_(False),
                rooms.c.visibility != REMOVED,
            )
        )
        rows = await self._reads.run(lambda connection: connection.execute(statement).all())
        return [MessageRef(RoomRef(key=key, name=name), seq) for key, name, seq in rows]

    async def rename_author(self, member_id: str, name: str, first_id: int) -> int | None:
        """Replace the names of a member in the slice that starts at an entry id.

        The names are replaced in the entries of the member, in the reactions that these entries set, and in the
        membership changes by or of the member.

        Args:
            member_id: Member id, which stays unchanged.
            name: New nickname, and new account name where the member had one.

        Returns:
            First entry id of the next slice, None after the last slice.
        """
        return await self._writes.run(partial(_rename_author, member_id=member_id, name=name, first_id=first_id))

    async def delete_references(self, member_id: str, name: str) -> None:
        """Delete memberships, blocks, conversations, pending cover, webhooks and received mentions of a member.

        The uploads of the member are unpinned. In sanctions of the member and in blocks by other members, `name`
        replaces the nickname, and the account name is removed.
        """
        await self._writes.run(partial(_delete_references, member_id=member_id, name=name))


def _rename_author(connection: Connection, *, member_id: str, name: str, first_id: int) -> int | None:
    in_slice = entries.c.id.between(first_id, first_id + SLICE_ENTRIES - 1)
    by_member = entries.c.member_id == member_id
    reacted = select(entries.c.room_id, entries.c.target, entries.c.emoji).where(
        in_slice, by_member, entries.c.kind == "reaction"
    )
    connection.execute(
        update(reactions)
        .where(
            reactions.c.member_id == member_id,
            tuple_(reactions.c.room_id, reactions.c.target, reactions.c.emoji).in_(reacted),
        )
        .values(nick_name=name)
    )
    account = case((entries.c.account.is_not(None), name), else_=None)
    connection.execute(update(entries).where(in_slice, by_member).values(nick_name=name, account=account))
    _rename_in_membership_changes(connection, in_slice, member_id, name)
    last_id = connection.execute(select(func.max(entries.c.id))).scalar_one() or 0
    return first_id + SLICE_ENTRIES if last_id >= first_id + SLICE_ENTRIES else None


def _rename_in_membership_changes(connection: Connection, in_slice: Any, member_id: str, name: str) -> None:
    """Replace the names of a member as target or author in the JSON texts of the membership changes of a slice."""
    contains_id = entries.c.text.contains(f'"{member_id}"', autoescape=True)
    statement = select(entries.c.id, entries.c.text).where(in_slice, entries.c.kind == "member", contains_id)
    for entry_id, text in connection.execute(statement).all():
        fields: dict[str, Any] = msgspec.json.decode(text)
        members: list[dict[str, Any]] = [fields[role] for role in ("target", "by") if role in fields]
        for member in members:
            if member["memberId"] == member_id:
                member.update(dict.fromkeys(member.keys() & {"nickName", "account"}, name))
        connection.execute(
            update(entries).where(entries.c.id == entry_id).values(text=msgspec.json.encode(fields).decode())
        )


def _delete_references(connection: Connection, *, member_id: str, name: str) -> None:
    for table in (memberships, mentions, blocks, conversations, pending_covers):
        connection.execute(delete(table).where(table.c.member_id == member_id))
    connection.execute(delete(hooks).where(hooks.c.created_by == member_id))
    connection.execute(update(uploads).where(uploads.c.member_id == member_id).values(is_pinned=False))
    for table, column in ((sanctions, sanctions.c.member_id), (blocks, blocks.c.blocked_id)):
        connection.execute(update(table).where(column == member_id).values(nick_name=name, account=None))
