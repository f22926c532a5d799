"""Table definitions of the nodes of one PostgreSQL database; a SQLite database has one server and none of these."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
    literal_column,
)

metadata = MetaData()

CLOCK = literal_column("(extract(epoch FROM clock_timestamp()) * 1000)::bigint", BigInteger())
"""Current time of the database, in milliseconds since the epoch."""

nodes = Table(
    "nodes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("heartbeat_at", BigInteger, nullable=False),
    Column("connections", Integer, nullable=False),
    Column("lag", Double, nullable=False),
    Column("is_draining", Boolean, nullable=False, server_default=false()),
)
"""Registered nodes, as `server.storage.node_repository.NodeRecord`.

`started_at` and `heartbeat_at` are times of the database, in milliseconds since the epoch.
"""

present_members = Table(
    "present_members",
    metadata,
    Column("room_key", Text, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("node_id", Text, primary_key=True),
    Column("nick_key", Text, nullable=False),
    Column("member", Text, nullable=False),
    Index("ix_present_members_nick", "room_key", "nick_key"),
    Index("ix_present_members_node", "node_id"),
    prefixes=["UNLOGGED"],
)
"""Members with connections to a node, and claims of their nicknames.

`room_key` and `nick_key` are canonical keys. `member` is the JSON text of the member, the same for all nodes with
connections of the member. A crash of PostgreSQL empties the table, and the nodes insert their rows again.
"""

empty_logs = Table(
    "empty_logs",
    metadata,
    Column("room_key", Text, primary_key=True),
    Column("log_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    prefixes=["UNLOGGED"],
)
"""Log ids of rooms without entries, which are not stored; the first entry of a room stores the id in `rooms`.

`created_at` is a time of the database, in milliseconds since the epoch.
"""
