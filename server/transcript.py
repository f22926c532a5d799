"""Plain text form of a room log.

A message is one line with its continuation rows indented, so that a message cannot imitate another line.
"""

from datetime import datetime, tzinfo

from tui_chat.protocol.events import Entry, Message, TopicChange

_INDENT = " " * 4


def format_entry(entry: Entry, zone: tzinfo | None) -> str | None:
    """Return an entry as a line such as `2026-11-20 09:41:07 ann: hello`.

    Messages have their current state, and edits, deletions and reactions therefore no line of their own (None).

    Args:
        entry: Entry of the log.
        zone: Time zone of the times; None for the system time zone.
    """
    match entry:
        case Message(deleted=True):
            text = f"{entry.nick_name}: (deleted)"
        case Message():
            text = f"{entry.nick_name}: {entry.message}{' (edited)' if entry.edited else ''}"
        case TopicChange():
            text = (
                f"* {entry.nick_name} changed the topic to: {entry.topic}"
                if entry.topic
                else (f"* {entry.nick_name} removed the topic")
            )
        case _:
            return None
    time = datetime.fromtimestamp(entry.ts / 1000, zone)
    return f"{time:%Y-%m-%d %H:%M:%S} {text}".replace("\n", f"\n{_INDENT}")
