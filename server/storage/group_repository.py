"""Private rooms as groups of the conversation dialect (docs/dialects.md, "conversation").

- Groups: each private room is a group for its members, with the id of the room.
- Conversations: the id of a group for one member, assigned at the first read.
- Messages: entries of the log in their current state, without deleted ones.
"""

from collections.abc import Collection
from functools import partial
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, Select, and_, case, delete, func, or_, select, update

from server.domain.uploads import build_path
from server.storage.executor import Executor, TransactionRunner
from server.storage.group_messages import MESSAGE_CONDITIONS, MessageRecord, list_messages, read_messages
from server.storage.group_tables import conversations, groups, pending_covers
from server.storage.statements import get_insert_construct
from server.storage.tables import entries, memberships, rooms, uploads
from tui_chat.protocol.events import MemberRef


class GroupRecord(Struct, frozen=True, kw_only=True):
    """Private room as one member sees it.

    Attributes:
        id: Id of the room.
        name: Address of the room.
        owner_id: Member id of the first owner; of the first member without an owner.
        invite_code: Reusable invite code, None without one.
        cover_path: Unsigned path of the cover, None without a pinned one.
        created_at: Time of the creation in milliseconds since the epoch.
        updated_at: Time of the entry with `rooms.policy_seq`, otherwise of the creation.
    """

    id: int
    name: str
    title: str
    topic: str
    owner_id: str
    role: str
    invite_code: str | None
    cover_path: str | None
    created_at: int
    updated_at: int


class GroupMember(Struct, frozen=True, kw_only=True):
    """Durable member of a group; `joined_at` is in milliseconds since the epoch."""

    ref: MemberRef
    joined_at: int


class ConversationRecord(Struct, frozen=True, kw_only=True):
    """Group of one member with its read marker.

    Attributes:
        last_read_id: Id of the newest stored entry up to the read marker, 0 without one.
        recent: Newest message, None without messages.
    """

    id: int
    group: GroupRecord
    unread: int
    last_read_id: int
    recent: MessageRecord | None


