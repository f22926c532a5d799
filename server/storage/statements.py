"""Statements of the batch writer, compiled once per database."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    column,
    delete,
    false,
    func,
    literal_column,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from server.storage.compiled_statement import CompiledStatement
from server.storage.entry_writer import EntryWriter
from server.storage.search_index import SearchIndex
from server.storage.tables import (
    ENTRY_COUNTER,
    PUBLIC,
    REMOVED,
    attachments,
    counters,
    entries,
    entry_ids,
    memberships,
    mentions,
    noop_changes,
    reaction_counts,
    reactions,
    rooms,
    uploads,
)

CHANGE_COLUMNS = (
    *("id", "room_id", "seq", "kind", "target", "member_id", "nick_name", "account"),
    *("text", "emoji", "is_on", "ts", "client_id", "n"),
)
"""Columns of an inserted row of `entries` other than a message, in parameter order; the others have constant values."""

NEW_ROOM_COLUMNS = (
    "key",
    "name",
    "topic",
    "topic_key",
    "visibility",
    "log_id",
    "first_seq",
    "last_seq",
    "last_n",
    "created_at",
    "active_at",
)
"""Columns of an inserted row of `rooms`, in parameter order; the others have their defaults."""

_MAX_ROOMS = 20  # rooms that a batch locks for other nodes

_BATCH_ROOM_COLUMNS = ("key", "name", "id", "last_seq", "last_n", "active_at", "policy_seq", "visibility")

_requested = (
    func.unnest(bindparam("room_ids", type_=ARRAY(BigInteger)), bindparam("client_ids", type_=ARRAY(Text)))
    .table_valued(column("room_id", BigInteger), column("client_id", Text))
    .render_derived()
)
_select_repeated = union_all(
    *(
        select(table.c.room_id).join(
            _requested, and_(table.c.room_id == _requested.c.room_id, table.c.client_id == _requested.c.client_id)
        )
        for table in (entries, noop_changes)
    )
)


def _series(count: BindParameter[int]) -> FromClause:
    """Return a table of `count` rows."""
    return func.generate_series(literal_column("1"), count).alias()


def _add_entry_ids(locked: CTE, count: BindParameter[int]) -> Select[Any]:
    """Return the rows of a query that locks rooms, with an array of `count` entry ids in the last column.

    The condition makes PostgreSQL lock all rows before it draws the first id, so that the ids of a room increase.
    """
    locked_count = select(func.count()).select_from(locked).scalar_subquery()
    ids = (
        select(func.array_agg(entry_ids.next_value()))
        .select_from(_series(count))
        .where(locked_count > literal_column("0"))
    )
    return select(locked, ids.scalar_subquery())


move_marker = (
    update(memberships)
    .values(read_seq=bindparam("new_seq"), read_n=bindparam("new_n"))
    .where(
        memberships.c.room_id == bindparam("room"),
        memberships.c.member_id == bindparam("member"),
        memberships.c.read_seq < bindparam("bound"),
    )
)
"""Move of the read marker of a durable member if its `seq` is below `bound`."""


def get_insert_construct(dialect: Dialect) -> Callable[[Table], sqlite.Insert | postgresql.Insert]:
    """Return the INSERT construct of a dialect with support for ON CONFLICT.

    SQLite has its own construct; any other dialect yields the construct of PostgreSQL.
    """
    return sqlite.insert if dialect.name == "sqlite" else postgresql.insert


class BatchStatements:
    """Compiled statements for one dialect.

    Each description of a statement lists the parameters, then the columns of the result. A statement `insert_…` without
    a description takes the columns of its table in order.

    Attributes:
        max_rooms: Maximum number of rooms per batch, None for no limit.
        search_index: Writer of the search index.
        entry_writer: Writer of positions and messages.
        select_by_client_id: `room`, `client_ids` → all columns of matching entries.
        select_noop_changes: `room`, `client_ids` → client_id, member_id, revision of matching changes without effect.
        select_targets: `room`, `seqs` → seq, id, member_id, text, deleted of matching messages.
        select_reactions: `room`, `seqs`, `members` → target, emoji, member_id.
        select_reaction_counts: `room`, `seqs` → target, emoji, count.
        create_room: Values of `NEW_ROOM_COLUMNS`; no effect if the key exists.
        set_topic: `new_topic`, `new_topic_key`, `room`.
        restore_room: `room`; makes a removed room public.
        insert_change: Values of `CHANGE_COLUMNS`.
        update_text: `new_text`, `revision`, `room`, `message`.
        erase_message: Four statements with `room`, `message`; mark a message as deleted, and erase its text and files,
            the texts of its edits, its reactions and their counts.
        select_members: `room`, `members` → member_id of durable members.
        delete_mentions: `room`, `message`.
        move_marker: `new_seq`, `new_n`, `room`, `member`, `bound`.
        select_uploads: `uploads` → all columns; locks the rows until the commit.
        set_attachments: `new_attachments`, `room`, `message`.
        claim_upload: `new_room`, `upload`; sets the room of an upload.
        delete_attachments: `room`, `message`.
        count_reaction: Columns of `reaction_counts`, then `new_count`, which replaces the count of an existing row.
        delete_reaction: Primary key of `reactions`.
        delete_reaction_count: Primary key of `reaction_counts`.
    """

    def __init__(self, dialect: Dialect) -> None:
        insert = get_insert_construct(dialect)

        self._is_sqlite = dialect.name == "sqlite"
        self.max_rooms = None if self._is_sqlite else _MAX_ROOMS
        self.search_index = SearchIndex(dialect)
        self.entry_writer = EntryWriter(dialect, self.search_index)

        def prepare(statement: ClauseElement, *parameters: str) -> CompiledStatement:
            return CompiledStatement(statement, dialect, parameters)

        def bind_all(names: Sequence[str]) -> dict[str, BindParameter[Any]]:
            return {name: bindparam(name) for name in names}

        in_room = entries.c.room_id == bindparam("room")
        count = bindparam("count", type_=BigInteger())
        locked = (
            select(*(rooms.c[name] for name in _BATCH_ROOM_COLUMNS))
            .where(self._in_array(rooms.c.key, "keys"))
            .order_by(rooms.c.key)
        )
        self._lock_rooms = (
            prepare(locked, "keys")
            if self._is_sqlite
            else prepare(_add_entry_ids(locked.with_for_update().cte("locked"), count), "count", "keys")
        )
        self.select_by_client_id = prepare(
            select(*entries.columns).where(in_room, self._in_array(entries.c.client_id, "client_ids")),
            *("room", "client_ids"),
        )
        self.select_noop_changes = prepare(
            select(noop_changes.c.client_id, noop_changes.c.member_id, noop_changes.c.revision).where(
                noop_changes.c.room_id == bindparam("room"), self._in_array(noop_changes.c.client_id, "client_ids")
            ),
            *("room", "client_ids"),
        )
        if not self._is_sqlite:
            self._select_repeated = prepare(_select_repeated, "room_ids", "client_ids")
        self.insert_noop_change = prepare(insert(noop_changes), *noop_changes.columns.keys())
        self.select_targets = prepare(
            select(entries.c.seq, entries.c.id, entries.c.member_id, entries.c.text, entries.c.deleted).where(
                in_room, self._in_array(entries.c.seq, "seqs"), entries.c.kind == literal_column("'message'")
            ),
            *("room", "seqs"),
        )
        self.select_reactions = prepare(
            select(reactions.c.target, reactions.c.emoji, reactions.c.member_id).where(
                reactions.c.room_id == bindparam("room"),
                self._in_array(reactions.c.target, "seqs"),
                self._in_array(reactions.c.member_id, "members"),
            ),
            *("room", "seqs", "members"),
        )
        self.select_reaction_counts = prepare(
            select(reaction_counts.c.target, reaction_counts.c.emoji, reaction_counts.c.count).where(
                reaction_counts.c.room_id == bindparam("room"), self._in_array(reaction_counts.c.target, "seqs")
            ),
            *("room", "seqs"),
        )
        self.create_room = prepare(
            insert(rooms).values(**bind_all(NEW_ROOM_COLUMNS)).on_conflict_do_nothing(),
            *NEW_ROOM_COLUMNS,
        )
        is_room = rooms.c.id == bindparam("room")
        self.set_topic = prepare(
            update(rooms).values(topic=bindparam("new_topic"), topic_key=bindparam("new_topic_key")).where(is_room),
            *("new_topic", "new_topic_key", "room"),
        )
        self.restore_room = prepare(
            update(rooms)
            .values(visibility=literal_column(f"'{PUBLIC}'"))
            .where(is_room, rooms.c.visibility == literal_column(f"'{REMOVED}'")),
            "room",
        )
        self._allocate_ids = prepare(
            update(counters)
            .values(last=counters.c.last + count)
            .where(counters.c.name == literal_column(f"'{ENTRY_COUNTER}'"))
            .returning(counters.c.last)
            if self._is_sqlite
            else select(entry_ids.next_value()).select_from(_series(count)),
            "count",
        )
        self.insert_change = prepare(
            insert(entries).values(**bind_all(CHANGE_COLUMNS), deleted=false()), *CHANGE_COLUMNS
        )
        self.update_text = prepare(
            update(entries)
            .values(text=bindparam("new_text"), edited=bindparam("revision"))
            .where(in_room, entries.c.seq == bindparam("message")),
            *("new_text", "revision", "room", "message"),
        )
        empty_text = literal_column("''", Text())
        is_edit = entries.c.kind == literal_column("'edit'")  # a literal, as required by the partial index
        self.erase_message = [
            prepare(statement, "room", "message")
            for statement in (
                update(entries)
                .values(text=empty_text, deleted=true(), attachments=null())
                .where(in_room, entries.c.seq == bindparam("message")),
                update(entries)
                .values(text=empty_text)
                .where(in_room, entries.c.target == bindparam("message"), is_edit),
                *(
                    delete(table).where(table.c.room_id == bindparam("room"), table.c.target == bindparam("message"))
                    for table in (reactions, reaction_counts)
                ),
            )
        ]
        self.select_members = prepare(
            select(memberships.c.member_id).where(
                memberships.c.room_id == bindparam("room"), self._in_array(memberships.c.member_id, "members")
            ),
            *("room", "members"),
        )
        self.insert_mention = prepare(insert(mentions), *mentions.columns.keys())
        self.delete_mentions = prepare(
            delete(mentions).where(mentions.c.room_id == bindparam("room"), mentions.c.seq == bindparam("message")),
            *("room", "message"),
        )
        self.move_marker = prepare(move_marker, *("new_seq", "new_n", "room", "member", "bound"))
        self.select_uploads = prepare(
            select(*uploads.columns)
            .where(self._in_array(uploads.c.id, "uploads"))
            .order_by(uploads.c.id)
            .with_for_update(),
            "uploads",
        )
        self.set_attachments = prepare(
            update(entries)
            .values(attachments=bindparam("new_attachments"))
            .where(in_room, entries.c.seq == bindparam("message")),
            *("new_attachments", "room", "message"),
        )
        self.insert_attachment = prepare(insert(attachments), *attachments.columns.keys())
        self.claim_upload = prepare(
            update(uploads).values(room_id=bindparam("new_room")).where(uploads.c.id == bindparam("upload")),
            *("new_room", "upload"),
        )
        self.delete_attachments = prepare(
            delete(attachments).where(
                attachments.c.room_id == bindparam("room"), attachments.c.seq == bindparam("message")
            ),
            *("room", "message"),
        )
        self.insert_reaction = prepare(insert(reactions), *reactions.columns.keys())
        self.count_reaction = prepare(
            insert(reaction_counts).on_conflict_do_update(
                index_elements=list(reaction_counts.primary_key), set_={"count": bindparam("new_count")}
            ),
            *(*reaction_counts.columns.keys(), "new_count"),
        )
        self.delete_reaction, self.delete_reaction_count = [
            prepare(
                delete(table).where(*(column == bindparam(f"by_{column.name}") for column in table.primary_key)),
                *(f"by_{column.name}" for column in table.primary_key),
            )
            for table in (reactions, reaction_counts)
        ]

    def lock_rooms(
        self, connection: Connection, keys: Collection[str], count: int
    ) -> tuple[list[tuple[Any, ...]], Iterator[int] | None]:
        """Lock the existing rooms among the given keys until the commit.

        Args:
            count: Number of entry ids to reserve in the same round trip; 0 for none.

        Returns:
            Rows of key, name, id, last_seq, last_n, active_at, policy_seq and visibility, and the reserved ids in
            ascending order. The ids are None on SQLite, where `allocate_ids` needs no round trip, for `count` 0, and if
            no room exists.
        """
        if self._is_sqlite:
            return self._lock_rooms.execute(connection, self.array_param(keys)), None
        rows = [tuple(row) for row in self._lock_rooms.execute(connection, count, self.array_param(keys))]
        ids = rows[0][-1] if rows else None
        return [row[:-1] for row in rows], None if ids is None else iter(sorted(ids))

    def allocate_ids(self, connection: Connection, count: int) -> Iterator[int]:
        """Reserve `count` values of `entries.id`, and return them in ascending order.

        SQLite has one writer and uses a counter. PostgreSQL uses a sequence, because the row of a counter would
        serialize the transactions of all nodes; numbers of other nodes may lie between the values.
        """
        rows = self._allocate_ids.execute(connection, count)
        if self._is_sqlite:
            return iter(range(rows[0][0] - count + 1, rows[0][0] + 1))
        return iter(sorted(entry_id for (entry_id,) in rows))

    def select_repeated_rooms(self, connection: Connection, room_ids: list[int], client_ids: list[str]) -> set[int]:
        """Return the rooms that may contain one of the clientIds.

        One round trip of PostgreSQL examines all rooms. SQLite returns all rooms, because its queries need none.

        Args:
            connection: Connection with an open write transaction that has locked the rooms.
            room_ids: Room of each clientId.
            client_ids: ClientIds as 32 hexadecimal digits, in the order of `room_ids`.
        """
        if self._is_sqlite or not room_ids:
            return set(room_ids)
        return {room_id for (room_id,) in self._select_repeated.execute(connection, room_ids, client_ids)}

    def array_param(self, values: Collection[Any]) -> Any:
        """Return values in the form of the array parameters `keys`, `client_ids`, `seqs`, `members` and `uploads`.

        SQLite uses a JSON array as text, PostgreSQL a list.
        """
        return msgspec.json.encode(list(values)).decode() if self._is_sqlite else list(values)

    def _in_array(self, column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        """Return the condition that an array parameter (`array_param`) contains the value of a column."""
        if self._is_sqlite:
            return column.in_(select(func.json_each(bindparam(parameter)).table_valued("value").c.value))
        return column == any_(bindparam(parameter, type_=ARRAY(column.type)))
