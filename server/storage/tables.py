"""Table definitions; each change requires a new fingerprint in `server.storage.schema`.

Timestamps are Unix times in milliseconds. References to `rooms` have no foreign key constraint: the journal writes the
row of a room in the same transaction as its entries, and the per-row check in PostgreSQL makes batches twenty times
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
    Sequence,
    String,
    Table,
    Text,
    and_,
    column,
    false,
    literal_column,
    or_,
    true,
)

Int64 = BigInteger().with_variant(Integer, "sqlite")
"""64-bit integer; SQLite accepts only the type INTEGER for a rowid alias."""

PUBLIC, REMOVED, DELETED, ADMINS = "public", "removed", "deleted", "admins"
"""Values of `rooms.visibility`, besides `tui_chat.protocol.policies.Visibility`.

Removed rooms are hidden from all lists until their next entry or creation. Deleted rooms have a key that no name has,
and their row disappears with their last entry. `ADMINS` is the visibility of the room `&audit`.
"""

LOG_ID_CHARACTERS = 12
"""Length of a new `rooms.log_id`; a replaced database appends a suffix (`server.storage.restore_detection`)."""

ENTRY_COUNTER = "entry"
"""Name of the counter row for `entries.id` in SQLite."""

ALL_MEMBERS = ""
"""Value of `mentions.member_id` for a mention of all members."""

metadata = MetaData()

entry_ids = Sequence("entry_ids", data_type=BigInteger(), metadata=metadata)
"""Source of `entries.id` in PostgreSQL, drawn under the lock of the room, so that ids increase within a room; without a
cache, because cached numbers of a session would not increase across nodes."""

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
    Column("title", Text, nullable=False, server_default=""),
    Column("owned", Boolean, nullable=False, server_default=false()),
    Column("policy_seq", Int64, nullable=False, server_default="0"),
    Column("speak", Text, nullable=False, server_default="everyone"),
    Column("guest_post", Boolean, nullable=False, server_default=true()),
    Column("react", Text, nullable=False, server_default="everyone"),
    Column("upload", Text, nullable=False, server_default="everyone"),
    Column("topic_policy", Text, nullable=False, server_default="members"),
    Column("invite_policy", Text, nullable=False, server_default="members"),
    Column("keep_days", Integer),
    Column("keep_messages", Int64),
    Column("direct_key", Text, unique=True),
    sqlite_autoincrement=True,
)
"""Rooms with their current name, topic and policy.

`topic_key` is the folded topic (`tui_chat.protocol.search_query.fold`), for the filter of room lists. `log_id`
identifies the log and survives a rename. Entries below `first_seq` are removed from the log. `last_n` is the ordinal of
the newest message, 0 without messages. `active_at` is the `ts` of the newest entry, or `created_at` if later. `title`
is the display name of a room with an address. `policy_seq` is the `seq` of the newest entry that may revoke a
permission; 0 implies the default policy, no sanctions and no roles above `member`. The policy columns are the fields of
`server.domain.permissions.Policy`. `direct_key` identifies the members of a direct room. No `id` is used again, because
clients of the conversation dialect store them.
"""

has_expiring_entries = or_(
    rooms.c.keep_days.is_not(None),
    rooms.c.keep_messages.is_not(None),
    rooms.c.visibility == literal_column("'deleted'"),
)
"""Condition of rooms with entries that expire; equal to that of their index."""

Index("rooms_with_expiring", rooms.c.id, sqlite_where=has_expiring_entries, postgresql_where=has_expiring_entries)

memberships = Table(
    "memberships",
    metadata,
    Column("room_id", Int64, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("account", Text),
    Column("nick_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("joined_at", Int64, nullable=False),
    Column("read_seq", Int64, nullable=False, server_default="0"),
    Column("read_n", Int64, nullable=False, server_default="0"),
    Index("memberships_by_member", "member_id"),
    sqlite_with_rowid=False,
)
"""Durable members of rooms: accounts that joined, and guests who were invited.

`role` is `member`, `moderator` or `owner`. `read_seq` and `read_n` are the read marker.
"""

sanctions = Table(
    "sanctions",
    metadata,
    Column("room_id", Int64, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("nick_name", Text, nullable=False),
    Column("account", Text),
    Column("until", Int64),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("address_hash", LargeBinary),
    Index("sanctions_by_member", "member_id"),
    Index("sanctions_by_address", "address_hash"),
    sqlite_with_rowid=False,
)
"""Bans and mutes of rooms, with `kind` `ban` or `mute`; a sanction without `until` has no end.

