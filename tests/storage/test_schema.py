"""Fingerprint of the database schema."""

import hashlib

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateSequence, CreateTable

from server.storage.node_tables import empty_logs, nodes, present_members
from server.storage.schema import FINGERPRINT
from server.storage.search_index import CREATE_STATEMENTS
from server.storage.tables import entry_ids, metadata


def test_the_fingerprint_identifies_all_tables_and_indexes_of_both_dialects() -> None:
    statements = [
        str(item.compile(dialect=postgresql.dialect()))
        for item in (
            CreateSequence(entry_ids),
            CreateTable(nodes),
            CreateTable(present_members),
            CreateTable(empty_logs),
            *map(CreateIndex, sorted(present_members.indexes, key=lambda index: str(index.name))),
        )
    ]
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        for table in metadata.sorted_tables:
            indexes = [CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
            statements += [str(item.compile(dialect=dialect)) for item in (CreateTable(table), *indexes)]
        statements += CREATE_STATEMENTS[dialect.name]
    text = "\n".join(" ".join(statement.split()) for statement in statements)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == FINGERPRINT
