"""Sanitizing of texts: by the server before their storage, by the client before their display.

- Normalization: the result is NFC (UAX #15), and sanitizing is idempotent.
- Control characters: C0, C1 and DEL are removed; bodies keep tab and newline.
- Bidirectional formatting: embeddings, overrides and isolates (UAX #9) are removed, because they reorder text outside
  of the message.
- Blank texts: a text without a visible character counts as empty in the functions `validate_…`.
- Limits: the functions `validate_…` raise `TooLong` for a sanitized text above the limit in code points.
- Unencodable text: all functions that sanitize raise `BadRequest` for a lone surrogate.
"""

import re
import unicodedata

from tui_chat.protocol.errors import BadRequest, TooLong
from tui_chat.protocol.limits import (
    ABOUT_CHARACTERS,
    FILE_NAME_CHARACTERS,
    LABEL_CHARACTERS,
    MESSAGE_CHARACTERS,
    QUERY_CHARACTERS,
    REASON_CHARACTERS,
    STATUS_CHARACTERS,
    TOPIC_CHARACTERS,
)

_BIDI_CONTROLS = "\u202a-\u202e\u2066-\u2069"
BLANK_GLYPHS = "\u2800\ufffc\U00013441\U00013442\U0001d159"
"""Characters without a visible glyph that Unicode classifies as visible."""

DEFAULT_IGNORABLES = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point (DerivedCoreProperties.txt) as the content of a character class."""

_FORMAT_CONTROLS = "\x00-\x1f\x7f-\x9f\ufff9-\ufffb\U00013430-\U00013440"
_VISIBLE = re.compile(rf"[^\s{_FORMAT_CONTROLS}{DEFAULT_IGNORABLES}{BLANK_GLYPHS}]")
_NEWLINES = re.compile("\r\n|[\r\x85\u2028\u2029]")
_FORBIDDEN_IN_BODY = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI_CONTROLS}]")
_FORBIDDEN_IN_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f{_BIDI_CONTROLS}]")
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|\Z)"  # control sequence
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # string with its terminator
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x90\x98\x9b\x9d-\x9f]"  # C1 introducer without the rest of its sequence
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def sanitize_body(text: str) -> str:
    """Return a message body of any length in sanitized form, possibly empty.

    All line breaks become newlines; tabs and surrounding space are kept.
    """
    if text.isascii() and text.isprintable():
        return text  # fast path for most messages
    text = _NEWLINES.sub("\n", _require_encodable(text))
    return unicodedata.normalize("NFC", _FORBIDDEN_IN_BODY.sub("", text))


def sanitize_line(text: str) -> str:
    """Return a text of any length as one sanitized line, with one space in place of each tab and line break.

    Surrounding space is removed, and the result may be empty or invisible.
    """
    text = _NEWLINES.sub("\n", _require_encodable(text)).replace("\n", " ").replace("\t", " ")
    return unicodedata.normalize("NFC", _FORBIDDEN_IN_LINE.sub("", text)).strip()


def is_blank(text: str) -> bool:
    """Return whether a text has no visible character."""
    return _VISIBLE.search(text) is None


def remove_escape_sequences(text: str) -> str:
    """Return a text without terminal escape sequences (ECMA-48); an unterminated string loses only its introducer."""
    return _ESCAPE_SEQUENCE.sub("", text)


def validate_message_body(text: str) -> str:
    """Return a sanitized message body with its surrounding space; raise `BadRequest` for a blank one."""
    text = _require_max_length(sanitize_body(text), MESSAGE_CHARACTERS, "message_too_long")
    if is_blank(text):
        raise BadRequest("message_empty")
    return text


def validate_topic(text: str) -> str:
    """Return a sanitized single-line topic, empty for a blank one."""
    return _validate_line(text, TOPIC_CHARACTERS, "topic_too_long")


def validate_query(text: str) -> str:
    """Return a sanitized single-line search query, empty for a blank one."""
    return _validate_line(text, QUERY_CHARACTERS, "query_too_long")


def validate_reason(text: str) -> str:
    """Return the sanitized single-line reason of a moderation action, empty for a blank one."""
    return _validate_line(text, REASON_CHARACTERS, "reason_too_long")


def validate_status(text: str) -> str:
    """Return a sanitized single-line status text, empty for a blank one."""
    return _validate_line(text, STATUS_CHARACTERS, "status_too_long")


def validate_about(text: str) -> str:
    """Return the sanitized single-line text of a profile, empty for a blank one."""
    return _validate_line(text, ABOUT_CHARACTERS, "about_too_long")


def validate_device_label(text: str) -> str:
    """Return a sanitized single-line name of a device, empty for a blank one."""
    return _validate_line(text, LABEL_CHARACTERS, "label_too_long")


def validate_file_name(text: str) -> str:
    """Return a sanitized single-line file name without directories; `file` for a blank name, `.` and `..`.

    Directories end with `/` or a backslash.
    """
    name = _validate_line(re.split(r"[/\\]", text)[-1], FILE_NAME_CHARACTERS, "file_name_too_long")
    return "file" if name in ("", ".", "..") else name


def _validate_line(text: str, limit: int, reason: str) -> str:
    line = _require_max_length(sanitize_line(text), limit, reason)
    return "" if is_blank(line) else line


def _require_encodable(text: str) -> str:
    if _SURROGATE.search(text):
        raise BadRequest("text_unencodable")
    return text


def _require_max_length(text: str, limit: int, reason: str) -> str:
    if len(text) > limit:
        raise TooLong(reason, limit=limit, count=len(text))
    return text
