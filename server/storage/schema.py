"""Creation of the schema, and rejection of databases with another schema.

A database stores the fingerprint of the schema at its creation. Databases of older versions are not upgraded before the
first release.
"""

from sqlalchemy import DDL, Connection, func, inspect, select

from server.domain.log_commands import generate_log_id
from server.storage import group_tables, node_tables
from server.storage.account_changes import ACCOUNT_COUNTER
from server.storage.errors import StorageError
from server.storage.search_index import CREATE_STATEMENTS
from server.storage.tables import ADMINS, ENTRY_COUNTER, counters, entries, rooms, schema_fingerprint
from tui_chat.protocol.names import AUDIT_ROOM

FINGERPRINT = "75a35877c3629577"
"""Identity of the schema; each change of the tables or indexes requires a new value (tests/storage/test_schema.py)."""

UNFINISHED = "unfinished"
"""Fingerprint of an unfinished copy of another database (`server.storage.migration`)."""

_AUDIT_ROOM = {
    **{"key": AUDIT_ROOM, "name": AUDIT_ROOM, "topic": "", "topic_key": "", "visibility": ADMINS},
    **{"first_seq": 1, "last_seq": 0, "last_n": 0, "created_at": 0, "active_at": 0},
}


def ensure(connection: Connection, *, must_exist: bool = False) -> None:
    """Create the schema and the room `&audit` in an empty database, and verify the fingerprint of any other database.

    On PostgreSQL, concurrent calls wait for each other.

    Args:
        must_exist: Reject an empty database.

    Raises:
        StorageError: As `verify`, but an empty database is rejected only with `must_exist`.
    """
    if lock_schema(connection) or must_exist:
        verify(connection)
        return
    create_tables(connection, FINGERPRINT)
    connection.execute(rooms.insert().values(**_AUDIT_ROOM, log_id=generate_log_id()))


def lock_schema(connection: Connection) -> set[str]:
    """Return the names of the existing tables, which stay the same until the end of the transaction.

    On PostgreSQL, the call waits for the transactions of other callers.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(0x63686174)))  # SQLite serializes writers by itself
    return set(inspect(connection).get_table_names())


def create_tables(connection: Connection, fingerprint: str) -> None:
    """Create the tables and indexes in an empty database, with counters at 0 and the fingerprint, but without rooms.

    Args:
        fingerprint: `FINGERPRINT`, or `UNFINISHED` for a database that no server may use yet.
    """
    group_tables.metadata.create_all(connection)  # the metadata of `tables`, complete after the import of this module
    if connection.dialect.name == "postgresql":
        node_tables.metadata.create_all(connection)
    for statement in CREATE_STATEMENTS[connection.dialect.name]:
        connection.execute(DDL(statement))
    if connection.dialect.name == "sqlite":
        connection.execute(counters.insert().values(name=ENTRY_COUNTER, last=0))
    connection.execute(counters.insert().values(name=ACCOUNT_COUNTER, last=0))
    connection.execute(schema_fingerprint.insert().values(fingerprint=fingerprint))


def verify(connection: Connection) -> None:
    """Verify that this version of the program can use a database.

    Raises:
        StorageError: The database is empty, belongs to another program or to another version of this program, or is an
            unfinished copy (`server.storage.migration`).
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        raise StorageError("the database is empty")
    if not {rooms.name, entries.name} <= tables:
        raise StorageError("database belongs to another program")
    fingerprints = (
        set(connection.execute(select(schema_fingerprint.c.fingerprint)).scalars())
        if schema_fingerprint.name in tables
        else set[str]()
    )
    if fingerprints == {UNFINISHED}:
        raise StorageError("the migration into the database is not finished; continue with chat-server migrate")
    if fingerprints != {FINGERPRINT}:
        raise StorageError(
            "database was created by another version of chat-server;"
            " start with a new --database, or use the version that created this one"
        )
