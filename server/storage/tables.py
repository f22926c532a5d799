"""Table definitions; each change requires a new fingerprint in `server.storage.schema`.

Timestamps are Unix times in milliseconds. References to `rooms` have no foreign key constraint: the journal writes the
row of a room in the same transaction as its entries, and the per-row check in PostgreSQL made batches twenty times
slower.
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
"""64-bit integer; SQLite accepts only the type INTEGER for a rowid alias."""

PUBLIC, REMOVED = "public", "removed"
"""Values of `rooms.visibility`. Removed rooms are hidden from all lists until their next entry or creation."""

LOG_ID_CHARACTERS = 12
"""Length of a new `rooms.log_id`; a replaced database appends a suffix (`server.storage.restore_detection`)."""

ENTRY_COUNTER = "entry"
"""Name of the counter row for `entries.id`."""

metadata = MetaData()

rooms = Table(
    "rooms",
    metadata,
    Column("id", Int64, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("topic_key", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("log_id", Text, nullable=False),
    Column("first_seq", Int64, nullable=False),
    Column("last_seq", Int64, nullable=False),
    Column("last_n", Int64, nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("active_at", Int64, nullable=False, index=True),
)
"""Rooms with their current name and topic.

`topic_key` is the folded topic (`tui_chat.protocol.search_query.fold`), for the filter of room lists. `log_id`
identifies the log and survives a rename. Entries below `first_seq` are removed from the log. `last_n` is the ordinal of
the newest message, 0 without messages. `active_at` is the `ts` of the newest entry, or `created_at` if later.
"""

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
    Column("n", Int64, nullable=False),
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
"""Log entries of all rooms. `text` is the body of a message, the new text of an edit or a topic, otherwise empty.

The columns `text`, `edited` (`seq` of the newest edit) and `deleted` of a message hold its current state.
`client_id` is the UUID of the command, as 32 hexadecimal digits.

`n` is the number of messages of the room up to this entry, also deleted and removed ones: the ordinal of a message, and
for any other entry that of the newest message before. The unread messages after an entry number `rooms.last_n - n`.
"""

reactions = Table(
    "reactions",
    metadata,
    Column("room_id", Int64, primary_key=True),
    Column("target", Int64, primary_key=True),
    Column("emoji", Text, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("nick_name", Text, nullable=False),
    Column("seq", Int64, nullable=False),
    Index("reactions_by_seq", "room_id", "target", "emoji", "seq"),
    sqlite_with_rowid=False,
)
"""Current reactions, with the nickname at the time of the reaction; `seq` is the entry of the reaction."""

reaction_counts = Table(
    "reaction_counts",
    metadata,
    Column("room_id", Int64, primary_key=True),
    Column("target", Int64, primary_key=True),
    Column("emoji", Text, primary_key=True),
    Column("began", Int64, nullable=False),
    Column("count", Int64, nullable=False),
    sqlite_with_rowid=False,
)
"""Number of current reactions per message and emoji; never 0.

`began` is the entry since which the message has had this emoji without interruption, and orders the emoji of a message.
"""

noop_changes = Table(
    "noop_changes",
    metadata,
    Column("room_id", Int64, primary_key=True),
    Column("client_id", String(32), primary_key=True),
    Column("member_id", Text, nullable=False),
    Column("revision", Int64, nullable=False),
    sqlite_with_rowid=False,
)
"""Responses of changes with a clientId that had no effect and therefore no entry."""

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("last", Int64, nullable=False),
)
"""Last allocated numbers. Counters never decrease."""

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""Persistent values of the server, such as the signing secret of guest keys."""

schema_fingerprint = Table("schema_fingerprint", metadata, Column("fingerprint", Text, primary_key=True))
"""One row: the value of `server.storage.schema.FINGERPRINT` at the creation of the database."""
