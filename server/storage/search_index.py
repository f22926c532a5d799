"""The index of what was said, written in the transaction of the entry itself.

Rule 1  A message that stands has a row with the numbers of its present text
        (`server.protocol.search_terms`) and of its room; a deleted one has none.
Rule 2  Messages with an id up to `unindexed` (in `counters`) have no row yet: they
        were there before the index was, and `server.storage.backfill` works them off.
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

from server.protocol.search_terms import numbers
from server.storage.prepared import Prepared
from server.storage.tables import counters

UNINDEXED_COUNTER = "unindexed"
"""The name in `counters` of the greatest id that may not have its row in the index yet."""

MAKE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search USING fts5(numbers, content='', columnsize=0, detail='none', tokenize='ascii')",
    ),
    "postgresql": (
        "CREATE TABLE search (id BIGINT PRIMARY KEY, numbers INTEGER[] NOT NULL)",
        "CREATE INDEX search_by_number ON search USING gin (numbers)",
    ),
}
"""What makes the index, by the database's kind; SQLite keeps the numbers alone, not the texts."""

_fts = table("search", column("rowid", Integer), column("numbers", Text), column("search", Text))
_gin = table("search", column("id", Integer), column("numbers", ARRAY(Integer)))


def make(connection: Connection) -> None:
    """Make the index in a database that has none."""
    for statement in MAKE[connection.dialect.name]:
        connection.execute(DDL(statement))


class SearchIndex:
    """Writes the index, for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._is_sqlite = dialect.name == "sqlite"
        unindexed = select(counters.c.last).where(counters.c.name == bindparam("counter"))
        self._unindexed = Prepared(unindexed, dialect, ("counter",))
        row: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in ("id", "numbers")}
        if self._is_sqlite:
            added = insert(_fts).values(rowid=row["id"], numbers=row["numbers"])
            removed = insert(_fts).values(search=literal_column("'delete'"), rowid=row["id"], numbers=row["numbers"])
            self._add = Prepared(added, dialect, ("id", "numbers"))
            self._remove = Prepared(removed, dialect, ("id", "numbers"))
        else:
            self._add = Prepared(insert(_gin).values(row), dialect, ("id", "numbers"))
            self._remove = Prepared(delete(_gin).where(_gin.c.id == row["id"]), dialect, ("id",))

    def add(self, connection: Connection, messages: Iterable[tuple[int, int, str]]) -> None:
        """Index messages.

        Args:
            messages: Of each its id, its room's, and its text.
        """
        rows = [(number, self._row(room, text)) for number, room, text in messages]
        if rows:
            self._add.run_many(connection, rows)

    def unindexed(self, connection: Connection) -> int:
        """The greatest id that may have no row yet; 0 when all have theirs."""
        found = self._unindexed.all(connection, UNINDEXED_COUNTER)
        return found[0][0] if found else 0

    def change(self, connection: Connection, changes: Sequence[tuple[int, int, str, str | None]]) -> None:
        """Index messages anew whose texts have just been changed.

        Args:
            changes: Of each its id, its room's, the text it had, and what it has now; None when it is deleted.
        """
        if not changes:
            return
        unindexed = self.unindexed(connection)
        for number, room, old, new in changes:
            if number <= unindexed:
                continue
            if self._is_sqlite:
                self._remove.run(connection, number, self._row(room, old))
            else:
                self._remove.run(connection, number)
            if new is not None:
                self._add.run(connection, number, self._row(room, new))

    def _row(self, room: int, text: str) -> Any:
        if self._is_sqlite:
            return " ".join([room_token(room), *map(token, numbers(text))])
        return [-room, *numbers(text)]


@lru_cache(maxsize=1 << 13)
def token(number: int) -> str:
    """A number as FTS5's `ascii` tokenizer takes it for a word."""
    return f"{number:x}"


def room_token(room: int) -> str:
    """A room's id as a word that is no number's."""
    return f"r{room}"
