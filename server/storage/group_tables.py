"""Table definitions of the conversation dialect; see `server.storage.tables` for the rules of all tables."""

from sqlalchemy import Column, Index, Table, Text

from server.storage.tables import Int64, metadata

groups = Table(
    "groups",
    metadata,
    Column("room_id", Int64, primary_key=True, autoincrement=False),
    Column("invite_code", Text, unique=True),
    Column("cover_id", Text, index=True),
)
"""Values of private rooms in the conversation dialect, for rooms with at least one of them.

`invite_code` admits any number of accounts, without an expiry. `cover_id` is a pinned upload.
"""

pending_covers = Table(
    "pending_covers",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("upload_id", Text, nullable=False),
)
"""Cover of the next group of an account, a pinned upload that no group uses yet."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", Int64, primary_key=True),
    Column("room_id", Int64, nullable=False),
    Column("member_id", Text, nullable=False),
    Index("conversations_by_member", "member_id", "room_id", unique=True),
    sqlite_autoincrement=True,
)
"""Identifiers of private rooms for one member in the conversation dialect."""
