"""Slices and digests of the rows of a table, for the copy of a database and its verification."""

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, Select, Table, func, literal, select, tuple_

from server.storage.tables import entries, settings

SLICE_ROWS = 1000
"""Maximum number of rows of a slice."""

Position = tuple[int | str, ...]
"""Primary key of the last row of a slice; empty before the first one."""

RunQuery = Callable[[Callable[[Connection], Any]], Awaitable[Any]]
"""Runner of a function in a transaction of one database."""


class RowDigest(NamedTuple):
    """Number of rows, and the sum of their SHA-256 digests modulo 2 ** 256."""

    rows: int
    digest: int


class TableSlices:
    """Rows of one table.

    Args:
        excluded_settings: Keys that do not count as rows of the table `settings`.

    Attributes:
        table: Table whose primary key consists of numbers and texts.
    """

    def __init__(self, table: Table, excluded_settings: Sequence[str]) -> None:
        self.table = table
        self._keys = tuple(table.primary_key.columns)
        self._condition = settings.c.key.not_in(excluded_settings) if table is settings else None

    def count(self, connection: Connection) -> int:
        """Return the number of rows."""
        return connection.execute(self._filter(select(func.count()).select_from(self.table))).scalar_one()

    def read(self, connection: Connection, after: Position) -> Sequence[RowMapping]:
        """Return the next `SLICE_ROWS` rows in the order of the primary key, empty after the last row.

        The order of texts may differ between two databases.
        """
        query = self._filter(select(self.table)).order_by(*self._keys).limit(SLICE_ROWS)
        if after:
            values = (literal(value, key.type) for key, value in zip(self._keys, after, strict=True))
            query = query.where(tuple_(*self._keys) > tuple_(*values))
        return connection.execute(query).mappings().all()

    def get_position(self, row: RowMapping) -> Position:
        """Return the primary key of a row."""
        return tuple(row[key] for key in self._keys)

    async def iterate(self, run: RunQuery, after: Position = ()) -> AsyncGenerator[Sequence[RowMapping]]:
        """Yield the slices after a position, each read in a separate transaction."""
        while rows := await run(partial(self.read, after=after)):
            yield rows
            after = self.get_position(rows[-1])

    async def compute_digests(self, run: RunQuery, on_slice: Callable[[int], None]) -> dict[int, RowDigest]:
        """Return the digests of the rows, independent of their order: of `entries` by room id, of other tables by 0.

        Args:
            on_slice: Called with the number of rows of each slice.
        """
        digests: dict[int, RowDigest] = {}
        async for rows in self.iterate(run):
            for row in rows:
                group = row[entries.c.room_id] if self.table is entries else 0
                previous = digests.get(group, RowDigest(0, 0))
                row_digest = hashlib.sha256(msgspec.msgpack.encode(tuple(row.values()))).digest()
                total = (previous.digest + int.from_bytes(row_digest)) % 2**256
                digests[group] = RowDigest(previous.rows + 1, total)
            on_slice(len(rows))
        return digests

    def _filter(self, query: Select[Any]) -> Select[Any]:
        return query if self._condition is None else query.where(self._condition)
