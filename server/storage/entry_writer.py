"""SQL statements that write the entries of a batch: room positions, messages and search index rows.

- SQLite: one statement per table, executed per row.
- PostgreSQL: one statement for all three tables, with one array per column, because each statement costs a round trip.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    column,
    false,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.sql.dml import Insert
from sqlalchemy.types import TypeEngine

from server.storage.compiled_statement import CompiledStatement
from server.storage.search_index import SearchIndex, gin_table
from server.storage.tables import entries, rooms

POSITION_COLUMNS = ("last_seq", "last_n", "active_at", "policy_seq")
"""Columns of a changed row of `rooms`, in parameter order; the id of the room follows."""

MESSAGE_COLUMNS = (
    *("id", "room_id", "seq", "member_id", "nick_name", "account"),
    *("text", "ts", "client_id", "reply_to", "n", "is_bot"),
)
"""Columns of an inserted message in `entries`, in parameter order; the others have constant values.

An absent account or `client_id` is an empty string, an absent `reply_to` 0, and `is_bot` 0 or 1, because the driver of
SQLite needs ten times as long to bind None or a boolean.
"""

_TEXT_COLUMNS = ("member_id", "nick_name", "account", "text", "client_id")
_POSITION_PARAMETERS = (*(f"new_{name}" for name in POSITION_COLUMNS), "room")


class EntryWriter:
    """Writer of entries for one SQL dialect."""

    def __init__(self, dialect: Dialect, search_index: SearchIndex) -> None:
        self._search_index = search_index
        self._write_all: CompiledStatement | None = None
        if dialect.name != "sqlite":
            parameters = (*_POSITION_PARAMETERS, *MESSAGE_COLUMNS, "numbers")
            self._write_all = CompiledStatement(_build_combined_write(), dialect, parameters)
            return
        self._update_room = CompiledStatement(
            update(rooms)
            .values({name: bindparam(f"new_{name}") for name in POSITION_COLUMNS})
            .where(rooms.c.id == bindparam("room")),
            dialect,
            _POSITION_PARAMETERS,
        )
        values = _complete_message({name: bindparam(name, type_=_get_type(name)) for name in MESSAGE_COLUMNS})
        self._insert_message = CompiledStatement(insert(entries).values(values), dialect, MESSAGE_COLUMNS)

    def write(self, connection: Connection, positions: list[tuple[Any, ...]], messages: list[tuple[Any, ...]]) -> None:
        """Set the positions of rooms, insert messages, and add the messages to the search index.

        Args:
            connection: Connection with an open write transaction that has locked the rooms.
            positions: Rows with the values of `POSITION_COLUMNS` and the id of the room.
            messages: Rows with the values of `MESSAGE_COLUMNS`, possibly none.
        """
        texts = [(entry_id, room_id, text) for entry_id, room_id, _, _, _, _, text, *_ in messages]
        if self._write_all is None:
            self._update_room.execute_many(connection, positions)
            if messages:
                self._insert_message.execute_many(connection, messages)
            self._search_index.add(connection, texts)
            return
        numbers = [self._search_index.encode_array(room_id, text) for _, room_id, text in texts]
        position_columns = _transpose(positions, len(_POSITION_PARAMETERS))
        columns = (*position_columns, *_transpose(messages, len(MESSAGE_COLUMNS)), numbers)
        self._write_all.execute_many(connection, [columns])


def _build_combined_write() -> Insert:
    """Return the PostgreSQL statement that updates rooms, and inserts messages and their index rows.

    The parameters are arrays, one per column: those of the rooms have one length, those of the messages another.
    """
    positions = _unnest(_POSITION_PARAMETERS)
    set_positions = (
        update(rooms)
        .values({name: positions.c[f"new_{name}"] for name in POSITION_COLUMNS})
        .where(rooms.c.id == positions.c.room)
        .cte("positions")
    )
    messages = _unnest((*MESSAGE_COLUMNS, "numbers"))
    values = _complete_message({name: messages.c[name] for name in MESSAGE_COLUMNS})
    insert_messages = insert(entries).from_select(list(values), select(*values.values())).cte("messages")
    return (
        insert(gin_table)
        .from_select(["id", "numbers"], select(messages.c.id, cast(messages.c.numbers, ARRAY(Integer))))
        .add_cte(set_positions, insert_messages)
    )


def _unnest(names: Sequence[str]) -> TableValuedAlias:
    """Return the rows of array parameters as a table; `numbers` contains arrays in the text form of PostgreSQL."""
    arrays = [bindparam(name, type_=ARRAY(_get_type(name))) for name in names]
    return func.unnest(*arrays).table_valued(*(column(name, _get_type(name)) for name in names)).render_derived()


def _get_type(name: str) -> TypeEngine[Any]:
    """Return the SQL type of a parameter."""
    return Text() if name in (*_TEXT_COLUMNS, "numbers") else BigInteger()


def _complete_message(values: dict[str, ColumnElement[Any]]) -> dict[str, Any]:
    """Return the values of all columns of a message, from those of `MESSAGE_COLUMNS`."""
    return {
        **values,
        **{name: func.nullif(values[name], literal_column("''")) for name in ("account", "client_id")},
        "reply_to": func.nullif(values["reply_to"], literal_column("0")),
        "is_bot": values["is_bot"] != literal_column("0"),
        "kind": literal_column("'message'"),
        "deleted": false(),
    }


def _transpose(rows: Sequence[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    """Return the columns of rows; `width` empty columns without rows."""
    return list(zip(*rows, strict=True)) if rows else [()] * width
