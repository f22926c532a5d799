"""Present members of all nodes, and claims of their nicknames.

- Uniqueness: `write` keeps the nickname keys of the members of a room distinct.
- Locks: `write` and `rename_room` hold the advisory locks of their rooms, taken in ascending order, until the commit.
- Isolation: the transactions require READ COMMITTED, so that they read the rows of earlier holders of the locks.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct, json, structs
from sqlalchemy import BigInteger, Connection, Text, delete, distinct, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from server.storage.executor import MAX_KEYS_PER_QUERY, Executor, TransactionRunner
from server.storage.node_tables import CLOCK, empty_logs, nodes, present_members
from server.storage.tables import rooms
from tui_chat.protocol.events import Member

_EMPTY_LOG_MS = 3_600_000  # minimum lifetime of the log id of a room without members

_DIGEST = literal_column(
    "sum(('x' || substr(md5(node_id || ' ' || member), 1, 15))::bit(60)::bigint)::text", Text()
)  # as `digest_members`


class PresentMember(Struct, frozen=True):
    """Member with connections to a node.

    Attributes:
        member: Member, with `confusable` unset.
        node_id: Node of the connections.
    """

    member: Member
    node_id: str


class MemberWrite(Struct, frozen=True):
    """Change of one member of a room.

    Attributes:
        nick_key: Canonical key of the nickname; empty without `member`.
        member: JSON text of the member (`encode_member`), None to remove the row of this node.
        is_connected: The member has connections to this node; otherwise, existing rows change and none is inserted.
    """

    room_key: str
    member_id: str
    nick_key: str
    member: str | None
    is_connected: bool


class PresenceRepository:
    """Repository of present members; all methods raise `Unavailable` if the database fails.

    Args:
        executor: Executor of READ COMMITTED transactions on PostgreSQL.
        node_id: Identifier of this node.
    """

    def __init__(self, executor: Executor, node_id: str) -> None:
        self._runner = TransactionRunner.for_writes(executor, "presence")
        self._node_id = node_id

    async def write(self, writes: Sequence[MemberWrite]) -> list[PresentMember | None]:
        """Write changes in their order, in one transaction.

        A change whose nickname belongs to another member of the room is not written; the others are. A written member
        also replaces the member in the rows of other nodes; a removal concerns the row of this node only.

        Returns:
            For each change, the other member that has the nickname, or None if the change was written.
        """
        return await self._runner.run(lambda connection: self._write_all(connection, writes))

    async def read_members(self, room_key: str) -> list[PresentMember]:
        """Return the members of a room on all nodes; a member with connections to two nodes occurs twice."""
        statement = select(present_members.c.member, present_members.c.node_id).where(
            present_members.c.room_key == room_key
        )
        rows = await self._runner.run(lambda connection: connection.execute(statement).all())
        return [_from_row(member, node_id) for member, node_id in rows]

    async def read_digests(self, room_keys: Collection[str]) -> dict[str, int]:
        """Return the digests of the members of rooms (`digest_members`). Rooms without members are omitted."""
        keys, digests = list(room_keys), dict[str, int]()
        for start in range(0, len(keys), MAX_KEYS_PER_QUERY):
            statement = (
                select(present_members.c.room_key, _DIGEST)
                .where(present_members.c.room_key.in_(keys[start : start + MAX_KEYS_PER_QUERY]))
                .group_by(present_members.c.room_key)
            )
            rows = await self._runner.run(lambda connection, read=statement: connection.execute(read).all())
            digests |= {key: int(digest) for key, digest in rows}
        return digests

    async def list_node_rooms(self) -> list[str]:
        """Return the canonical keys of all rooms with members of this node."""
        statement = select(present_members.c.room_key).where(present_members.c.node_id == self._node_id).distinct()
        return await self._runner.run(lambda connection: list(connection.execute(statement).scalars()))

    async def count_members(self) -> dict[str, int]:
        """Return the number of members of each room with members on any node, by canonical key."""
        members = func.count(distinct(present_members.c.member_id)).label("members")
        statement = select(present_members.c.room_key, members).group_by(present_members.c.room_key)
        rows = await self._runner.run(lambda connection: connection.execute(statement).all())
        return {row.room_key: row.members for row in rows}

    async def rename_room(self, old_key: str, new_key: str) -> None:
        """Move the members of a room to its new key; without effect after the call of another node.

        A member of a node with a row under the new key keeps this row, and its row under the old key is deleted.
        """

        def move(connection: Connection) -> None:
            _lock_rooms(connection, (old_key, new_key))
            moved = present_members.alias()
            is_moved = select(moved.c.member_id).where(
                moved.c.room_key == new_key,
                moved.c.member_id == present_members.c.member_id,
                moved.c.node_id == present_members.c.node_id,
            )
            is_old = present_members.c.room_key == old_key
            connection.execute(update(present_members).where(is_old, ~is_moved.exists()).values(room_key=new_key))
            connection.execute(delete(present_members).where(is_old))

        await self._runner.run(move)

    async def remove_node(self) -> None:
        """Remove all members of this node."""
        statement = delete(present_members).where(present_members.c.node_id == self._node_id)
        await self._runner.run(lambda connection: connection.execute(statement))

    async def remove_unregistered(self) -> list[str]:
        """Remove the members of nodes that are not registered, and return the ids of these nodes in ascending order.

        The log ids of `share_log_id` of rooms without members are removed too, if they are older than an hour.
        """
        return await self._runner.run(_remove_unregistered)

    async def share_log_id(self, room_key: str, log_id: str) -> str:
        """Return the log id of a room without entries, the same on all nodes; `log_id` for a stored room.

        The first call for a room stores `log_id`. An id that a stored room has, after its rename, is replaced.
        """

        def share(connection: Connection) -> str:
            if connection.execute(select(rooms.c.id).where(rooms.c.key == room_key)).first() is not None:
                return log_id
            is_room = empty_logs.c.room_key == room_key
            is_renamed = select(rooms.c.id).where(rooms.c.log_id == empty_logs.c.log_id).exists()
            connection.execute(delete(empty_logs).where(is_room, is_renamed))
            row = {"room_key": room_key, "log_id": log_id, "created_at": CLOCK}
            connection.execute(insert(empty_logs).values(row).on_conflict_do_nothing())
            return connection.execute(select(empty_logs.c.log_id).where(is_room)).scalar_one()

        return await self._runner.run(share)

    def _write_all(self, connection: Connection, writes: Sequence[MemberWrite]) -> list[PresentMember | None]:
        _lock_rooms(connection, {write.room_key for write in writes})
        return [self._write(connection, write) for write in writes]

    def _write(self, connection: Connection, write: MemberWrite) -> PresentMember | None:
        """Write one change, or return the other member that has the nickname on any node."""
        in_room = present_members.c.room_key == write.room_key
        is_member = present_members.c.member_id == write.member_id
        if write.member is None:
            on_node = present_members.c.node_id == self._node_id
            connection.execute(delete(present_members).where(in_room, is_member, on_node))
            return None
        has_nick = present_members.c.nick_key == write.nick_key
        holder = connection.execute(
            select(present_members.c.member, present_members.c.node_id).where(in_room, has_nick, ~is_member).limit(1)
        ).one_or_none()
        if holder is not None:
            return _from_row(*holder)
        values = {"nick_key": write.nick_key, "member": write.member}
        connection.execute(update(present_members).where(in_room, is_member).values(values))
        if write.is_connected:
            row = {"room_key": write.room_key, "member_id": write.member_id, "node_id": self._node_id, **values}
            connection.execute(insert(present_members).values(row).on_conflict_do_nothing())
        return None


def _remove_unregistered(connection: Connection) -> list[str]:
    is_registered = select(nodes.c.id).where(nodes.c.id == present_members.c.node_id).exists()
    statement = delete(present_members).where(~is_registered).returning(present_members.c.node_id)
    departed = sorted(set(connection.execute(statement).scalars()))
    has_members = select(present_members.c.node_id).where(present_members.c.room_key == empty_logs.c.room_key).exists()
    is_old = empty_logs.c.created_at < CLOCK - _EMPTY_LOG_MS
    connection.execute(delete(empty_logs).where(is_old, ~has_members))
    return departed


def encode_member(member: Member) -> str:
    """Return the JSON text of a member, without `confusable`, which depends on the other members of a node."""
    return json.encode(structs.replace(member, confusable=False)).decode()


def digest_members(rows: Iterable[tuple[str, str]]) -> int:
    """Return the digest of a set of rows, each a node id and the JSON text of a member."""
    return sum(
        int(hashlib.md5(f"{node_id} {member}".encode(), usedforsecurity=False).hexdigest()[:15], 16)
        for node_id, member in rows
    )


def _from_row(member: str, node_id: str) -> PresentMember:
    return PresentMember(json.decode(member, type=Member), node_id)


def _lock_rooms(connection: Connection, room_keys: Collection[str]) -> None:
    """Acquire the advisory locks of rooms until the end of the transaction, in the order of the lock numbers."""
    hashes = {hashlib.blake2b(key.encode(), digest_size=8, person=b"presence").digest() for key in room_keys}
    for lock_id in sorted(int.from_bytes(digest, signed=True) for digest in hashes):
        connection.execute(select(func.pg_advisory_xact_lock(literal_column(str(lock_id), BigInteger()))))
