"""Sanitizing of received text, independent of the server.

- Rules: as in `tui_chat.protocol.sanitize`. Valid objects are returned unchanged and without a copy.
- Truncation: text above the protocol limits is truncated with a visible mark, because a basic server may
  send a message of megabytes, or 40,000 terminal rows.
- Idempotent: sanitized text is returned unchanged.
"""

from collections.abc import Iterable

from msgspec.structs import replace
from wcwidth import iter_graphemes

from tui_chat.protocol.events import (
    Deletion,
    Edit,
    Entry,
    JoinNotice,
    LeaveNotice,
    Member,
    Message,
    MessageChange,
    NickNotice,
    Reaction,
    TopicChange,
)
from tui_chat.protocol.limits import (
    MESSAGE_CHARACTERS,
    NAME_CODE_POINTS,
    NICKNAME_GRAPHEMES,
    REACTION_CODE_POINTS,
    ROOM_NAME_GRAPHEMES,
    TOPIC_CHARACTERS,
)
from tui_chat.protocol.responses import RoomSummary
from tui_chat.protocol.sanitize import sanitize_body, sanitize_line

MAX_LINE_LENGTH = 2 * NAME_CODE_POINTS + 100
"""Character limit of single-line text: two names and a short phrase."""

MAX_ID_LENGTH = 2 * NAME_CODE_POINTS
"""Character limit of a member id; `chat-server` ids have 22 characters."""

ELLIPSIS = "…"
"""End of truncated text; in a message, followed by the number of characters above the limit."""


def entry(raw: Entry) -> Entry:
    """Return a sanitized entry."""
    safe_nick, safe_id = nickname(raw.nick_name), member_id(raw.member_id)
    if safe_nick is not raw.nick_name or safe_id is not raw.member_id:
        raw = replace(raw, nick_name=safe_nick, member_id=safe_id)
    match raw:
        case Message():
            return _sanitize_message(raw)
        case Edit():
            text = body(raw.message)
            return raw if text is raw.message else replace(raw, message=text)
        case Reaction():
            safe_emoji = line(raw.emoji, REACTION_CODE_POINTS)
            return raw if safe_emoji is raw.emoji else replace(raw, emoji=safe_emoji)
        case TopicChange():
            safe_topic = topic(raw.topic)
            return raw if safe_topic is raw.topic else replace(raw, topic=safe_topic)
        case Deletion():
            return raw


def message(raw: Message) -> Message:
    """Return a sanitized message."""
    sanitized = entry(raw)
    assert isinstance(sanitized, Message)
    return sanitized


def change(raw: MessageChange) -> MessageChange:
    """Return a sanitized edit, deletion or reaction."""
    sanitized = entry(raw)
    assert isinstance(sanitized, MessageChange)
    return sanitized


def entries(raw: Iterable[Entry]) -> list[Entry]:
    """Return sanitized entries in the same order."""
    return [entry(item) for item in raw]


def member(raw: Member) -> Member:
    """Return a member with sanitized names and id."""
    safe_id, safe_nick = member_id(raw.member_id), nickname(raw.nick_name)
    account, via = _optional_nickname(raw.account), _optional_nickname(raw.via)
    if safe_id is raw.member_id and safe_nick is raw.nick_name and account is raw.account and via is raw.via:
        return raw
    return replace(raw, member_id=safe_id, nick_name=safe_nick, account=account, via=via)


def notice(raw: JoinNotice | LeaveNotice | NickNotice) -> JoinNotice | LeaveNotice | NickNotice:
    """Return a sanitized notice."""
    sanitized = replace(
        raw,
        nick_name=nickname(raw.nick_name),
        member_id=member_id(raw.member_id),
        message=line(raw.message),
        via=_optional_nickname(raw.via),
    )
    if isinstance(sanitized, NickNotice):
        return replace(sanitized, old_nick_name=nickname(sanitized.old_nick_name))
    return sanitized


def summary(raw: RoomSummary) -> RoomSummary:
    """Return a sanitized room list item."""
    return replace(raw, name=room_name(raw.name), topic=topic(raw.topic))


def _optional_nickname(text: str | None) -> str | None:
    return None if text is None else nickname(text)


def nickname(text: str) -> str:
    """Return a sanitized nickname or account name, truncated to `NICKNAME_GRAPHEMES`; may be empty."""
    return _sanitize_name(text, NICKNAME_GRAPHEMES)


def room_name(text: str) -> str:
    """Return a sanitized room name, truncated to `ROOM_NAME_GRAPHEMES`; may be empty."""
    return _sanitize_name(text, ROOM_NAME_GRAPHEMES)


def topic(text: str) -> str:
    """Return a sanitized topic."""
    return line(text, TOPIC_CHARACTERS)


def member_id(text: str) -> str:
    """Return a member id, truncated to `MAX_ID_LENGTH`. Ids are never displayed."""
    return text if len(text) <= MAX_ID_LENGTH else text[:MAX_ID_LENGTH]


def line(text: str, max_length: int = MAX_LINE_LENGTH) -> str:
    """Return sanitized single-line text.

    Line breaks become spaces, and surrounding whitespace is removed. Longer text ends with `…` within the limit.

    Args:
        text: Received text.
        max_length: Maximum number of characters.
    """
    if len(text) <= max_length and text.isascii() and text.isprintable() and text.strip() == text:
        return text
    sanitized = sanitize_line(text[:max_length])
    if max(len(text), len(sanitized)) > max_length:  # NFC can lengthen a text
        return sanitized[: max_length - len(ELLIPSIS)] + ELLIPSIS
    return text if sanitized == text else sanitized


def body(text: str) -> str:
    """Return the sanitized text of a message.

    Longer text is truncated to `MESSAGE_CHARACTERS`, including a suffix of `…` and the number of characters above
    this limit. The characters displaced by the suffix are not counted.
    """
    if len(text) <= MESSAGE_CHARACTERS and text.isascii() and text.isprintable():
        return text
    sanitized = sanitize_body(text[:MESSAGE_CHARACTERS])
    excess = max(len(text), len(sanitized)) - MESSAGE_CHARACTERS
    if excess > 0:
        suffix = f"{ELLIPSIS} ✂ +{excess:,}"
        return sanitized[: MESSAGE_CHARACTERS - len(suffix)] + suffix
    return text if sanitized == text else sanitized


def _sanitize_name(text: str, max_graphemes: int) -> str:
    text = line(text, NAME_CODE_POINTS)
    if len(text) > max_graphemes and len(graphemes := list(iter_graphemes(text))) > max_graphemes:
        return "".join(graphemes[: max_graphemes - 1]) + ELLIPSIS
    return text


def _sanitize_message(raw: Message) -> Message:
    text = body(raw.message)
    if text is not raw.message:
        raw = replace(raw, message=text)
    if raw.account is not None:
        raw = replace(raw, account=nickname(raw.account))
    if raw.reactions is not None:
        reactions = {line(emoji, REACTION_CODE_POINTS): member_ids for emoji, member_ids in raw.reactions.items()}
        raw = replace(raw, reactions=reactions)
    return raw
