"""Copy of a SQLite database into an empty PostgreSQL database.

- Completeness: all rows keep their ids, and the sequences and counters continue after them. Clients notice no change.
- Resumption: a transaction of the target writes a slice of rows together with its position. A later call continues
  there.
- Target: until the end, the database has the fingerprint `UNFINISHED`, with which no server starts.
- Source: the file is locked as by a server. Only a restored backup is changed: by new log ids and a new generation. A
  server that runs on the source between two calls changes its generation; the next call starts from the beginning.
- Verification: before the end, digests of all rows of both databases are compared, for entries per room.
"""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import BigInteger, Connection, RowMapping, exc, func, literal, select, text, update

from server.storage import group_tables, schema
from server.storage.account_changes import ACCOUNT_COUNTER
from server.storage.database import BUSY_TIMEOUT, PROBE_KEY, describe_url, parse_target
from server.storage.errors import StorageError, describe_error
from server.storage.executor import Executor, ThreadExecutor
from server.storage.postgresql import AsyncExecutor
from server.storage.restore_detection import GENERATION_KEY, RestoreDetector, read_generation
from server.storage.row_mapping import KIND_MESSAGE
from server.storage.row_slices import Position, TableSlices
from server.storage.search_index import SearchIndex, gin_table
from server.storage.sqlite import lock_database, open_engine
from server.storage.tables import (
    ENTRY_COUNTER,
    LOG_ID_CHARACTERS,
    counters,
    entries,
    entry_ids,
    rooms,
    schema_fingerprint,
    settings,
)
from tui_chat.protocol.names import AUDIT_ROOM

RECORD_KEY = "migration"
"""Key of the record of the copy, in the table of settings of the target."""

_TABLES = tuple(
    TableSlices(table, (GENERATION_KEY, PROBE_KEY, RECORD_KEY))
    for table in group_tables.metadata.sorted_tables  # with the tables of all modules
    if table not in {counters, schema_fingerprint}
)

ResultT = TypeVar("ResultT")


class MigrationRecord(msgspec.Struct, omit_defaults=True):
    """State of a copy.

    Attributes:
        source: Identity of the source database.
        rows: Number of copied rows by table.
        positions: Position of the last slice by table.
        finished: The copy is verified.
    """

    source: str
    generation: str
    fingerprint: str
    rows: dict[str, int] = {}
    positions: dict[str, Position] = {}
    finished: bool = False


class Progress(msgspec.Struct, frozen=True):
    """Progress of one step.

    Attributes:
        step: Name of the table that is copied, or `verification`.
        done: Number of processed rows: with rows of earlier calls for a table, of both databases for the verification.
        total: Number of all rows of the step.
    """

    step: str
    done: int
    total: int


class MigrationResult(msgspec.Struct, frozen=True):
    """Result of a copy.

    Attributes:
        rows: Number of rows by table.
        is_repeated: An earlier call finished the copy, and this one did nothing.
    """

    rows: Mapping[str, int]
    is_repeated: bool


def parse_source(database: str) -> Path:
    """Return the file of a SQLite database, which is not accessed and need not exist.

    Args:
        database: Path, or URL of the form `sqlite:///…`.

    Raises:
        StorageError: The URL is invalid, or that of another database.
    """
    path, _ = parse_target(database)
    if path is None:
        raise StorageError("migrate copies SQLite databases only; copy PostgreSQL with pg_dump")
    return path


async def migrate(path: Path, target: str, on_progress: Callable[[Progress], None]) -> MigrationResult:
    """Copy a SQLite database without a running server into a PostgreSQL database, or continue an interrupted copy.

    Args:
        path: File of the source.
        target: URL of the form `postgresql://…` of an empty database.
        on_progress: Called after each slice.

    Raises:
        StorageError: A database is unusable, the target contains other data, or the verification found a difference.
            The message is addressed to the operator. The cause is `DatabaseInUse` if a server uses the source.
    """
    target_path, url = parse_target(target)
    if target_path is not None:
        raise StorageError(f"cannot migrate to {target}: the target must be a URL of the form postgresql://…")
    async with AsyncExitStack() as stack:
        source = _DescribingExecutor(await stack.enter_async_context(_open_source(path)), f"cannot read {path}")
        failure = f"cannot write to {describe_url(url)}"
        with _describe_errors(failure):
            writer = AsyncExecutor(url, pool_size=1)
        stack.push_async_callback(writer.close)
        return await _Migration(source, _DescribingExecutor(writer, failure), on_progress).run()


