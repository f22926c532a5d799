"""The sizes that the wire allows (docs/protocol.md, "Limits").

Too long is an error, never a silent cut. Names are counted in user-perceived
characters (UAX #29 grapheme clusters), texts in code points after cleaning.
"""

NICKNAME_GRAPHEMES = 32
ROOM_NAME_GRAPHEMES = 64
NAME_CODE_POINTS = 256
"""A name of few user-perceived characters can still hide hundreds of combining marks."""

MESSAGE_CHARACTERS = 4_000
TOPIC_CHARACTERS = 250
QUERY_CHARACTERS = 250
REACTION_CODE_POINTS = 16
"""The longest emoji, two people with skin tones who kiss, has ten."""
REACTION_COLUMNS = 8
"""Of a terminal, for a reaction that is a word."""

PACKET_BYTES = 64 * 1024
"""One Engine.IO packet, before it is decoded."""

ROOMS_PER_CONNECTION = 64

HISTORY_PAGE = 200
HISTORY_DEFAULT = 50
SEARCH_PAGE = 100
ROOM_LIST_PAGE = 200

SECRET_CHARACTERS = 128
"""Guest keys, tokens and invite codes as they may arrive; the server's own are shorter."""

SEQ_MAX = 2**53 - 1
"""`seq`, `id` and `ts` must survive a JavaScript number (RFC 8259, section 6)."""
