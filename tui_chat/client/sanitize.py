"""Sanitizing of received text, independent of the server.

- Rules: as in `tui_chat.protocol.sanitize`. A valid object is returned without a copy, unless it contains a list or
  reactions.
- Truncation: text above the protocol limits is truncated with a visible mark, because a basic server may
  send a message of megabytes, or 40,000 terminal rows.
- Idempotent: sanitized text is returned unchanged.
- Timestamps: clamped to the years that `datetime` supports in every time zone.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from wcwidth import iter_graphemes

from tui_chat.protocol.account_responses import AccountProfile, Device
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import (
    Attachment,
    Deletion,
    Edit,
    JoinNotice,
    LeaveNotice,
    Member,
    MemberChange,
    MemberRef,
    Message,
    NickNotice,
    PolicyChange,
    Reaction,
    ReactionSummary,
    Reactor,
    TopicChange,
    UnknownEntry,
)
from tui_chat.protocol.limits import (
    ATTACHMENTS_PER_MESSAGE,
    NAME_CODE_POINTS,
    NICKNAME_GRAPHEMES,
    PATH_CHARACTERS,
    REACTION_CODE_POINTS,
    REACTION_NAMES,
    REACTIONS_PER_MESSAGE,
    ROOM_NAME_GRAPHEMES,
    STATUS_CHARACTERS,
    STORED_MESSAGE_CHARACTERS,
    TOPIC_CHARACTERS,
)
from tui_chat.protocol.names import validate_room_name
from tui_chat.protocol.responses import GroupCode, Hook, HookCreated, Invite, OwnRoom, RoomSummary, SendResponse
from tui_chat.protocol.sanitize import sanitize_body, sanitize_line

StructT = TypeVar("StructT", bound=Struct)

MAX_LINE_LENGTH = 2 * NAME_CODE_POINTS + 100
"""Character limit of single-line text: two names and a short phrase."""

MAX_ID_LENGTH = 2 * NAME_CODE_POINTS
"""Character limit of a member id; `chat-server` ids have 22 characters."""

ROLES = ("member", "moderator", "owner")
"""Known roles of members; unknown roles become the first."""

MAX_TIMESTAMP = 253_402_214_400_000
"""Latest timestamp in milliseconds since the epoch, the start of 9999-12-31 UTC."""

_FILE_PATH = re.compile(r"/api/uploads/[\w-]+(?:\.preview)?/[\w.~!$&'()*+,;=:@%-]+", re.ASCII)

ELLIPSIS = "…"
"""End of truncated text; in a message, followed by the number of characters above the limit."""


def nickname(text: str) -> str:
    """Return a sanitized nickname or account name, possibly empty; longer ones end with `…` at `NICKNAME_GRAPHEMES`."""
    return _sanitize_name(text, NICKNAME_GRAPHEMES)


def room_name(text: str) -> str:
    """Return a sanitized room name, possibly empty; a longer one ends with `…` at `ROOM_NAME_GRAPHEMES`."""
    return _sanitize_name(text, ROOM_NAME_GRAPHEMES)


def topic(text: str) -> str:
    """Return a sanitized single-line topic; a longer one ends with `…` within `TOPIC_CHARACTERS`. May be empty."""
    return line(text, TOPIC_CHARACTERS)


def status(text: str) -> str:
    """Return a sanitized status text; a longer one ends with `…` within `STATUS_CHARACTERS`. May be empty."""
    return line(text, STATUS_CHARACTERS)


def member_id(text: str) -> str:
    """Return a member id, truncated to `MAX_ID_LENGTH` characters, otherwise unchanged. Ids are never displayed."""
    return text if len(text) <= MAX_ID_LENGTH else text[:MAX_ID_LENGTH]


def line(text: str, max_length: int = MAX_LINE_LENGTH) -> str:
    """Return sanitized single-line text.

    Line breaks become spaces, and surrounding whitespace is removed. Text above `max_length` characters ends with `…`
    within the limit.
    """
    if len(text) <= max_length and text.isascii() and text.isprintable() and text.strip() == text:
        return text
    sanitized = sanitize_line(text[:max_length])
    if max(len(text), len(sanitized)) > max_length:  # NFC can lengthen a text
        return sanitized[: max_length - len(ELLIPSIS)] + ELLIPSIS
    return text if sanitized == text else sanitized


def body(text: str) -> str:
    """Return the sanitized text of a message.

    Longer text is truncated to `STORED_MESSAGE_CHARACTERS`, including a suffix of `…` and the number of characters
    above this limit. The characters displaced by the suffix are not counted.
    """
    if len(text) <= STORED_MESSAGE_CHARACTERS and text.isascii() and text.isprintable():
        return text
    sanitized = sanitize_body(text[:STORED_MESSAGE_CHARACTERS])
    excess = max(len(text), len(sanitized)) - STORED_MESSAGE_CHARACTERS
    if excess > 0:
        suffix = f"{ELLIPSIS} ✂ +{excess:,}"
        return sanitized[: STORED_MESSAGE_CHARACTERS - len(suffix)] + suffix
    return text if sanitized == text else sanitized


def timestamp(ts: int) -> int:
    """Return a timestamp in milliseconds since the epoch, at least 0 and at most `MAX_TIMESTAMP`."""
    return max(0, min(ts, MAX_TIMESTAMP))


def found_messages(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield sanitized messages of several rooms; skip those with an invalid room name."""
    for message in messages:
        with suppress(ChatError):
            yield replace(received(message), room=validate_room_name(message.room))