class _DescribingExecutor:
    """Executor of a database whose errors begin with a description of the failure."""

    def __init__(self, executor: Executor, failure: str) -> None:
        self.dialect = executor.dialect
        self._executor = executor
        self._failure = failure

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        with _describe_errors(self._failure):
            return await self._executor.run(work)


class _Migration:
    """Copy from `source` to `target`."""

    def __init__(
        self, source: _DescribingExecutor, target: _DescribingExecutor, on_progress: Callable[[Progress], None]
    ) -> None:
        self._source = source
        self._target = target
        self._on_progress = on_progress
        self._search_index = SearchIndex(target.dialect)

    async def run(self) -> MigrationResult:
        """Copy the remaining rows of all tables, verify the copy and permit the start of servers on the target.

        A finished copy only yields its result.
        """
        new_record = await self._source.run(_describe_source)
        record = await self._target.run(partial(_begin, new_record))
        if record.finished:
            return MigrationResult(record.rows, is_repeated=True)
        totals = {slices.table.name: await self._source.run(slices.count) for slices in _TABLES}
        for slices in _TABLES:
            record = await self._copy(slices, record, totals[slices.table.name])
        await self._verify(sum(totals.values()))
        sequences = await self._source.run(_read_sequences)
        account_changes = await self._source.run(partial(_read_counter, name=ACCOUNT_COUNTER))
        finished = msgspec.structs.replace(record, finished=True)
        await self._target.run(
            partial(_finish, sequences=sequences, account_changes=account_changes, old=record, new=finished)
        )
        return MigrationResult(finished.rows, is_repeated=False)

    async def _copy(self, slices: TableSlices, record: MigrationRecord, total: int) -> MigrationRecord:
        """Copy the remaining rows of a table with a report of progress per slice, and return the new record."""
        name = slices.table.name
        async for rows in slices.iterate(self._source.run, record.positions.get(name, ())):
            new = msgspec.structs.replace(
                record,
                rows={**record.rows, name: record.rows.get(name, 0) + len(rows)},
                positions={**record.positions, name: slices.get_position(rows[-1])},
            )
            await self._target.run(partial(self._write_slice, slices=slices, rows=rows, old=record, new=new))
            record = new
            self._on_progress(Progress(name, record.rows[name], total))
        return record

    def _write_slice(
        self,
        connection: Connection,
        slices: TableSlices,
        rows: Sequence[RowMapping],
        old: MigrationRecord,
        new: MigrationRecord,
    ) -> None:
        """Insert a slice of rows with the new record, and index its messages that are not deleted.

        Raises:
            StorageError: As `_replace_record`.
        """
        _replace_record(connection, old, new)
        connection.execute(slices.table.insert(), [dict(row) for row in rows])
        if slices.table is entries:
            self._search_index.add(
                connection,
                [
                    (row["id"], row["room_id"], row["text"])
                    for row in rows
                    if row["kind"] == KIND_MESSAGE and not row["deleted"]
                ],
            )

    async def _verify(self, total: int) -> None:
        """Compare all rows of both databases, and the number of indexed messages with that of the target.

        Args:
            total: Number of rows of the source.

        Raises:
            StorageError: A table, a room of `entries` or the search index differs; the message has its name.
        """
        verified = 0

        def on_slice(rows: int) -> None:
            nonlocal verified
            verified += rows
            self._on_progress(Progress("verification", verified, 2 * total))

        for slices in _TABLES:
            expected = await slices.compute_digests(self._source.run, on_slice)
            actual = await slices.compute_digests(self._target.run, on_slice)
            for group in expected.keys() | actual.keys():
                if expected.get(group) != actual.get(group):
                    room = f" of room {group}" if slices.table is entries else ""
                    raise _Difference(f"{slices.table.name}{room}")
        messages = (entries.c.kind == KIND_MESSAGE) & ~entries.c.deleted
        count_messages = select(func.count()).select_from(entries).where(messages)
        count_indexed = select(func.count()).select_from(gin_table)
        if await self._target.run(lambda target: target.scalar(count_messages) != target.scalar(count_indexed)):
            raise _Difference(gin_table.name)


