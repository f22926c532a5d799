"""Conversion of database rows to wire entries."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from tui_chat.protocol.events import Deletion, Edit, Entry, Message, Reaction, ReactionSummary, TopicChange

StoredEntry = Row[Any] | SimpleNamespace
KIND_MESSAGE = "message"  # the kind of a row is the tag of its wire entry


def entry_from_row(room: str, row: StoredEntry, reactions: Mapping[str, ReactionSummary] | None = None) -> Entry:
    """Return the entry of a row of `entries`; a message in its current state.

    A deleted message has an empty text, and a message without reactions has None in `reactions`.

    Args:
        room: Display name of the room.
        row: Row with all columns of `entries`.
        reactions: Current reactions of a message by emoji; ignored for other kinds.

    Raises:
        ValueError: The kind of the row is unknown to this version.
    """
    common: dict[str, Any] = {
        "room": room,
        "seq": row.seq,
        "id": row.id,
        "ts": row.ts,
        "member_id": row.member_id,
        "nick_name": row.nick_name,
    }
    match row.kind:
        case "message":
            return Message(
                **common,
                message=row.text,
                account=row.account,
                reply_to=row.reply_to,
                n=row.n,
                edited=row.edited,
                deleted=bool(row.deleted),
                reactions=dict(reactions) if reactions else None,
            )
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
