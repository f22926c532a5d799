"""Messages of groups of the conversation dialect, in their current state."""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, and_, select

from server.storage.row_mapping import decode_attachments
from server.storage.search import find_first_seq
from server.storage.tables import entries, rooms
from tui_chat.protocol.events import Attachment

MESSAGE_CONDITIONS = (entries.c.kind == "message", entries.c.deleted.is_(False))
"""Conditions of messages that are not deleted."""

_edits = entries.alias("edits")
_select_messages = select(
    *(entries.c[name] for name in ("id", "room_id", "text", "member_id", "nick_name", "ts", "attachments")),
    _edits.c.ts.label("edited_at"),
).outerjoin(_edits, and_(_edits.c.room_id == entries.c.room_id, _edits.c.seq == entries.c.edited))


class MessageRecord(Struct, frozen=True, kw_only=True):
    """Message in its current state.

    Attributes:
        id: Id of the log entry.
        group_id: Id of the room.
        nick_name: Nickname of the author at the time of the message.
        created_at: Time of the message in milliseconds since the epoch.
        updated_at: Time of the newest edit, otherwise that of the message.
        attachments: Files of the message.
    """

    id: int
    group_id: int
    text: str
    member_id: str
    nick_name: str
    created_at: int
    updated_at: int
    attachments: list[Attachment] | None = None


def list_messages(connection: Connection, *, group_id: int, before_id: int | None, limit: int) -> list[MessageRecord]:
    """Return the newest messages of a room, newest first, without deleted and removed ones; empty for an unknown room.

    Args:
        before_id: Exclusive upper bound of the entry id, None for no bound.
    """
    room = connection.execute(select(rooms).where(rooms.c.id == group_id)).one_or_none()
    if room is None:
        return []
    in_range = [entries.c.room_id == group_id, entries.c.seq >= room.first_seq]
    if before_id is not None:
        in_range.append(entries.c.seq < find_first_seq(connection, room, entries.c.id, before_id))
    statement = _select_messages.where(*in_range, *MESSAGE_CONDITIONS).order_by(entries.c.seq.desc()).limit(limit)
    return _from_rows(connection.execute(statement).all())


def read_messages(connection: Connection, entry_ids: Collection[int]) -> dict[int, MessageRecord]:
    """Return the messages among entries of any rooms by entry id, without deleted ones."""
    rows = connection.execute(_select_messages.where(entries.c.id.in_(entry_ids), *MESSAGE_CONDITIONS)).all()
    return {message.id: message for message in _from_rows(rows)}


def _from_rows(rows: Sequence[Row[Any]]) -> list[MessageRecord]:
    return [
        MessageRecord(
            id=row.id,
            group_id=row.room_id,
            text=row.text,
            member_id=row.member_id,
            nick_name=row.nick_name,
            created_at=row.ts,
            updated_at=row.edited_at or row.ts,
            attachments=decode_attachments(row.attachments),
        )
        for row in rows
    ]
