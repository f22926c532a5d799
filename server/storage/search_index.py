"""The index of what was said, written in the transaction of the entry itself.

Rule 1  A message that stands has a row with the numbers of its present text
        (`tui_chat.protocol.search_query`) and of its room; a deleted one has none.
Rule 2  Messages with an id up to `unindexed` (in `counters`) have no row yet: they
        were there before the index was, and `server.storage.search_backfill` works them off.
Rule 3  SQLite's FTS5 takes a row out only when it is told all that is in it, and
        so edits and deletions read what stood there.
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
    select,
    table,
)
from sqlalchemy.schema import DDL

from server.storage.prepared_statement import PreparedStatement
from server.storage.tables import counters
from tui_chat.protocol.search_query import hash_terms

UNINDEXED_COUNTER = "unindexed"
"""The name in `counters` of the greatest id that may not have its row in the index yet."""

CREATE_STATEMENTS = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search USING fts5(numbers, content='', columnsize=0, detail='none', tokenize='ascii')",
    ),
    "postgresql": (
        "CREATE TABLE search (id BIGINT PRIMARY KEY, numbers INTEGER[] NOT NULL)",
        "CREATE INDEX search_by_number ON search USING gin (numbers)",
    ),
}
"""What makes the index, by the database's kind; SQLite keeps the numbers alone, not the texts."""

_fts_table = table("search", column("rowid", Integer), column("numbers", Text), column("search", Text))
_gin_table = table("search", column("id", Integer), column("numbers", ARRAY(Integer)))


def create_index(connection: Connection) -> None:
    """Make the index in a database that has none."""
    for statement in CREATE_STATEMENTS[connection.dialect.name]:
        connection.execute(DDL(statement))


class SearchIndex:
    """Writes the index, for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._is_sqlite = dialect.name == "sqlite"
        select_unindexed = select(counters.c.last).where(counters.c.name == bindparam("counter"))
        self._select_unindexed = PreparedStatement(select_unindexed, dialect, ("counter",))
        row_parameters: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in ("id", "numbers")}
        if self._is_sqlite:
            insert_row = insert(_fts_table).values(rowid=row_parameters["id"], numbers=row_parameters["numbers"])
            delete_row = insert(_fts_table).values(
                search=literal_column("'delete'"), rowid=row_parameters["id"], numbers=row_parameters["numbers"]
            )
            self._add = PreparedStatement(insert_row, dialect, ("id", "numbers"))
            self._remove = PreparedStatement(delete_row, dialect, ("id", "numbers"))
        else:
            self._add = PreparedStatement(insert(_gin_table).values(row_parameters), dialect, ("id", "numbers"))
            self._remove = PreparedStatement(
                delete(_gin_table).where(_gin_table.c.id == row_parameters["id"]), dialect, ("id",)
            )

    def add(self, connection: Connection, messages: Iterable[tuple[int, int, str]]) -> None:
        """Index messages.

        Args:
            messages: Of each its id, its room's, and its text.
        """
        rows = [(entry_id, self._index_row(room_id, text)) for entry_id, room_id, text in messages]
        if rows:
            self._add.execute_many(connection, rows)

    def unindexed_up_to(self, connection: Connection) -> int:
        """The greatest id that may have no row yet; 0 when all have theirs."""
        rows = self._select_unindexed.fetch_all(connection, UNINDEXED_COUNTER)
        return rows[0][0] if rows else 0

    def update(self, connection: Connection, changes: Sequence[tuple[int, int, str, str | None]]) -> None:
        """Index messages anew whose texts have just been changed.

        Args:
            changes: Of each its id, its room's, the text it had, and what it has now; None when it is deleted.
        """
        if not changes:
            return
        unindexed_up_to = self.unindexed_up_to(connection)
        for entry_id, room_id, old_text, new_text in changes:
            if entry_id <= unindexed_up_to:
                continue
            if self._is_sqlite:
                self._remove.execute(connection, entry_id, self._index_row(room_id, old_text))
            else:
                self._remove.execute(connection, entry_id)
            if new_text is not None:
                self._add.execute(connection, entry_id, self._index_row(room_id, new_text))

    def _index_row(self, room_id: int, text: str) -> Any:
        if self._is_sqlite:
            return " ".join([room_token(room_id), *map(hash_token, hash_terms(text))])
        return [-room_id, *hash_terms(text)]


@lru_cache(maxsize=1 << 13)
def hash_token(term_hash: int) -> str:
    """A number as FTS5's `ascii` tokenizer takes it for a word."""
    return f"{term_hash:x}"


def room_token(room_id: int) -> str:
    """A room's id as a word that is no number's."""
    return f"r{room_id}"
