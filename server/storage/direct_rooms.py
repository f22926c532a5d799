"""Members of direct rooms, and the blocks between members."""

from collections.abc import Callable, Collection
from functools import partial

from sqlalchemy import Connection, delete, func, select

from server.domain.direct_members import DirectMembers
from server.storage.account_changes import record_change
from server.storage.executor import Executor, TransactionRunner
from server.storage.statements import get_insert_construct
from server.storage.tables import accounts, blocks, memberships, rooms
from tui_chat.protocol.errors import Conflict
from tui_chat.protocol.events import MemberRef
from tui_chat.protocol.limits import BLOCKS_PER_MEMBER


class DirectRoomRepository:
    """Repository of direct rooms and blocks.

    All methods raise `Unavailable` if the database fails.

    Attributes:
        on_change: Called after each committed call of `block` and `unblock`, even after one without effect. Each of
            these calls gives the account with `member_id` a new `change_seq`.
    """

    def __init__(self, writer: Executor, readers: Executor, clock: Callable[[], int]) -> None:
        self._writes = TransactionRunner.for_writes(writer, "blocks")
        self._reads = TransactionRunner.for_reads(readers, "direct rooms")
        self._clock = clock
        self.on_change: Callable[[], None] = lambda: None

    async def find(self, direct_key: str) -> str | None:
        """Return the address of the direct room of a set of members (`rooms.direct_key`), or None."""
        return await self._reads.run(partial(_find, direct_key=direct_key))

    async def read(self, room_key: str) -> DirectMembers | None:
        """Return the members and blocks of the direct room with a canonical key.

        None for any other room, and for a direct room without members.
        """
        return await self._reads.run(partial(_read_members, key=room_key))

    async def read_blocks(self, member_ids: Collection[str]) -> frozenset[tuple[str, str]]:
        """Return the blocks between the given members, as pairs of the blocking and the blocked member id."""
        return await self._reads.run(partial(_read_blocks, member_ids=member_ids))

    async def list_blocked(self, member_id: str) -> list[MemberRef]:
        """Return the members that a member has blocked, with their names at the time of the block, newest first."""
        return await self._reads.run(partial(_list_blocked, member_id=member_id))

    async def block(self, member_id: str, blocked: MemberRef) -> None:
        """Store a block; that of an already blocked member stays unchanged, with its old names.

        Raises:
            Conflict: The member has `BLOCKS_PER_MEMBER` blocks of other members.
        """
        await self._writes.run(partial(_block, member_id=member_id, blocked=blocked, now=self._clock()))
        self.on_change()

    async def unblock(self, member_id: str, blocked_id: str) -> None:
        """Delete a block; without effect for a member that is not blocked."""
        await self._writes.run(partial(_unblock, member_id=member_id, blocked_id=blocked_id))
        self.on_change()


def _find(connection: Connection, *, direct_key: str) -> str | None:
    return connection.execute(select(rooms.c.name).where(rooms.c.direct_key == direct_key)).scalar_one_or_none()


def _read_members(connection: Connection, *, key: str) -> DirectMembers | None:
    rows = connection.execute(
        select(memberships.c.member_id, memberships.c.nick_name, memberships.c.account)
        .join(rooms, rooms.c.id == memberships.c.room_id)
        .where(rooms.c.key == key, rooms.c.direct_key.is_not(None))
        .order_by(memberships.c.member_id)
    )
    members = {
        row.member_id: MemberRef(member_id=row.member_id, nick_name=row.nick_name, account=row.account) for row in rows
    }
    return DirectMembers(members, _read_blocks(connection, member_ids=members)) if members else None


def _read_blocks(connection: Connection, *, member_ids: Collection[str]) -> frozenset[tuple[str, str]]:
    found = connection.execute(
        select(blocks.c.member_id, blocks.c.blocked_id).where(
            blocks.c.member_id.in_(member_ids), blocks.c.blocked_id.in_(member_ids)
        )
    )
    return frozenset((row.member_id, row.blocked_id) for row in found)


def _list_blocked(connection: Connection, *, member_id: str) -> list[MemberRef]:
    found = connection.execute(
        select(blocks).where(blocks.c.member_id == member_id).order_by(blocks.c.created_at.desc(), blocks.c.blocked_id)
    )
    return [MemberRef(member_id=row.blocked_id, nick_name=row.nick_name, account=row.account) for row in found]


def _block(connection: Connection, *, member_id: str, blocked: MemberRef, now: int) -> None:
    record_change(connection, accounts.c.member_id == member_id)
    count = select(func.count()).where(blocks.c.member_id == member_id, blocks.c.blocked_id != blocked.member_id)
    if connection.execute(count).scalar_one() >= BLOCKS_PER_MEMBER:
        raise Conflict("too_many_blocks", limit=BLOCKS_PER_MEMBER)
    connection.execute(
        get_insert_construct(connection.dialect)(blocks)
        .values(
            member_id=member_id,
            blocked_id=blocked.member_id,
            nick_name=blocked.nick_name,
            account=blocked.account,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )


def _unblock(connection: Connection, *, member_id: str, blocked_id: str) -> None:
    record_change(connection, accounts.c.member_id == member_id)
    connection.execute(delete(blocks).where(blocks.c.member_id == member_id, blocks.c.blocked_id == blocked_id))
