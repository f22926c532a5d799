"""Schema creation, revision check and migration.

A new database is created directly from `server.storage.tables`; older ones run the migrations. Alembic is imported
only for migrations, because the import takes a third of a second.
"""

from enum import Enum

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, func, inspect, select

from server.storage import search_index
from server.storage.batch_writer import ENTRY_COUNTER
from server.storage.errors import StorageError
from server.storage.search_index import UNINDEXED_COUNTER
from server.storage.tables import counters, metadata

REVISIONS = ("0001", "0002", "0003")
"""Revisions in `migrations/versions`, oldest first."""

HEAD = REVISIONS[-1]

_version_table = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


_ADVISORY_LOCK_KEY = 0x63686174
"""Key of the PostgreSQL advisory lock for schema changes; SQLite serializes writers by itself."""


class SchemaState(Enum):
    """Schema revision of a database, relative to this program."""

    CURRENT = "current"
    OUTDATED = "outdated"


def ensure(connection: Connection) -> SchemaState:
    """Create the schema in an empty database, and return the state of the schema.

    An outdated schema stays unchanged until `migrate`.

    Raises:
        StorageError: The tables are those of another program or of a newer version.
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
        raise StorageError("database belongs to another program")
    revision = connection.execute(select(_version_table.c.version_num)).scalar_one_or_none()
    if revision not in REVISIONS:
        raise StorageError("database was written by a newer version of chat-server; upgrade chat-server")
    return SchemaState.CURRENT if revision == HEAD else SchemaState.OUTDATED


def migrate(connection: Connection, revision: str = HEAD) -> None:
    """Run all outstanding migrations atomically, inside the transaction of the caller.

    Revisions applied by another node in the meantime are skipped. An applied or older target revision has no effect.

    Args:
        connection: Connection with an open write transaction.
        revision: Target revision.
    """
    from server.storage.migrations.upgrade import upgrade  # noqa: PLC0415 -- imports Alembic, 300 ms

    _advisory_lock(connection)
    upgrade(connection, revision)


def _advisory_lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK_KEY)))
