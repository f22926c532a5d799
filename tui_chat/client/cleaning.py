"""What others wrote is cleaned again here: the server may be old, foreign or hostile.

The rules are those of `server.protocol.text`; whatever passes it unchanged is the
same object, which is nearly everything.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from server.protocol.answers import RoomSummary
from server.protocol.entries import (
    Deletion,
    Edit,
    Entry,
    JoinNotice,
    LeaveNotice,
    Member,
    Message,
    NickNotice,
    Reaction,
    TopicChange,
)
from server.protocol.text import clean_body, clean_line
from tui_chat.client.present_state import MessageChange


def entry(given: Entry) -> Entry:
    """An entry that is safe to show."""
    nick = line(given.nick_name)
    if nick is not given.nick_name:
        given = replace(given, nick_name=nick)
    match given:
        case Message():
            return _message(given)
        case Edit():
            text = body(given.message)
            return given if text is given.message else replace(given, message=text)
        case Reaction():
            emoji = line(given.emoji)
            return given if emoji is given.emoji else replace(given, emoji=emoji)
        case TopicChange():
            topic = line(given.topic)
            return given if topic is given.topic else replace(given, topic=topic)
        case Deletion():
            return given


def message(given: Message) -> Message:
    """A message that is safe to show."""
    cleaned = entry(given)
    assert isinstance(cleaned, Message)
    return cleaned


def change(given: MessageChange) -> MessageChange:
    """A change of a message that is safe to show."""
    cleaned = entry(given)
    assert isinstance(cleaned, MessageChange)
    return cleaned


def entries(given: Iterable[Entry]) -> list[Entry]:
    """Entries that are safe to show."""
    return [entry(each) for each in given]


def member(given: Member) -> Member:
    """A member whose every word is safe to show."""
    nick, account, via = line(given.nick_name), _maybe(given.account), _maybe(given.via)
    if nick is given.nick_name and account is given.account and via is given.via:
        return given
    return replace(given, nick_name=nick, account=account, via=via)


def notice(given: JoinNotice | LeaveNotice | NickNotice) -> JoinNotice | LeaveNotice | NickNotice:
    """A notice that is safe to show."""
    cleaned = replace(given, nick_name=line(given.nick_name), message=line(given.message), via=_maybe(given.via))
    if isinstance(cleaned, NickNotice):
        return replace(cleaned, old_nick_name=line(cleaned.old_nick_name))
    return cleaned


def summary(given: RoomSummary) -> RoomSummary:
    """A room of a list that is safe to show."""
    return replace(given, name=line(given.name), topic=line(given.topic))


def _maybe(text: str | None) -> str | None:
    return None if text is None else line(text)


def line(text: str) -> str:
    """One line; the same object when there is nothing to clean."""
    if text.isascii() and text.isprintable() and text.strip() == text:
        return text
    cleaned = clean_line(text)
    return text if cleaned == text else cleaned


def body(text: str) -> str:
    """A message's text; the same object when there is nothing to clean."""
    if text.isascii() and text.isprintable():
        return text
    cleaned = clean_body(text)
    return text if cleaned == text else cleaned


def _message(given: Message) -> Message:
    text = body(given.message)
    if text is not given.message:
        given = replace(given, message=text)
    if given.account is not None:
        given = replace(given, account=line(given.account))
    if given.reactions is not None:
        given = replace(given, reactions={line(emoji): chosen for emoji, chosen in given.reactions.items()})
    return given
