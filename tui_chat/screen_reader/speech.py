"""Spoken sentences for room and connection events."""

from collections.abc import Iterable

from tui_chat.client import events
from tui_chat.protocol.events import JoinNotice, LeaveNotice, Message, NickNotice
from tui_chat.protocol.sanitize import is_blank
from tui_chat.session import error_text
from tui_chat.session.durable_rooms import DurableRoom
from tui_chat.session.file_captions import phrase_files, with_files
from tui_chat.session.i18n import plural, tr
from tui_chat.session.lines import action_text
from tui_chat.session.log_format import format_text
from tui_chat.session.notification_batcher import NotifiableMessage
from tui_chat.session.strings import chat as chat_strings


def message_text(message: Message, is_confusable: bool = False) -> str:
    """Return the announcement of a message: `ann says: hi`, `ann waves` for an action, or `ann deleted a message`.

    An edited message reads `ann says (edited): hi` or `ann waves (edited)`. `format_text` formats the text. The files
    are on a separate line, which no text can imitate: `With the image a.png, 40 by 30 pixels, 1.0 KiB`. A message
    without text reads `ann sends the image …`.
    """
    nick = chat_strings.notice_nick(message.nick_name, is_confusable, message.bot)
    if message.deleted:
        return tr("{nick} deleted a message", nick=nick)
    files, text = phrase_files(message), message.message
    if action := action_text(text):
        sentence = f"{nick} {format_text(action)}"
        sentence = f"{sentence} {tr('(edited)')}" if message.edited else sentence
    elif files and is_blank(text):
        return tr("{nick} sends {files}", nick=nick, files=files)
    elif message.edited:
        sentence = tr("{nick} says (edited): {text}", nick=nick, text=format_text(text))
    else:
        sentence = tr("{nick} says: {text}", nick=nick, text=format_text(text))
    return with_files(sentence, files)


def dated_message_text(message: Message) -> str:
    """Return a message announcement after local date and time, for example `2026-01-31 14:05 ann says: hi`."""
    return f"{chat_strings.date_and_time(message.ts)} {message_text(message)}"


def other_room_message_text(notification: NotifiableMessage) -> str:
    """Return the announcement of a message in a background room, of its current text if the log contains it.

    Examples: `In tea, ann says: hi`, `In tea, ann mentions you: hi`, and `In tea, ann waves` for an action. Files are
    announced as in `message_text`.
    """
    room, nick, log = notification.view.title, notification.nick, notification.view.room.log
    files, text = notification.files, notification.text
    if notification.seq in log:
        message = log[notification.seq]
        files, text = phrase_files(message), message.message
    if action := action_text(text):
        sentence = tr("In {room}, {text}", room=room, text=f"{nick} {format_text(action)}")
    elif files and is_blank(text):
        return tr("In {room}, {nick} sends {files}", room=room, nick=nick, files=files)
    elif notification.is_mention:
        sentence = tr("In {room}, {nick} mentions you: {text}", room=room, nick=nick, text=format_text(text))
    else:
        sentence = tr("In {room}, {nick} says: {text}", room=room, nick=nick, text=format_text(text))
    return with_files(sentence, files)


def missed_entries_text(count: int) -> str:
    """Return the announcement of missed entries that are not read out."""
    return plural(
        "{count:,} missed entry is not read out. /date reads the messages of a day.",
        "{count:,} missed entries are not read out. /date reads the messages of a day.",
        count,
    )


def unread_text(room: str, count: int, mentions: int) -> str:
    """Return the counts of a room, for example `tea: 3 unread messages, 1 mention`. Zero mentions are omitted."""
    sentence = plural("{room}: {count:,} unread message", "{room}: {count:,} unread messages", count, room=room)
    return sentence + (", " + plural("{count:,} mention", "{count:,} mentions", mentions) if mentions else "")


def closed_rooms_text(rooms: Iterable[DurableRoom]) -> str:
    """Return the counts of the rooms with unread messages that are not open, "" without one.

    For example `Unread in rooms that are not open. tea: 3 unread messages. /go NAME opens a room.` Of more than five
    rooms, the first four are listed and the others counted. Direct rooms are omitted, because the client opens those
    with unread messages.
    """
    texts = [
        unread_text(room.title, room.unread_count, room.mention_count)
        for room in rooms
        if room.unread_count and not room.is_direct
    ]
    if not texts:
        return ""
    return tr(
        "Unread in rooms that are not open. {rooms}. /go NAME opens a room.", rooms=chat_strings.summarize_names(texts)
    )


def membership_text(notice: JoinNotice | LeaveNotice | NickNotice) -> str:
    """Return the announcement of a join, leave or nickname change; further coalesced members are counted."""
    nick = chat_strings.notice_nick(notice.nick_name, notice.confusable)
    match notice:
        case JoinNotice():
            return chat_strings.joined([nick], notice.more)
        case LeaveNotice():
            return chat_strings.left([nick], notice.more)
        case NickNotice():
            return tr(chat_strings.RENAMED, old=chat_strings.quote_nick(notice.old_nick_name), new=nick)


def connection_text(connection_state: events.ConnectionState) -> str:
    """Return the announcement of `Online` or `Offline`, "" for the other states."""
    match connection_state:
        case events.Online():
            return tr("Connected.")
        case events.Offline(error):
            return tr("Connection lost: {reason}. Reconnecting.", reason=error_text.phrase(error))
        case _:
            return ""


def room_joined_text(room: str, other_members: int, topic: str) -> str:
    """Return the announcement of the current room, such as `You are in tea, with 2 others.`, and its topic, if any."""
    sentence = plural(
        "You are in {room}, with {count:,} other.",
        "You are in {room}, with {count:,} others.",
        other_members,
        room=room,
    )
    return f"{sentence} {chat_strings.topic_changed(topic)}" if topic else sentence
