"""The tables, as the newest revision has them (`server.storage.schema` brings older ones here).

Times are integer milliseconds since the epoch, UTC. There are no foreign keys to
`rooms`: the journal writes a room's row in the same transaction as its entries,
and PostgreSQL's check of every row made a batch twenty times slower.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    column,
)

Int64 = BigInteger().with_variant(Integer, "sqlite")
"""64 bits everywhere; SQLite makes only a column called INTEGER the row's own key."""

PUBLIC, REMOVED = "public", "removed"
"""Values of `rooms.visibility`. What is removed is on no list, until something is written in it again."""

metadata = MetaData()

rooms = Table(
    "rooms",
    metadata,
    Column("id", Int64, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("last_seq", Int64, nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("active_at", Int64, nullable=False, index=True),
)
"""A row exists once something was written in the room. `active_at` is the `ts` of its newest entry."""

entries = Table(
    "entries",
    metadata,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("room_id", Int64, nullable=False),
    Column("seq", Int64, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Int64),
    Column("member_id", Text, nullable=False),
    Column("nick_name", Text, nullable=False),
    Column("account", Text),
    Column("text", Text, nullable=False),
    Column("emoji", Text),
    Column("is_on", Boolean),
    Column("ts", Int64, nullable=False),
    Column("client_id", String(32)),
    Column("reply_to", Int64),
    Column("edited", Int64),
    Column("deleted", Boolean, nullable=False),
    Index("entries_by_seq", "room_id", "seq", unique=True),
    Index(
        "entries_by_client_id",
        "room_id",
        "client_id",
        unique=True,
        sqlite_where=column("client_id").is_not(None),
        postgresql_where=column("client_id").is_not(None),
    ),
    Index(
        "edits_by_target",
        "room_id",
        "target",
        sqlite_where=and_(column("kind") == "edit"),
        postgresql_where=and_(column("kind") == "edit"),
    ),
)
"""Every room's log. `text` is a message, the new text of an edit, or a topic, and else empty.

A message's row also holds its present state: `text`, `edited` (the `seq` of the
last edit) and `deleted`. `client_id` is the UUID as 32 hexadecimal digits.
"""

reactions = Table(
    "reactions",
    metadata,
    Column("room_id", Int64, primary_key=True),
    Column("target", Int64, primary_key=True),
    Column("emoji", Text, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("seq", Int64, nullable=False),
    Column("began", Int64, nullable=False),
    sqlite_with_rowid=False,
)
"""The reactions that stand now.

`seq` is the entry that put it there: it orders the members under an emoji.
`began` is the entry since which somebody or other has had this emoji there: it
orders the emoji, as they are ordered for those who saw each come and go.
"""

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("last", Int64, nullable=False),
)
"""The last number given out: of `entries.id` under the name `entry`. It never goes down."""

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""What the server keeps for itself, such as the secret that its guest keys rest on."""