def _sanitize_name(text: str, max_graphemes: int) -> str:
    text = line(text, NAME_CODE_POINTS)
    if len(text) > max_graphemes and len(graphemes := list(iter_graphemes(text))) > max_graphemes:
        return "".join(graphemes[: max_graphemes - 1]) + ELLIPSIS
    return text


def _role(text: str) -> str:
    return text if text in ROLES else ROLES[0]


def _reactions(reactions: dict[str, ReactionSummary]) -> dict[str, ReactionSummary]:
    return {
        _emoji(emoji): replace(summary, by=[received(reactor) for reactor in summary.by[:REACTION_NAMES]])
        for emoji, summary in islice(reactions.items(), REACTIONS_PER_MESSAGE)
    }


def _emoji(text: str) -> str:
    return line(text, REACTION_CODE_POINTS)


def _member_ref(ref: MemberRef) -> MemberRef:
    return received(ref)


def _member_refs(refs: list[MemberRef]) -> list[MemberRef]:
    return [_member_ref(ref) for ref in refs]


def _attachments(attachments: list[Attachment]) -> list[Attachment]:
    return [received(attachment) for attachment in attachments[:ATTACHMENTS_PER_MESSAGE]]


def _path(path: str) -> str:
    return path if len(path) <= PATH_CHARACTERS and _FILE_PATH.fullmatch(path) else ""


_AUTHOR = {"nick_name": nickname, "member_id": member_id}
_ENTRY = {**_AUTHOR, "ts": timestamp}
_NOTICE = {**_ENTRY, "message": line, "via": nickname}
_SANITIZERS: dict[type[Struct], Mapping[str, Callable[[Any], object]]] = {
    Message: {**_ENTRY, "message": body, "account": nickname, "reactions": _reactions, "attachments": _attachments},
    Attachment: {"name": line, "type": line, "path": _path, "preview": _path, "poster": _path},
    Edit: {**_ENTRY, "message": body},
    Deletion: _ENTRY,
    Reaction: {**_ENTRY, "emoji": _emoji},
    TopicChange: {**_ENTRY, "topic": topic},
    MemberRef: {**_AUTHOR, "account": nickname},
    MemberChange: {
        **_ENTRY,
        **{"action": line, "target": _member_ref, "by": _member_ref},
        **{"until": timestamp, "reason": topic, "role": _role},
    },
    PolicyChange: {**_ENTRY, "new_name": room_name, "title": room_name},
    UnknownEntry: _ENTRY,
    Reactor: _AUTHOR,
    Member: {**_AUTHOR, "role": _role, "account": nickname, "via": nickname, "away": status},
    JoinNotice: _NOTICE,
    LeaveNotice: _NOTICE,
    NickNotice: {**_NOTICE, "old_nick_name": nickname},
    SendResponse: {"ts": timestamp, "nick_name": nickname},
    RoomSummary: {"name": room_name, "topic": topic},
    Hook: {"id": member_id, "nick_name": nickname, "created_by": _member_ref, "created_at": timestamp},
    HookCreated: {"id": line, "url": line},
    GroupCode: {"code": line},
    Invite: {"id": line, "expires_at": timestamp, "code": line, "url": line},
    OwnRoom: {"name": room_name, "role": _role, "title": topic, "direct": _member_refs},
    Device: {"label": line, "created_at": timestamp, "last_used_at": timestamp},
    AccountProfile: {**_AUTHOR, "account": nickname, "about": body, "created_at": timestamp},
}


def received(raw: StructT) -> StructT:
    """Return a received object of a type in `_SANITIZERS` with sanitized fields.

    Texts, member ids and timestamps are sanitized, except the room name of an entry or notice. Of a message, reactions
    above `REACTIONS_PER_MESSAGE`, reactors above `REACTION_NAMES` and attachments above `ATTACHMENTS_PER_MESSAGE` are
    omitted. An invalid file path becomes empty, and an unknown role `member`. The object itself is not modified.
    """
    changed: dict[str, object] = {}
    for name, sanitizer in _SANITIZERS[type(raw)].items():
        value = getattr(raw, name)
        if value is not None and (sanitized := sanitizer(value)) is not value:
            changed[name] = sanitized
    return replace(raw, **changed) if changed else raw