class GroupRepository:
    """Repository of groups and conversations; all methods raise `Unavailable` if the database fails.

    A method without a parameter `member_id` checks no membership.
    """

    def __init__(self, writer: Executor, readers: Executor) -> None:
        self._writes = TransactionRunner.for_writes(writer, "groups")
        self._reads = TransactionRunner.for_reads(readers, "groups")

    async def list_groups(self, member_id: str) -> list[GroupRecord]:
        """Return the groups of a member, latest activity first."""
        statement = _select_groups().where(memberships.c.member_id == member_id).order_by(*_LATEST_FIRST)
        rows = await self._reads.run(lambda connection: connection.execute(statement).all())
        return [_group_from_row(row) for row in rows]

    async def find(self, group_id: int, member_id: str) -> GroupRecord | None:
        """Return a group of a member; None for an unknown group, and for one without this member."""
        return await self._find_group(rooms.c.id == group_id, member_id)

    async def find_by_name(self, name: str, member_id: str) -> GroupRecord | None:
        """Return the group with an address, as `find`."""
        return await self._find_group(rooms.c.name == name, member_id)

    async def find_room_ids(self, names: Collection[str]) -> dict[str, int]:
        """Return the ids of private rooms by address; unknown addresses are absent."""
        statement = select(rooms.c.name, rooms.c.id).where(rooms.c.name.in_(names), _IS_GROUP)
        rows = await self._reads.run(lambda connection: connection.execute(statement).all())
        return {row.name: row.id for row in rows}

    async def find_name_by_code(self, invite_code: str) -> str | None:
        """Return the address of the group with a reusable invite code, None for an unknown code."""
        if "\0" in invite_code:  # invalid in PostgreSQL
            return None
        statement = (
            select(rooms.c.name)
            .join(groups, groups.c.room_id == rooms.c.id)
            .where(groups.c.invite_code == invite_code, _IS_GROUP)
        )
        return await self._reads.run(lambda connection: connection.execute(statement).scalar_one_or_none())

    async def list_members(self, group_id: int) -> list[GroupMember]:
        """Return the durable members of a group in order of their joins, empty for an unknown group."""
        statement = (
            select(memberships)
            .where(memberships.c.room_id == group_id)
            .order_by(memberships.c.joined_at, memberships.c.member_id)
        )
        rows = await self._reads.run(lambda connection: connection.execute(statement).all())
        return [
            GroupMember(
                ref=MemberRef(member_id=row.member_id, nick_name=row.nick_name, account=row.account),
                joined_at=row.joined_at,
            )
            for row in rows
        ]

    async def list_covers(self, member_id: str) -> dict[str, str]:
        """Return the unsigned paths, by upload id, of the pinned covers that a member may use for a group.

        These are the pending cover of the member, and the covers of the groups that the member owns.
        """
        return await self._reads.run(partial(_list_covers, member_id=member_id))

    async def replace_pending_cover(self, member_id: str, upload_id: str) -> None:
        """Store the cover for the next group of a member, and unpin the upload of another former pending cover."""
        await self._writes.run(partial(_replace_pending_cover, member_id=member_id, upload_id=upload_id))

    async def set_cover(self, group_id: int, upload_id: str) -> None:
        """Store the cover of a group, and delete it from the pending covers; the former cover stays pinned."""
        await self._writes.run(partial(_set_cover, group_id=group_id, upload_id=upload_id))

    async def ensure_code(self, group_id: int, new_code: str) -> str:
        """Return the reusable invite code of a group, after storing `new_code` if the group has none."""
        return await self._writes.run(partial(_ensure_code, room_id=group_id, new_code=new_code))

    async def replace_code(self, group_id: int, new_code: str) -> None:
        """Replace the reusable invite code of a group; the former one is invalid at once."""
        await self._writes.run(partial(_put_group, room_id=group_id, values={"invite_code": new_code}))

    async def list_conversations(self, member_id: str) -> list[ConversationRecord]:
        """Return the conversations of a member, latest activity first.

        A write assigns an id to each group of the member without a conversation.
        """
        records, missing_ids = await self._reads.run(partial(_list_conversations, member_id=member_id))
        if missing_ids:
            await self._writes.run(partial(_add_conversations, member_id=member_id, room_ids=missing_ids))
            records, _ = await self._reads.run(partial(_list_conversations, member_id=member_id))
        return records

    async def find_conversation(self, conversation_id: int, member_id: str) -> ConversationRecord | None:
        """Return a conversation of a member; None for an unknown id, and after the end of the membership."""
        records, _ = await self._reads.run(
            partial(_list_conversations, member_id=member_id, conversation_id=conversation_id)
        )
        return records[0] if records else None

    async def list_messages(self, group_id: int, before_id: int | None, limit: int) -> list[MessageRecord]:
        """Return the newest messages of any room (`server.storage.group_messages.list_messages`)."""
        return await self._reads.run(partial(list_messages, group_id=group_id, before_id=before_id, limit=limit))

    async def find_seq(self, group_id: int, entry_id: int) -> int | None:
        """Return the `seq` of an entry of any kind of a group, None for an unknown entry or one of another room."""
        statement = select(entries.c.seq).where(entries.c.id == entry_id, entries.c.room_id == group_id)
        return await self._reads.run(lambda connection: connection.execute(statement).scalar_one_or_none())

    async def _find_group(self, condition: Any, member_id: str) -> GroupRecord | None:
        statement = _select_groups().where(condition, memberships.c.member_id == member_id)
        row = await self._reads.run(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else _group_from_row(row)


_IS_GROUP = rooms.c.visibility == "private"
_LATEST_FIRST = (rooms.c.active_at.desc(), rooms.c.id.desc())


def _select_groups(*columns: Any) -> Select[Any]:
    """Return a statement with the columns of `GroupRecord`, joined to the memberships of any member."""
    owners, changes, covers = memberships.alias("owners"), entries.alias("changes"), uploads.alias("covers")
    owner_id = (
        select(owners.c.member_id)
        .where(owners.c.room_id == rooms.c.id)
        .order_by(case((owners.c.role == "owner", 0), else_=1), owners.c.joined_at, owners.c.member_id)
        .limit(1)
        .correlate(rooms)
        .scalar_subquery()
    )
    return (
        select(owner_id.label("owner_id"))
        .add_columns(
            *(rooms.c[name] for name in ("id", "name", "title", "topic", "created_at")),
            groups.c.invite_code,
            *(covers.c[name].label(f"cover_{name}") for name in ("id", "name")),
            memberships.c.role,
            func.coalesce(changes.c.ts, rooms.c.created_at).label("updated_at"),
            *columns,
        )
        .select_from(memberships)
        .join(rooms, rooms.c.id == memberships.c.room_id)
        .outerjoin(groups, groups.c.room_id == rooms.c.id)
        .outerjoin(covers, and_(covers.c.id == groups.c.cover_id, covers.c.is_pinned))
        .outerjoin(changes, and_(changes.c.room_id == rooms.c.id, changes.c.seq == rooms.c.policy_seq))
        .where(_IS_GROUP)
    )


def _group_from_row(row: Row[Any]) -> GroupRecord:
    names = set(GroupRecord.__struct_fields__) - {"cover_path"}
    cover_path = None if row.cover_id is None else build_path(row.cover_id, row.cover_name)
    return GroupRecord(cover_path=cover_path, **{name: getattr(row, name) for name in names})


def _list_covers(connection: Connection, *, member_id: str) -> dict[str, str]:
    pending = select(pending_covers.c.upload_id).where(pending_covers.c.member_id == member_id)
    owned = (
        select(groups.c.cover_id)
        .join(memberships, memberships.c.room_id == groups.c.room_id)
        .where(memberships.c.member_id == member_id, memberships.c.role == "owner", groups.c.cover_id.is_not(None))
    )
    statement = select(uploads.c.id, uploads.c.name).where(
        or_(uploads.c.id.in_(pending), uploads.c.id.in_(owned)), uploads.c.is_pinned
    )
    return {upload_id: build_path(upload_id, name) for upload_id, name in connection.execute(statement)}


def _replace_pending_cover(connection: Connection, *, member_id: str, upload_id: str) -> None:
    of_member = pending_covers.c.member_id == member_id
    former = select(pending_covers.c.upload_id).where(of_member)
    unpinned = update(uploads).where(uploads.c.id.in_(former), uploads.c.id != upload_id)
    connection.execute(unpinned.values(is_pinned=False))
    connection.execute(delete(pending_covers).where(of_member))
    connection.execute(pending_covers.insert().values(member_id=member_id, upload_id=upload_id))


def _set_cover(connection: Connection, *, group_id: int, upload_id: str) -> None:
    _put_group(connection, room_id=group_id, values={"cover_id": upload_id})
    connection.execute(delete(pending_covers).where(pending_covers.c.upload_id == upload_id))


def _put_group(connection: Connection, *, room_id: int, values: dict[str, Any]) -> None:
    connection.execute(
        get_insert_construct(connection.dialect)(groups)
        .values(room_id=room_id, **values)
        .on_conflict_do_update(index_elements=[groups.c.room_id], set_=values)
    )


def _ensure_code(connection: Connection, *, room_id: int, new_code: str) -> str:
    statement = (
        get_insert_construct(connection.dialect)(groups)
        .values(room_id=room_id, invite_code=new_code)
        .on_conflict_do_update(
            index_elements=[groups.c.room_id], set_={"invite_code": func.coalesce(groups.c.invite_code, new_code)}
        )
        .returning(groups.c.invite_code)
    )
    return connection.execute(statement).scalar_one()


def _add_conversations(connection: Connection, *, member_id: str, room_ids: Collection[int]) -> None:
    connection.execute(
        get_insert_construct(connection.dialect)(conversations).on_conflict_do_nothing(),
        [{"member_id": member_id, "room_id": room_id} for room_id in room_ids],
    )


def _list_conversations(
    connection: Connection, *, member_id: str, conversation_id: int | None = None
) -> tuple[list[ConversationRecord], list[int]]:
    """Return the stored conversations of a member, latest activity first, and the ids of its groups without one.

    With a `conversation_id`, only this conversation is returned, if the member has it, and no ids.
    """
    newest = (
        select(entries.c.id)
        .where(entries.c.room_id == rooms.c.id)
        .order_by(entries.c.seq.desc())
        .limit(1)
        .correlate(rooms, memberships)
    )
    statement = (
        _select_groups(
            conversations.c.id.label("conversation_id"),
            (rooms.c.last_n - memberships.c.read_n).label("unread"),
            newest.where(entries.c.seq <= memberships.c.read_seq).scalar_subquery().label("last_read_id"),
            newest.where(*MESSAGE_CONDITIONS).scalar_subquery().label("recent_id"),
        )
        .outerjoin(
            conversations,
            and_(conversations.c.room_id == rooms.c.id, conversations.c.member_id == memberships.c.member_id),
        )
        .where(memberships.c.member_id == member_id)
        .order_by(*_LATEST_FIRST)
    )
    if conversation_id is not None:
        statement = statement.where(conversations.c.id == conversation_id)
    rows = connection.execute(statement).all()
    messages = read_messages(connection, [row.recent_id for row in rows if row.recent_id is not None])
    records = [
        ConversationRecord(
            id=row.conversation_id,
            group=_group_from_row(row),
            unread=row.unread,
            last_read_id=row.last_read_id or 0,
            recent=messages.get(row.recent_id),
        )
        for row in rows
        if row.conversation_id is not None
    ]
    return records, [row.id for row in rows if row.conversation_id is None]
