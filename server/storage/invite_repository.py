"""Invites to rooms.

The journal creates and revokes invites in the transaction of their log entry, and redeems them in the transaction of
the membership.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, Select, and_, delete, select

from server.domain.log_commands import AppendMemberChange
from server.storage.executor import Executor, TransactionRunner
from server.storage.tables import invites, rooms

_COLUMNS = (invites.c.id, invites.c.uses_left, invites.c.expires_at)


class StoredInvite(NamedTuple):
    """Invite without its code; `expires_at` is in milliseconds since the epoch."""

    id: int
    uses_left: int
    expires_at: int


class InviteReader:
    """Reader of invites; all methods raise `Unavailable` if the database is not readable."""

    def __init__(self, readers: Executor, clock: Callable[[], int]) -> None:
        self._reads = TransactionRunner.for_reads(readers, "invites")
        self._clock = clock

    async def find_valid(self, room_key: str, digest: bytes) -> StoredInvite | None:
        """Return the invite with a code if the invite can be redeemed, otherwise None.

        The journal repeats the check when it redeems the invite; this read keeps guessed codes away from the writer.

        Args:
            digest: SHA-256 of the code.
        """
        return await self._reads.run(partial(_find_valid, room_key=room_key, digest=digest, now=self._clock()))

    async def list_valid(self, room_key: str) -> list[StoredInvite]:
        """Return the invites to a room that can be redeemed, newest first; `room_key` is its canonical key."""
        return await self._reads.run(partial(_list_valid, room_key=room_key, now=self._clock()))


def change_invite(connection: Connection, room_id: int, command: AppendMemberChange, now: int) -> bool:
    """Insert or delete the invite of a command, and return whether the command has an effect.

    A new invite deletes the expired invites of the server and of all rooms. An expired invite can be revoked.

    Args:
        command: Command with the action `inviteCreated` or `inviteRevoked`.
    """
    if command.action == "inviteRevoked":
        is_target = and_(invites.c.id == command.invite_id, invites.c.room_id == room_id)
        return bool(connection.execute(delete(invites).where(is_target)).rowcount)
    connection.execute(delete(invites).where(invites.c.expires_at <= now))
    connection.execute(
        invites.insert().values(
            room_id=room_id,
            digest=command.invite_digest,
            uses_left=command.invite_uses,
            expires_at=command.until,
            created_by=command.author.member_id,
            created_at=now,
        )
    )
    return True


def _find_valid(connection: Connection, *, room_key: str, digest: bytes, now: int) -> StoredInvite | None:
    row = connection.execute(_select_valid(room_key, now).where(invites.c.digest == digest)).one_or_none()
    return None if row is None else StoredInvite(*row)


def _list_valid(connection: Connection, *, room_key: str, now: int) -> list[StoredInvite]:
    rows = connection.execute(_select_valid(room_key, now).order_by(invites.c.id.desc()))
    return [StoredInvite(*row) for row in rows]


def _select_valid(room_key: str, now: int) -> Select[int, int, int]:
    """Return the query of the invites to a room that can be redeemed."""
    return (
        select(*_COLUMNS)
        .join(rooms, and_(rooms.c.id == invites.c.room_id, rooms.c.key == room_key))
        .where(invites.c.uses_left > 0, invites.c.expires_at > now)
    )
