"""Table definitions of the nodes of one PostgreSQL database; a SQLite database has one server and none of these."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, MetaData, Table, Text, false

metadata = MetaData()

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
"""Running nodes. `label` is the host name with the port. `lag` is the event loop lag in seconds. A draining
node moves its clients to other nodes.

`started_at` and `heartbeat_at` are times of the database, in milliseconds since the epoch.
"""
