"""Entries as lines of plain text, for a pipe and for a screen reader.

Rule 1  Only the first row of a message begins at the margin: nobody's text can look like another line.
"""

from datetime import datetime

from tui_chat.protocol.events import Deletion, Edit, Entry, Message, Reaction, TopicChange
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings

INDENT = "    "


def indent_rows(text: str) -> str:
    """A text of perhaps several rows, all but the first one indented."""
    return text.replace("\n", f"\n{INDENT}")


def format_with_time(entry: Entry, when: datetime) -> str:
    """An entry with its time, as a line of a log: `2026-11-20 09:41:07 ann: hello`."""
    return f"{when:%Y-%m-%d %H:%M:%S} {format_entry(entry)}"


def format_entry(entry: Entry) -> str:
    """What happened: who said what, or who changed what."""
    match entry:
        case Message(deleted=True):
            return f"* {tr('{nick} took a message back', nick=entry.nick_name)}"
        case Message():
            suffix = f" {tr('(edited)')}" if entry.edited else ""
            return f"{entry.nick_name}: {indent_rows(entry.message)}{suffix}"
        case Edit():
            return f"* {tr('{nick} changed a message: {text}', nick=entry.nick_name, text=indent_rows(entry.message))}"
        case Deletion():
            return f"* {tr('{nick} took a message back', nick=entry.nick_name)}"
        case Reaction(on=True):
            return f"* {tr('{nick} put {emoji} under a message', nick=entry.nick_name, emoji=entry.emoji)}"
        case Reaction():
            return f"* {tr('{nick} took {emoji} away from a message', nick=entry.nick_name, emoji=entry.emoji)}"
        case TopicChange():
            return f"* {chat_strings.topic_changed(entry.topic)}"