class _Difference(StorageError):
    """Difference between source and target."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"the copy of {subject} differs from the source; migrate again to an empty database")


@asynccontextmanager
async def _open_source(path: Path) -> AsyncGenerator[Executor]:
    """Lock and open the source within the context; a replaced database receives new log ids, as at a server start.

    Raises:
        StorageError: The path is not a file, or the database is unusable or in use.
    """
    async with AsyncExitStack() as stack:
        with _describe_errors(f"cannot open the database {path}"):
            _require_file(path)
            stack.enter_context(lock_database(path))
            engine = open_engine(path, writable=True, pool_size=1, busy_timeout=BUSY_TIMEOUT)
            executor = ThreadExecutor(engine, 1, "source")
            stack.push_async_callback(executor.close)
            await executor.run(schema.verify)
            await RestoreDetector(path, executor).rotate_if_replaced()
        yield executor


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise StorageError("path is not a regular file" if path.exists() else "file not found")


@contextmanager
def _describe_errors(failure: str) -> Generator[None]:
    """Raise the errors of a database as `StorageError` with a message that begins with `failure`."""
    try:
        yield
    except (StorageError, exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StorageError(f"{failure}: {describe_error(error)}") from error


def _describe_source(connection: Connection) -> MigrationRecord:
    """Return the record of a copy without rows.

    The first characters of the log id of `&audit` stay the same for the lifetime of the database.
    """
    log_id = connection.execute(select(rooms.c.log_id).where(rooms.c.key == AUDIT_ROOM)).scalar_one()
    return MigrationRecord(log_id[:LOG_ID_CHARACTERS], read_generation(connection), schema.FINGERPRINT)


def _begin(new: MigrationRecord, connection: Connection) -> MigrationRecord:
    """Return the record of an earlier copy of the same state of the source, or begin a copy with the record `new`.

    An empty target receives the tables. An unfinished copy of an older state of the source is deleted first.

    Raises:
        StorageError: The target has other tables, a copy of another database, a finished copy of an older state, or a
            copy by another version of the program.
    """
    tables = schema.lock_schema(connection)
    if not tables:
        schema.create_tables(connection, schema.UNFINISHED)
    else:
        old = _read_record(connection) if settings.name in tables else None
        if old is None:
            raise StorageError("the database has tables already; migrate to an empty database")
        if old.source != new.source:
            raise StorageError("the database contains a copy of another database")
        if old.generation == new.generation and old.fingerprint == new.fingerprint:
            return old
        if old.finished or old.fingerprint != new.fingerprint:
            raise StorageError("the database contains an older copy; migrate to an empty database")
        names = ", ".join([gin_table.name, *(slices.table.name for slices in _TABLES)])
        connection.execute(text(f"TRUNCATE {names}"))
    connection.execute(settings.insert().values(key=RECORD_KEY, value=msgspec.json.encode(new)))
    return new


def _read_record(connection: Connection) -> MigrationRecord | None:
    """Return the stored record of a copy, None in a database that was not copied."""
    value = connection.execute(select(settings.c.value).where(settings.c.key == RECORD_KEY)).scalar_one_or_none()
    return None if value is None else msgspec.json.decode(value, type=MigrationRecord)


def _replace_record(connection: Connection, old: MigrationRecord, new: MigrationRecord) -> None:
    """Replace the stored record `old` with `new`.

    Raises:
        StorageError: The stored record is another one, because another migration writes to the database.
    """
    unchanged = (settings.c.key == RECORD_KEY) & (settings.c.value == msgspec.json.encode(old))
    if connection.execute(update(settings).where(unchanged).values(value=msgspec.json.encode(new))).rowcount != 1:
        raise StorageError("another migration writes to the database")


def _read_sequences(connection: Connection) -> dict[str, int]:
    """Return the last number of each sequence of the target by name, from the source, without unused sequences."""
    sequences = {
        f"{table.name}_{column.name}_seq": connection.execute(select(func.max(column))).scalar_one() or 0
        for table, column in ((slices.table, slices.table.autoincrement_column) for slices in _TABLES)
        if column is not None
    }
    for name, last in connection.execute(text("SELECT name, seq FROM sqlite_sequence")):
        sequences[f"{name}_id_seq"] = last  # ids of removed rows included
    sequences[str(entry_ids.name)] = _read_counter(connection, ENTRY_COUNTER)
    return {name: last for name, last in sequences.items() if last}


def _read_counter(connection: Connection, name: str) -> int:
    return connection.execute(select(counters.c.last).where(counters.c.name == name)).scalar_one()


def _finish(
    connection: Connection,
    sequences: Mapping[str, int],
    account_changes: int,
    old: MigrationRecord,
    new: MigrationRecord,
) -> None:
    """Set the sequences and the counter of account changes, and permit the start of servers.

    Raises:
        StorageError: As `_replace_record`.
    """
    for name, last in sequences.items():
        connection.execute(select(func.setval(name, literal(last, BigInteger))))
    connection.execute(update(counters).where(counters.c.name == ACCOUNT_COUNTER).values(last=account_changes))
    _replace_record(connection, old, new)
    connection.execute(update(schema_fingerprint).values(fingerprint=schema.FINGERPRINT))
