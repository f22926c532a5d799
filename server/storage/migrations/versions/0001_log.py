"""Create rooms and room logs.

Migrations define their tables literally, independent of the current `server.storage.tables`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of rooms, entries, counters and settings."""
    op.create_table(
        "rooms",
        sa.Column("id", _int64, primary_key=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("last_seq", _int64, nullable=False),
        sa.Column("created_at", _int64, nullable=False),
        sa.Column("active_at", _int64, nullable=False),
    )
    op.create_index("ix_rooms_active_at", "rooms", ["active_at"])
    op.create_table(
        "entries",
        sa.Column("id", _int64, primary_key=True, autoincrement=False),
        sa.Column("room_id", _int64, nullable=False),
        sa.Column("seq", _int64, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", _int64),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("nick_name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("emoji", sa.Text()),
        sa.Column("is_on", sa.Boolean()),
        sa.Column("ts", _int64, nullable=False),
        sa.Column("client_id", sa.String(32)),
        sa.Column("reply_to", _int64),
        sa.Column("edited", _int64),
        sa.Column("deleted", sa.Boolean(), nullable=False),
    )
    op.create_index("entries_by_seq", "entries", ["room_id", "seq"], unique=True)
    has_client_id = sa.text("client_id IS NOT NULL")
    op.create_index(
        "entries_by_client_id",
        "entries",
        ["room_id", "client_id"],
        unique=True,
        sqlite_where=has_client_id,
        postgresql_where=has_client_id,
    )
    is_edit = sa.text("kind = 'edit'")
    op.create_index("edits_by_target", "entries", ["room_id", "target"], sqlite_where=is_edit, postgresql_where=is_edit)
    counters = op.create_table(
        "counters",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("last", _int64, nullable=False),
    )
    op.bulk_insert(counters, [{"name": "entry", "last": 0}])
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
    )
