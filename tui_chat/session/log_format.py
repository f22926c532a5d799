"""Plain-text format of log entries for pipes and screen readers.

- Unambiguous lines: continuation rows of a message are indented, so a message cannot imitate another log line.
"""

from tui_chat.protocol.events import Deletion, Edit, Entry, Message, Reaction, TopicChange
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings

INDENT = "    "


def indent_rows(text: str) -> str:
    """Return `text` with every row after the first indented by `INDENT`."""
    return text.replace("\n", f"\n{INDENT}")


def format_entry(entry: Entry, is_confusable: bool = False) -> str:
    """Return a log line without a timestamp: `ann: hello`, or a notice such as `* ann deleted a message`.

    A deleted message gives the notice of its deletion, a topic no author. Later rows are indented. An action message
    appears unchanged, with its `/me`. The language is the active one.

    Args:
        entry: Entry of the log.
        is_confusable: Mark the nickname as confusable.
    """
    nick = chat_strings.mark_nick(entry.nick_name, is_confusable)
    quoted_nick = chat_strings.notice_nick(entry.nick_name, is_confusable)
    match entry:
        case Message(deleted=True) | Deletion():
            return f"* {tr('{nick} deleted a message', nick=quoted_nick)}"
        case Message():
            suffix = f" {tr('(edited)')}" if entry.edited else ""
            return f"{nick}: {indent_rows(entry.message)}{suffix}"
        case Edit():
            return f"* {tr('{nick} edited a message: {text}', nick=quoted_nick, text=indent_rows(entry.message))}"
        case Reaction(on=True):
            return f"* {tr('{nick} reacted with {emoji}', nick=quoted_nick, emoji=entry.emoji)}"
        case Reaction():
            return f"* {tr('{nick} removed the reaction {emoji}', nick=quoted_nick, emoji=entry.emoji)}"
        case TopicChange():
            return f"* {chat_strings.topic_changed(entry.topic)}"
