"""Full-text index of messages, updated in the transaction of each entry.

- Content: an existing message has one index row with the term hashes of its current text
  (`tui_chat.protocol.search_query`) and the token of its room. A deleted message has no row.
- SQLite: FTS5 requires the complete old content to remove a row, so edits and deletions pass the previous text.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Connection,
    Dialect,
    Integer,
    Text,
    bindparam,
    column,
    delete,
    insert,
    literal_column,
    table,
)

from server.storage.compiled_statement import CompiledStatement
from tui_chat.protocol.search_query import hash_terms

CREATE_STATEMENTS = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search USING fts5(numbers, content='', columnsize=0, detail='none', tokenize='ascii')",
    ),
    "postgresql": (
        "CREATE TABLE search (id BIGINT PRIMARY KEY, numbers INTEGER[] NOT NULL)",
        "CREATE INDEX search_by_number ON search USING gin (numbers)",
    ),
}
"""DDL of the index by dialect."""

fts_table = table("search", column("rowid", Integer), column("numbers", Text), column("search", Text))
gin_table = table("search", column("id", Integer), column("numbers", ARRAY(Integer)))


class SearchIndex:
    """Writer of the index for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._is_sqlite = dialect.name == "sqlite"
        row_id: BindParameter[Any] = bindparam("id")
        columns: dict[str, BindParameter[Any]] = {
            "rowid" if self._is_sqlite else "id": row_id,
            "numbers": bindparam("numbers"),
        }
        insert_row = insert(fts_table if self._is_sqlite else gin_table).values(columns)
        self._add = CompiledStatement(insert_row, dialect, ("id", "numbers"))
        self._remove = (
            CompiledStatement(insert_row.values(search=literal_column("'delete'")), dialect, ("id", "numbers"))
            if self._is_sqlite
            else CompiledStatement(delete(gin_table).where(gin_table.c.id == row_id), dialect, ("id",))
        )

    def add(self, connection: Connection, messages: Iterable[tuple[int, int, str]]) -> None:
        """Add messages without an index row to the index.

        Args:
            messages: Entry id, room id and text of each message.
        """
        rows = [(entry_id, self._index_row(room_id, text)) for entry_id, room_id, text in messages]
        if rows:
            self._add.execute_many(connection, rows)

    def update(self, connection: Connection, changes: Sequence[tuple[int, int, str, str | None]]) -> None:
        """Replace the index rows of edited messages, and remove those of deleted messages.

        Args:
            changes: Entry id, room id, indexed text and new text of each message; the new text is None for a deletion.
                A wrong indexed text leaves stale terms in the index of SQLite.
        """
        for entry_id, room_id, old_text, new_text in changes:
            old_row = (self._index_row(room_id, old_text),) if self._is_sqlite else ()
            self._remove.execute(connection, entry_id, *old_row)
            if new_text is not None:
                self._add.execute(connection, entry_id, self._index_row(room_id, new_text))

    def encode_array(self, room_id: int, text: str) -> str:
        """Return the value of `numbers` for a message on PostgreSQL, in the text form of an array: `{-7,123}`."""
        return "{" + ",".join(map(str, self._index_row(room_id, text))) + "}"

    def _index_row(self, room_id: int, text: str) -> Any:
        """Return the value of `numbers` for a message: text of tokens for SQLite, a list of numbers for PostgreSQL."""
        if self._is_sqlite:
            return " ".join([encode_room_token(room_id), *map(encode_hash_token, hash_terms(text))])
        return [encode_room_number(room_id), *hash_terms(text)]


@lru_cache(maxsize=1 << 13)
def encode_hash_token(term_hash: int) -> str:
    """Return a term hash as a word for the `ascii` tokenizer of FTS5, in lower-case hexadecimal: `ff` for 255."""
    return f"{term_hash:x}"


def encode_room_token(room_id: int) -> str:
    """Return a room id as a word that differs from all term hashes: `r7` for room 7."""
    return f"r{room_id}"


def encode_room_number(room_id: int) -> int:
    """Return a room id as a negative number for the GIN index; term hashes are not negative."""
    return -room_id