`nick_name` and `account` are those of the target, `by` is the member id of the moderator. A ban with
`address_hash` also applies to guests from this address.
"""

invites = Table(
    "invites",
    metadata,
    Column("id", Int64, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("room_id", Int64, index=True),
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", Int64, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
)
"""Invites to a room, or to the server if `room_id` is null. `digest` is the SHA-256 of the code."""

hooks = Table(
    "hooks",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("room_id", Int64, nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("nick_name", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
)
"""Webhooks of rooms. `digest` is the SHA-256 of the secret; `created_by` is the member id of the creator."""

accounts = Table(
    "accounts",
    metadata,
    Column("id", Int64, primary_key=True),
    Column("name", Text, nullable=False),
    Column("nick_name", Text, nullable=False),
    Column("member_id", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("erasure", Text),
    Column("password_hash", Text),
    Column("about", Text, nullable=False),
    Column("email", Text, index=True),
    Column("avatar_path", Text),
    Column("created_at", Int64, nullable=False),
    Column("updated_at", Int64, nullable=False),
    Column("change_seq", Int64, nullable=False, index=True),
)
"""Accounts, including deleted ones, whose member ids stay in use.

`role` is `user` or `admin`. `email` is not verified, so several accounts may have the same. `password_hash` is an
encoded Argon2id hash, null for bots and deleted accounts. `erasure` is `keep` or `delete` while the entries of a
deleted account are being rewritten (`server.gateway.account_erasure`). `change_seq` numbers the last change of the
account, its tokens or its blocks (`server.storage.account_changes`).
"""

account_names = Table(
    "account_names",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account_id", Int64, nullable=False, index=True),
    Column("is_login", Boolean, nullable=False),
)
"""Reserved names: the canonical keys of account names (`is_login`) and of different nicknames, in one namespace."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", Int64, primary_key=True),
    Column("account_id", Int64, nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("last_used_at", Int64, nullable=False),
)
"""Tokens of the devices of accounts. `digest` is the SHA-256 of the token; `last_used_at` is a full hour."""

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
    Column("attachments", LargeBinary),
    Column("is_bot", Boolean, nullable=False, server_default=false()),
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
"""Log entries of all rooms. `text` is the body of a message, the new text of an edit, a topic, or the fields of a
member or policy change as JSON (`server.storage.row_mapping`), otherwise empty.

The columns `text`, `edited` (`seq` of the newest edit) and `deleted` of a message hold its current state.
`client_id` is the UUID of the command, as 32 hexadecimal digits. `attachments` are the files of a message that is not
deleted, as JSON (`tui_chat.protocol.events.Attachment`). `is_bot` is true for messages of bots and webhooks.

`n` is the number of messages of the room up to this entry, including deleted and removed ones: for a message its
ordinal, and for any other entry that of the preceding message. The number of unread messages after an entry is
`rooms.last_n - n`.
"""

is_audited = or_(*(entries.c.kind == literal_column(f"'{kind}'") for kind in ("member", "policy", "delete")))
"""Condition of the entries in the audit of a room; equal to that of their index.

SQLite evaluates the condition at each insert; an IN expression would build a temporary table each time.
"""

Index("audit_by_seq", entries.c.room_id, entries.c.seq, sqlite_where=is_audited, postgresql_where=is_audited)

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

mentions = Table(
    "mentions",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("room_id", Int64, primary_key=True),
    Column("seq", Int64, primary_key=True),
    Column("author_id", Text, nullable=False),
    Column("entry_id", Int64, nullable=False),
    Index("mentions_by_entry", "member_id", "entry_id"),
    Index("mentions_by_message", "room_id", "seq"),
    sqlite_with_rowid=False,
)
"""Mentions in the current texts of messages, one row per mentioned account that is a durable member.

The `member_id` of a mention of all members is empty (`ALL_MEMBERS`). `author_id` is the member id of the author.
"""

blocks = Table(
    "blocks",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("blocked_id", Text, primary_key=True),
    Column("nick_name", Text, nullable=False),
    Column("account", Text),
    Column("created_at", Int64, nullable=False),
    sqlite_with_rowid=False,
)
"""Members that the account with `member_id` has blocked, with their names at the time of the block."""

uploads = Table(
    "uploads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("quota_key", Text, nullable=False),
    Column("room_id", Int64),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("size", Int64, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("has_preview", Boolean, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("is_pinned", Boolean, nullable=False),
    Column("created_at", Int64, nullable=False),
    Index("uploads_by_quota", "quota_key", "created_at", "size"),
    Index("uploads_by_creation", "created_at"),
)
"""Uploaded files. The object store contains their bytes (`server.uploads.object_store`).

`state` is a value of `server.domain.uploads.UploadState`. `quota_key` identifies the owner of the daily quota.
`room_id` is the room of the first message with the file, null before. `digest` is the SHA-256 of the stored bytes. A
pinned upload belongs to a profile or a group, and is stored without a message.
"""

attachments = Table(
    "attachments",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("room_id", Int64, primary_key=True),
    Column("seq", Int64, primary_key=True),
    Index("attachments_by_message", "room_id", "seq"),
    sqlite_with_rowid=False,
)
"""References of messages that are not deleted to their files; an unpinned upload without a reference is removed."""

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
"""Last allocated numbers; that of entries in SQLite only. Counters never decrease."""

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""Persistent values of the server, such as the signing secret of guest keys."""

schema_fingerprint = Table("schema_fingerprint", metadata, Column("fingerprint", Text, primary_key=True))
"""One row: the value of `server.storage.schema.FINGERPRINT` at the creation of the database."""
