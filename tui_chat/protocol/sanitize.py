"""Cleaning of every string that another person will see.

Rule 1  What comes out is NFC (UAX #15) and cleaning it again changes nothing.
Rule 2  No C0 or C1 control and no DEL is left; a body keeps tab and newline.
Rule 3  No bidirectional embedding, override or isolate is left (UAX #9): they
        would reorder what stands around the text.
Rule 4  Nothing is cut. What is too long, or cannot be encoded, is refused.

The server cleans what it stores, the client what it shows, with this code.
"""

import re
import unicodedata

from tui_chat.protocol.errors import BadRequest, TooLong
from tui_chat.protocol.limits import MESSAGE_CHARACTERS, QUERY_CHARACTERS, TOPIC_CHARACTERS

_BIDI_CONTROLS = "\u202a-\u202e\u2066-\u2069"
_NEWLINES = re.compile("\r\n|[\r\x85\u2028\u2029]")
_FORBIDDEN_IN_BODY = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI_CONTROLS}]")
_FORBIDDEN_IN_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f{_BIDI_CONTROLS}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def sanitize_body(text: str) -> str:
    """A message body of any length without what could harm a reader.

    Raises:
        BadRequest: It holds a lone surrogate, which no encoding can carry.
    """
    if text.isascii() and text.isprintable():
        return text  # most of what is said: nothing in it could be cleaned
    text = _NEWLINES.sub("\n", _require_encodable(text))
    return unicodedata.normalize("NFC", _FORBIDDEN_IN_BODY.sub("", text))


def sanitize_line(text: str) -> str:
    """One line: line breaks and tabs become spaces, the rest as in a body.

    Raises:
        BadRequest: It holds a lone surrogate.
    """
    text = _NEWLINES.sub("\n", _require_encodable(text)).replace("\n", " ").replace("\t", " ")
    return unicodedata.normalize("NFC", _FORBIDDEN_IN_LINE.sub("", text)).strip()


def validate_message_body(text: str) -> str:
    """A body as a message may have it: cleaned, not empty, not too long.

    Raises:
        BadRequest: Nothing is left of it, or it cannot be encoded.
        TooLong: More than `MESSAGE_CHARACTERS` code points are left.
    """
    text = _require_max_length(sanitize_body(text), MESSAGE_CHARACTERS, "a message")
    if not text.strip():
        raise BadRequest("a message cannot be empty")
    return text


def validate_topic(text: str) -> str:
    """A topic as a room may have it; empty takes the topic away."""
    return _require_max_length(sanitize_line(text), TOPIC_CHARACTERS, "a topic")


def validate_query(text: str) -> str:
    """What somebody searches for."""
    return _require_max_length(sanitize_line(text), QUERY_CHARACTERS, "a query")


def _require_encodable(text: str) -> str:
    if _SURROGATE.search(text):
        raise BadRequest("the text holds a lone surrogate")
    return text


def _require_max_length(text: str, limit: int, label: str) -> str:
    if len(text) > limit:
        raise TooLong(f"{label} can have {limit:,} characters, this one has {len(text):,}")
    return text
