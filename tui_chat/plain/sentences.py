"""What happens in the rooms, said as sentences for somebody who listens."""

from datetime import datetime

from server.protocol.entries import JoinNotice, LeaveNotice, Message, NickNotice
from tui_chat.client import events
from tui_chat.session import refusals, words
from tui_chat.session.language import plural, tr
from tui_chat.session.lines import ACTION
from tui_chat.session.told import rows


def said(message: Message) -> str:
    """Somebody said something."""
    if message.deleted:
        return tr("{nick} took a message back", nick=message.nick_name)
    if message.message.startswith(ACTION):
        return f"{message.nick_name} {rows(message.message.removeprefix(ACTION))}"
    if message.edited:
        return tr("{nick} says, edited: {text}", nick=message.nick_name, text=rows(message.message))
    return tr("{nick} says: {text}", nick=message.nick_name, text=rows(message.message))


def said_at(message: Message) -> str:
    """Somebody said something a while ago."""
    return f"{datetime.fromtimestamp(message.ts / 1000):%Y-%m-%d %H:%M} {said(message)}"


def said_elsewhere(room: str, nick: str, text: str, named: bool) -> str:
    """Somebody said something in a room that is not the current one."""
    if named:
        return tr("In {room}, {nick} names you: {text}", room=room, nick=nick, text=rows(text))
    return tr("In {room}, {nick} says: {text}", room=room, nick=nick, text=rows(text))


def unread(room: str, count: int, mentions: int) -> str:
    """How much was not read in a room."""
    told = plural("{room}: {count:,} unread message", "{room}: {count:,} unread messages", count, room=room)
    return told + (", " + plural("{count:,} names you", "{count:,} name you", mentions) if mentions else "")


def noticed(notice: JoinNotice | LeaveNotice | NickNotice) -> str:
    """Somebody came, left or has another nickname."""
    match notice:
        case JoinNotice():
            return words.came([notice.nick_name], notice.more)
        case LeaveNotice():
            return words.went([notice.nick_name], notice.more)
        case NickNotice():
            return words.renamed(notice.old_nick_name, notice.nick_name)


def state(given: events.ConnectionState) -> str:
    """How the connection is."""
    match given:
        case events.Online():
            return tr("Connected.")
        case events.Offline(reason=reason):
            return tr("The connection is lost: {reason}. Trying again.", reason=refusals.within(reason))
        case _:
            return ""


def entered(room: str, members: int, topic: str) -> str:
    """You are in a room now."""
    told = plural(
        "You are in {room}, with {count:,} other.", "You are in {room}, with {count:,} others.", members, room=room
    )
    return f"{told} {words.topic_is(topic)}" if topic else told
