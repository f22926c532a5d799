"""Plain text form of a room log.

A message is one line with its continuation rows indented, so that a message cannot imitate another line.
"""

from datetime import datetime, tzinfo
from typing import Any

import msgspec

from server.domain.uploads import append_file_lines
from tui_chat.protocol.events import ChangeEntry, Entry, MemberChange, Message, PolicyChange, TopicChange

_INDENT = " " * 4
_MEMBER_ACTIONS = {
    "joined": "{target} became a member",
    "left": "{target} is no longer a member",
    "invited": "{by} invited {target}",
    "kicked": "{by} removed {target}",
    "banned": "{by} banned {target}",
    "unbanned": "{by} ended the ban of {target}",
    "muted": "{by} silenced {target}",
    "unmuted": "{by} ended the silence of {target}",
    "role": "{by} made {target} {role}",
    "hookCreated": "{by} created the webhook {target}",
    "hookRevoked": "{by} revoked the webhook {target}",
    "inviteCreated": "{by} created an invite",
    "inviteRevoked": "{by} revoked an invite",
}
_COMMON_FIELDS = {"kind", *(field.encode_name for field in msgspec.structs.fields(ChangeEntry))}


def format_entry(entry: Entry, zone: tzinfo | None) -> str | None:
    """Return an entry as a line such as `2026-11-20 09:41:07 ann: hello`.

    Messages have their current state, as `(deleted)` or with `(edited)` after the text, followed by one row per file
    with name and path, and without reactions. Edits, deletions and reactions have no line of their own (None). Rows
    after the first one are indented. The times are those of `zone`, or of the system time zone for None.
    """
    match entry:
        case Message(deleted=True):
            text = f"{entry.nick_name}: (deleted)"
        case Message():
            message = " ".join(filter(None, [entry.message, "(edited)" if entry.edited else ""]))
            text = f"{entry.nick_name}: {append_file_lines(message, entry.attachments or (), str)}"
        case TopicChange(topic=""):
            text = f"* {entry.nick_name} removed the topic"
        case TopicChange():
            text = f"* {entry.nick_name} changed the topic to: {entry.topic}"
        case MemberChange():
            text = f"* {_describe_member_change(entry, zone)}"
        case PolicyChange():
            text = f"* {entry.nick_name} changed the room: {_describe_policy_change(entry)}"
        case _:
            return None
    return f"{_format_time(entry.ts, zone)} {text}".replace("\n", f"\n{_INDENT}")


def _describe_member_change(change: MemberChange, zone: tzinfo | None) -> str:
    """Return a member change as a sentence, with the end and the reason if it has them."""
    text = _MEMBER_ACTIONS[change.action].format(
        by=change.by.nick_name, target=change.target.nick_name, role=change.role
    )
    end = f" until {_format_time(change.until, zone)}" if change.until is not None else ""
    return f"{text}{end}{f' ({change.reason})' if change.reason else ''}"


def _describe_policy_change(change: PolicyChange) -> str:
    """Return the changed fields with their wire names and JSON values, separated by commas."""
    fields: dict[str, Any] = msgspec.to_builtins(change)
    return ", ".join(
        f"{name} = {msgspec.json.encode(value).decode()}"
        for name, value in fields.items()
        if name not in _COMMON_FIELDS
    )


def _format_time(milliseconds: int, zone: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, zone):%Y-%m-%d %H:%M:%S}"
