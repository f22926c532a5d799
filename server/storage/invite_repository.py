"""Invites to rooms; `server.storage.access_changes` redeems them in the transaction of the membership."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, select

from server.domain.log_commands import StaleAccess
from server.storage.executor import Executor, TransactionRunner
from server.storage.tables import invites, rooms

_COLUMNS = (invites.c.id, invites.c.uses_left, invites.c.expires_at)


class StoredInvite(NamedTuple):
    """Invite without its code; `expires_at` is in milliseconds since the epoch."""

    id: int
    uses_left: int
    expires_at: int


class InviteRepository:
    """Repository of invites.

    All methods raise `Unavailable` if the database fails.

    Args:
        writer: Executor for one transaction at a time.
        readers: Executor for read transactions.
        clock: Source of the current time in milliseconds since the epoch.
    """

    def __init__(self, writer: Executor, readers: Executor, clock: Callable[[], int]) -> None:
        self._writes = TransactionRunner.for_writes(writer, "invites")
        self._reads = TransactionRunner.for_reads(readers, "invites")
        self._clock = clock

    async def create(
        self, room_key: str, policy_seq: int, *, digest: bytes, uses: int, expires_in: int, created_by: str
    ) -> StoredInvite:
        """Store an invite, and delete the expired invites of the server and of all rooms.

        Args:
            room_key: Canonical key of the room.
            policy_seq: `policy_seq` of the permission check.
            digest: SHA-256 of the code.
            uses: Maximum number of redemptions.
            expires_in: Validity in seconds.
            created_by: Member id of the creator.

        Raises:
            StaleAccess: The room has another `policy_seq`, or does not exist any more.
        """
        now = self._clock()
        values = {
            **{"digest": digest, "uses_left": uses, "expires_at": now + 1000 * expires_in},
            **{"created_by": created_by, "created_at": now},
        }
        return await self._writes.run(partial(_create, room_key=room_key, policy_seq=policy_seq, values=values))

    async def is_valid(self, room_key: str, digest: bytes) -> bool:
        """Return whether an invite to a room can be redeemed; guesses therefore do not reach the writer."""
        return await self._reads.run(partial(_is_valid, room_key=room_key, digest=digest, now=self._clock()))

    async def list_valid(self, room_key: str) -> list[StoredInvite]:
        """Return the invites to a room that can be redeemed, newest first."""
        return await self._reads.run(partial(_list_valid, room_key=room_key, now=self._clock()))

    async def revoke(self, room_key: str, invite_id: int) -> bool:
        """Delete an invite to a room, also an expired one, and return whether it existed."""
        return await self._writes.run(partial(_revoke, room_key=room_key, invite_id=invite_id))


def _create(connection: Connection, *, room_key: str, policy_seq: int, values: dict[str, Any]) -> StoredInvite:
    room_id = connection.execute(
        select(rooms.c.id).where(rooms.c.key == room_key, rooms.c.policy_seq == policy_seq)
    ).scalar_one_or_none()
    if room_id is None:
        raise StaleAccess(room_key)
    connection.execute(delete(invites).where(invites.c.expires_at <= values["created_at"]))
    row = connection.execute(invites.insert().values(room_id=room_id, **values).returning(*_COLUMNS)).one()
    return StoredInvite(*row)


def _is_valid(connection: Connection, *, room_key: str, digest: bytes, now: int) -> bool:
    statement = (
        select(invites.c.id)
        .join(rooms, and_(rooms.c.id == invites.c.room_id, rooms.c.key == room_key))
        .where(invites.c.digest == digest, invites.c.uses_left > 0, invites.c.expires_at > now)
    )
    return connection.execute(statement).first() is not None


def _list_valid(connection: Connection, *, room_key: str, now: int) -> list[StoredInvite]:
    rows = connection.execute(
        select(*_COLUMNS)
        .join(rooms, and_(rooms.c.id == invites.c.room_id, rooms.c.key == room_key))
        .where(invites.c.uses_left > 0, invites.c.expires_at > now)
        .order_by(invites.c.id.desc())
    )
    return [StoredInvite(*row) for row in rows]


def _revoke(connection: Connection, *, room_key: str, invite_id: int) -> bool:
    room_id = select(rooms.c.id).where(rooms.c.key == room_key).scalar_subquery()
    return bool(
        connection.execute(delete(invites).where(invites.c.id == invite_id, invites.c.room_id == room_id)).rowcount
    )
