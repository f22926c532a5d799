"""Rows of the log as the wire's entries."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from tui_chat.protocol.events import Deletion, Edit, Entry, Message, Reaction, TopicChange

KIND_MESSAGE = "message"
KIND_EDIT = "edit"
KIND_DELETE = "delete"
KIND_REACTION = "reaction"
KIND_TOPIC = "topic"


def entry_from_row(room: str, row: Row[Any], reactions: Mapping[str, list[str]] | None = None) -> Entry:
    """The entry that a row of `entries` holds.

    Args:
        room: The room's name, as it is shown.
        row: All columns of the row.
        reactions: Those that stand under it now, when it is a message.

    Raises:
        ValueError: The row is of a kind that this version does not know.
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
            return Reaction(**common, target=row.target, emoji=row.emoji, on=row.is_on)
        case "topic":
            return TopicChange(**common, topic=row.text)
        case unknown_kind:
            raise ValueError(f"an entry of the unknown kind {unknown_kind!r}")


def message_from_row(room: str, row: Row[Any], reactions: Mapping[str, list[str]] | None = None) -> Message:
    """The message in its present state; see `entry`."""
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
        deleted=row.deleted,
        reactions=dict(reactions) if reactions else None,
    )


def group_reactions(rows: Sequence[Row[Any]]) -> dict[int, dict[str, list[str]]]:
    """Rows of `reactions`, in the order to be shown, as target → emoji → the members who chose it."""
    reactions_by_target: dict[int, dict[str, list[str]]] = {}
    for row in rows:
        reactions_by_target.setdefault(row.target, {}).setdefault(row.emoji, []).append(row.member_id)
    return reactions_by_target
