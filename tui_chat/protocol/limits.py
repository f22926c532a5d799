"""Size limits of the protocol (docs/protocol.md, "Limits").

Excess length in a request is an error, never a truncation. Names are counted in grapheme clusters (UAX #29), texts in
code points after sanitizing.
"""

NICKNAME_GRAPHEMES = 32
ROOM_NAME_GRAPHEMES = 64
NAME_CODE_POINTS = 256
"""Limit of code points in a name, because a grapheme cluster can contain any number of combining marks."""

MESSAGE_CHARACTERS = 4_000
STORED_MESSAGE_CHARACTERS = 5_000
"""Maximum length of a stored message; only messages of the conversation dialect exceed `MESSAGE_CHARACTERS`."""

TOPIC_CHARACTERS = 250
QUERY_CHARACTERS = 250
REASON_CHARACTERS = 250
STATUS_CHARACTERS = 100
ABOUT_CHARACTERS = 250
LABEL_CHARACTERS = 100
FILE_NAME_CHARACTERS = 200
ATTACHMENTS_PER_MESSAGE = 10
"""Maximum number of files in a message."""

PATH_CHARACTERS = 4_096
"""Maximum length of the path of a file; one character of the file name takes up to 12 in the encoded path."""

SIGNED_PATHS = 100
"""Maximum number of paths in one `signAttachments` request."""

REACTION_CODE_POINTS = 16
"""Limit of code points in a reaction; the longest emoji, a kiss with two skin tones, has ten."""

REACTION_COLUMNS = 8
"""Maximum width of a word reaction in terminal columns."""

REACTIONS_PER_MESSAGE = 20
"""Maximum number of different reactions on a message."""

BLOCKS_PER_MEMBER = 1_000
"""Maximum number of members that one account can block."""

MENTIONS_PER_MESSAGE = 50
"""Maximum number of mentions in a message that are stored for `listMentions`."""

REACTION_NAMES = 20
"""Maximum number of members in the summary of a reaction."""

PACKET_BYTES = 64 * 1024
"""Maximum size of an encoded Engine.IO packet in bytes."""

ROOMS_PER_CONNECTION = 64
"""Maximum number of rooms that one connection can join or observe."""

HISTORY_PAGE = 200
"""Maximum number of entries in a history page and in a join response."""

HISTORY_DEFAULT = 50
"""Number of entries in a page without a requested `limit`."""

SEARCH_PAGE = 100
"""Maximum number of messages in a search response and in a page of `listMentions`."""

ROOM_LIST_PAGE = 200
"""Maximum number of rooms in a room list."""

MEMBER_PAGE = 500
"""Maximum number of members in a join response and in a page of `listMembers`."""

INVITE_DEFAULT_USES = 10
INVITE_USES = 10_000
"""Maximum number of redemptions of one invite."""

INVITE_DEFAULT_SECONDS = 7 * 24 * 3600
INVITE_SECONDS = 365 * 24 * 3600
"""Maximum validity of an invite in seconds."""

HOOKS_PER_ROOM = 20
"""Maximum number of webhooks of a room."""

DELETE_RECENT_SECONDS = 7 * 24 * 3600
"""Maximum age in seconds of messages that a ban deletes."""

DIRECT_MEMBERS = 8
"""Maximum number of members of a direct room."""

SECRET_CHARACTERS = 128
"""Maximum length of received opaque strings, such as ids, guest keys, tokens and cursors; issued ones are shorter."""

PASSWORD_MIN_CHARACTERS = 8
PASSWORD_CHARACTERS = 256
"""Limits of code points in a password, as received."""

SEQ_MAX = 2**53 - 1
"""Maximum of `seq`, `id` and `ts`: the largest exact integer of a JavaScript number (RFC 8259, section 6)."""
