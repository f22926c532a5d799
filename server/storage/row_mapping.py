"""Conversion of database rows to wire entries."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from tui_chat.protocol.events import Deletion, Edit, Entry, Message, Reaction, ReactionSummary, TopicChange

StoredEntry = Row[Any] | SimpleNamespace
KIND_MESSAGE = "message"  # the kind of a row is the tag of its wire entry


def entry_from_row(room: str, row: StoredEntry, reactions: Mapping[str, ReactionSummary] | None = None) -> Entry:
    """Return the entry of a row of `entries`.

    Args:
        room: Display name of the room.
        row: Row with all columns of `entries`.
        reactions: Current reactions of a message by emoji; ignored for other kinds.

    Raises:
        ValueError: The kind of the row is unknown to this version.
    """
    if row.kind == KIND_MESSAGE:
        return message_from_row(room, row, reactions)
    common: dict[str, Any] = {
        "room": room,
        "seq": row.seq,
        "id": row.id,
        "ts": row.ts,
        "member_id": row.member_id,
        "nick_name": row.nick_name,
    }
    match row.kind:
        case "edit":
            return Edit(**common, target=row.target, message=row.text)
        case "delete":
            return Deletion(**common, target=row.target)
        case "reaction":
            return Reaction(**common, target=row.target, emoji=row.emoji, on=bool(row.is_on))
        case "topic":
            return TopicChange(**common, topic=row.text)
        case unknown_kind:
            raise ValueError(f"unknown entry kind {unknown_kind!r}")


def message_from_row(room: str, row: StoredEntry, reactions: Mapping[str, ReactionSummary] | None = None) -> Message:
    """Return the message of a row in its current state; parameters as in `entry_from_row`.

    A deleted message has an empty text. Without reactions, `reactions` is None.
    """
    return Message(
        room=room,
        seq=row.seq,
        id=row.id,
        nick_name=row.nick_name,
        member_id=row.member_id,
        message=row.text,
        ts=row.ts,
        account=row.account,
        reply_to=row.reply_to,
        edited=row.edited,
        deleted=bool(row.deleted),
        reactions=dict(reactions) if reactions else None,
    )
