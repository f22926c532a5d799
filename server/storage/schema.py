"""Which revision a database has, and how it comes to the newest.

A new database is made from `server.storage.tables` at once; an older one walks
the migrations. Alembic is imported only for those: it costs a third of a second.
"""

from enum import Enum

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, func, inspect, select

from server.storage import search_index
from server.storage.batch_writer import ENTRY_COUNTER
from server.storage.errors import StorageError
from server.storage.search_index import UNINDEXED_COUNTER
from server.storage.tables import counters, metadata

REVISIONS = ("0001", "0002", "0003")
"""All of them, oldest first, as `migrations/versions` has them."""

HEAD = REVISIONS[-1]

_version_table = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


_ADVISORY_LOCK_KEY = 0x63686174
"""The advisory lock under which one node of many makes or migrates the tables; SQLite's writers take turns anyway."""


class SchemaState(Enum):
    """How a database stands to this program."""

    CURRENT = "current"
    OUTDATED = "older"


def ensure(connection: Connection) -> SchemaState:
    """Make the tables when there are none, and say whether a migration is needed.

    Raises:
        StorageError: The database is another program's, or a newer version's.
    """
    _advisory_lock(connection)
    tables = inspect(connection).get_table_names()
    if not tables:
        metadata.create_all(connection)
        search_index.create_index(connection)
        connection.execute(
            counters.insert(), [{"name": name, "last": 0} for name in (ENTRY_COUNTER, UNINDEXED_COUNTER)]
        )
        _version_table.create(connection)
        connection.execute(_version_table.insert().values(version_num=HEAD))
        return SchemaState.CURRENT
    if _version_table.name not in tables:
        raise StorageError("it belongs to another program")
    revision = connection.execute(select(_version_table.c.version_num)).scalar_one_or_none()
    if revision not in REVISIONS:
        raise StorageError("a newer version of chat-server wrote it, and this one cannot read it")
    return SchemaState.CURRENT if revision == HEAD else SchemaState.OUTDATED


def migrate(connection: Connection, revision: str = HEAD) -> None:
    """Walk the migrations inside the caller's transaction: all of them, or none.

    What another node has done meanwhile is not done again.
    """
    from server.storage.migrations.upgrade import upgrade  # noqa: PLC0415 -- brings Alembic, 300 ms

    _advisory_lock(connection)
    upgrade(connection, revision)


def _advisory_lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK_KEY)))
