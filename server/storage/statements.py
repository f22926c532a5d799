"""The statements that writing a batch needs, compiled once per database.

The order of a statement's parameters is checked against its compiled form when it is made.
"""

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    ClauseElement,
    ColumnElement,
    Dialect,
    String,
    Table,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from server.storage.prepared_statement import PreparedStatement
from server.storage.search_index import SearchIndex
from server.storage.tables import PUBLIC, REMOVED, counters, entries, reactions, rooms

ROOM_COLUMNS = ("key", "name", "topic", "visibility", "last_seq", "created_at", "active_at")
"""What a new row of `rooms` is given, in this order."""

ENTRY_COLUMNS = (
    "id",
    "room_id",
    "seq",
    "kind",
    "target",
    "member_id",
    "nick_name",
    "account",
    "text",
    "emoji",
    "is_on",
    "ts",
    "client_id",
    "reply_to",
    "deleted",
)
"""What a new row of `entries` is given, in this order."""

REACTION_COLUMNS = ("room_id", "target", "emoji", "member_id", "seq", "began")
"""What a new row of `reactions` is given, in this order."""

DUPLICATE_COLUMNS = (
    "client_id",
    "seq",
    "id",
    "nick_name",
    "member_id",
    "text",
    "ts",
    "account",
    "reply_to",
    "edited",
    "deleted",
)
"""What is read of a message whose clientId comes again, in this order."""


def upsert_insert(dialect: Dialect) -> Callable[[Table], sqlite.Insert | postgresql.Insert]:
    """The INSERT that has ON CONFLICT, which each database has to itself."""
    return sqlite.insert if dialect.name == "sqlite" else postgresql.insert


class BatchStatements:
    """All of them, for one kind of database.

    Attributes:
        rooms: `keys` → key, id, name, last_seq, active_at; the rows stay locked until the commit.
        taken: `room`, `client_ids` → the messages with these, as `TAKEN_COLUMNS`.
        said: `room`, `seqs` → seq, id, member_id, text, deleted of those that are messages.
        chosen: `room`, `seqs`, `members` → target, emoji, member_id of the reactions that stand there.
        open_room: Makes the row of a room, unless it is there.
        take_ids: `count` → the last of that many new entry ids.
        keep_place: Puts an emoji that has just been chosen where it stood already.
        blank_edits: Names the kind as a literal, because a partial index serves no parameter.
        search: The index of what was said.
    """

    def __init__(self, dialect: Dialect) -> None:
        insert = upsert_insert(dialect)

        self._is_sqlite = dialect.name == "sqlite"
        self.search_index = SearchIndex(dialect)

        def prepare(statement: ClauseElement, *parameters: str) -> PreparedStatement:
            return PreparedStatement(statement, dialect, parameters)

        in_room = entries.c.room_id == bindparam("room")
        removed: ColumnElement[str] = literal_column(f"'{REMOVED}'", String)
        public: ColumnElement[str] = literal_column(f"'{PUBLIC}'", String)
        self.select_rooms = prepare(
            select(rooms.c.key, rooms.c.id, rooms.c.name, rooms.c.last_seq, rooms.c.active_at)
            .where(self._in_array(rooms.c.key, "keys"))
            .order_by(rooms.c.key)
            .with_for_update(),
            "keys",
        )
        self.select_by_client_id = prepare(
            select(*(entries.c[name] for name in DUPLICATE_COLUMNS)).where(
                in_room, self._in_array(entries.c.client_id, "client_ids")
            ),
            *("room", "client_ids"),
        )
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
        self.create_room = prepare(
            insert(rooms).values({name: bindparam(name) for name in ROOM_COLUMNS}).on_conflict_do_nothing(),
            *ROOM_COLUMNS,
        )
        self.bump_seq = prepare(
            update(rooms)
            .values(
                topic=func.coalesce(bindparam("new_topic", type_=rooms.c.topic.type), rooms.c.topic),
                last_seq=rooms.c.last_seq + bindparam("count", type_=rooms.c.last_seq.type),
                active_at=bindparam("ts"),
                visibility=case((rooms.c.visibility == removed, public), else_=rooms.c.visibility),
            )
            .where(rooms.c.id == bindparam("room")),
            *("new_topic", "count", "ts", "room"),
        )
        self.allocate_ids = prepare(
            update(counters)
            .values(last=counters.c.last + bindparam("count", type_=counters.c.last.type))
            .where(counters.c.name == bindparam("counter"))
            .returning(counters.c.last),
            *("count", "counter"),
        )
        self.insert_entry = prepare(
            insert(entries).values({name: bindparam(name) for name in ENTRY_COLUMNS}), *ENTRY_COLUMNS
        )
        self.update_text = prepare(
            update(entries)
            .values(text=bindparam("new_text"), edited=bindparam("revision"))
            .where(in_room, entries.c.seq == bindparam("message")),
            *("new_text", "revision", "room", "message"),
        )
        self.redact = prepare(
            update(entries)
            .values(text=bindparam("nothing"), deleted=bindparam("gone"))
            .where(in_room, entries.c.seq == bindparam("message")),
            *("nothing", "gone", "room", "message"),
        )
        self.redact_edits = prepare(
            update(entries)
            .values(text=bindparam("nothing"))
            .where(in_room, entries.c.target == bindparam("message"), entries.c.kind == literal_column("'edit'")),
            *("nothing", "room", "message"),
        )
        self.delete_reactions = prepare(
            delete(reactions).where(
                reactions.c.room_id == bindparam("room"), reactions.c.target == bindparam("message")
            ),
            *("room", "message"),
        )
        self.insert_reaction = prepare(
            insert(reactions).values({name: bindparam(name) for name in REACTION_COLUMNS}).on_conflict_do_nothing(),
            *REACTION_COLUMNS,
        )
        sibling = reactions.alias("same")
        self.inherit_position = prepare(
            update(reactions)
            .values(
                began=select(func.min(sibling.c.began))
                .where(
                    sibling.c.room_id == reactions.c.room_id,
                    sibling.c.target == reactions.c.target,
                    sibling.c.emoji == reactions.c.emoji,
                )
                .scalar_subquery()
            )
            .where(
                reactions.c.room_id == bindparam("room"),
                reactions.c.target == bindparam("message"),
                reactions.c.emoji == bindparam("chosen"),
            ),
            *("room", "message", "chosen"),
        )
        self.delete_reaction = prepare(
            delete(reactions).where(
                reactions.c.room_id == bindparam("room"),
                reactions.c.target == bindparam("message"),
                reactions.c.emoji == bindparam("chosen"),
                reactions.c.member_id == bindparam("member"),
            ),
            *("room", "message", "chosen", "member"),
        )

    def array_param(self, values: Collection[Any]) -> Any:
        """Values as the one parameter that `keys`, `client_ids`, `seqs` and `members` are."""
        return msgspec.json.encode(list(values)).decode() if self._is_sqlite else list(values)

    def _in_array(self, column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
        if self._is_sqlite:
            return column.in_(select(func.json_each(bindparam(parameter)).table_valued("value").c.value))
        return column == any_(bindparam(parameter, type_=ARRAY(column.type)))
