"""Plain-text format of log entries for pipes and screen readers.

- Unambiguous lines: continuation rows of a message are indented, so a message cannot imitate another log line.
"""

from tui_chat.protocol.events import (
    Deletion,
    Edit,
    Entry,
    MemberChange,
    Message,
    PolicyChange,
    Reaction,
    TopicChange,
    UnknownEntry,
)
from tui_chat.session.file_captions import describe_content
from tui_chat.session.hyperlinks import find_hyperlinks, host_labels
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.strings.moderation import describe_change

INDENT = "    "


def format_text(text: str) -> str:
    """Return a message text with indented rows after the first, and the real hosts of disguised links at the end."""
    return " ".join([text.replace("\n", f"\n{INDENT}"), *host_labels(find_hyperlinks(text))])


def format_entry(entry: Entry, is_confusable: bool = False) -> str:
    """Return a log line without a timestamp: `ann: hello`, or a notice such as `* ann deleted a message`.

    A deleted message gives the notice of its deletion; an edited one ends with `(edited)`. The notice of a topic has no
    author. `format_text` formats text and captions of a message, and the text of an edit. The text of an action
    includes `/me`. The language is the active one.
    """
    nick = chat_strings.mark_nick(entry.nick_name, is_confusable, isinstance(entry, Message) and entry.bot)
    quoted_nick = chat_strings.notice_nick(entry.nick_name, is_confusable)
    match entry:
        case Message(deleted=True) | Deletion():
            return f"* {tr('{nick} deleted a message', nick=quoted_nick)}"
        case Message():
            suffix = f" {tr('(edited)')}" if entry.edited else ""
            return f"{nick}: {format_text(describe_content(entry))}{suffix}"
        case Edit():
            return f"* {tr('{nick} edited a message: {text}', nick=quoted_nick, text=format_text(entry.message))}"
        case Reaction(on=True):
            return f"* {tr('{nick} reacted with {emoji}', nick=quoted_nick, emoji=entry.emoji)}"
        case Reaction():
            return f"* {tr('{nick} removed the reaction {emoji}', nick=quoted_nick, emoji=entry.emoji)}"
        case TopicChange():
            return f"* {chat_strings.topic_changed(entry.topic)}"
        case MemberChange() | PolicyChange():
            return f"* {describe_change(entry)}"
        case UnknownEntry():
            return f"* {tr('An entry that this version cannot show')}"
