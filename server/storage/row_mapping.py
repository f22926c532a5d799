"""Conversion of database rows to wire entries."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import msgspec
from sqlalchemy import Row

from tui_chat.protocol.events import (
    Attachment,
    Deletion,
    Edit,
    Entry,
    MemberChange,
    Message,
    PolicyChange,
    Reaction,
    ReactionSummary,
    TopicChange,
)

StoredEntry = Row[Any] | SimpleNamespace
KIND_MESSAGE = "message"  # the kind of a row is the tag of its wire entry

_attachments_decoder = msgspec.json.Decoder(list[Attachment])

_COLUMN_FIELDS = frozenset({"kind", "room", "seq", "id", "ts", "memberId", "nickName"})  # wire fields with a column


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
                attachments=decode_attachments(row.attachments),
                bot=bool(row.is_bot),
            )
        case "edit":
            return Edit(**common, target=row.target, message=row.text)
        case "delete":
            return Deletion(**common, target=row.target)
        case "reaction":
            return Reaction(**common, target=row.target, emoji=row.emoji, on=bool(row.is_on))
        case "topic":
            return TopicChange(**common, topic=row.text)
        case "member":
            return _decode_fields(MemberChange, common, row.text)
        case "policy":
            return _decode_fields(PolicyChange, common, row.text)
        case unknown_kind:
            raise ValueError(f"unknown entry kind {unknown_kind!r}")


def decode_attachments(column: bytes | None) -> list[Attachment] | None:
    """Return the files of a message from the column `attachments`."""
    return None if column is None else _attachments_decoder.decode(column)


def encode_fields(entry: MemberChange | PolicyChange) -> str:
    """Return the fields of an entry that have no column, as JSON for the column `text`."""
    fields: dict[str, Any] = msgspec.to_builtins(entry)
    return msgspec.json.encode({name: fields[name] for name in fields.keys() - _COLUMN_FIELDS}).decode()


def _decode_fields(
    entry_type: type[MemberChange] | type[PolicyChange], common: dict[str, Any], text: str
) -> MemberChange | PolicyChange:
    """Return the entry with the common fields and those of `encode_fields`."""
    wire_names = dict(zip(entry_type.__struct_fields__, entry_type.__struct_encode_fields__, strict=True))
    fields = {wire_names[name]: value for name, value in common.items()}
    return msgspec.convert(fields | msgspec.json.decode(text), entry_type)
