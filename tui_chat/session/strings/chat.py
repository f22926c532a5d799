"""Texts of the chat screens and notifications with several uses or with several forms."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from tui_chat.protocol.events import Member
from tui_chat.protocol.names import is_room_address
from tui_chat.protocol.responses import RoomSummary
from tui_chat.protocol.scripts import UNSPACED_SCRIPTS
from tui_chat.session.compose_mode import QUICK_REACTIONS, ComposeKind
from tui_chat.session.i18n import mark, plural, tr
from tui_chat.session.lines import CONFUSABLE_SIGN, REGISTERED_SIGN, MessageLine, action_text
from tui_chat.session.paste import PasteMode
from tui_chat.session.strings.app import TITLE

_QUOTES = re.compile("""["'`´ʹʺʼˮ‘’‚‛“”„‟′″‴‵‶‷❛❜❝❞〝〞〟]{2,}|["ʺˮ“”„‟″‴‶‷❝❞〝〞〟]""")
_ONE_WORD = re.compile(rf"(?:[^\W{UNSPACED_SCRIPTS}]|[.'’-])+")


LOOKS_LIKE_ANOTHER = mark("looks like the nickname of another member")
REGISTERED = mark("registered account")


# Room events.
def quote_nick(nick: str) -> str:
    """Return a nickname for a notice, in quotation marks unless it is one word, so that it imitates no notice.

    `ann`, but `“ann lee”`. Characters of scripts without spaces need quotation marks too; double ones inside become
    apostrophes. The page has the same rule; `tests/vectors/quoted_names.json` tests both.
    """
    letters = "".join(character for character in nick if not unicodedata.combining(character))
    return nick if _ONE_WORD.fullmatch(letters) else "“" + _QUOTES.sub("'", nick) + "”"


def mark_nick(nick: str, is_confusable: bool, is_bot: bool = False) -> str:
    """Return a nickname for a line of text; a confusable one as `ann (look-alike)`, that of a bot as `ann (bot)`."""
    nick = tr("{nick} (look-alike)", nick=nick) if is_confusable else nick
    return tr("{nick} (bot)", nick=nick) if is_bot else nick


def notice_nick(nick: str, is_confusable: bool = False, is_bot: bool = False) -> str:
    """Return a nickname for a notice, with the quotation marks of `quote_nick` and the mark of `mark_nick`."""
    return mark_nick(quote_nick(nick), is_confusable, is_bot)


def _join_names(names: Sequence[str]) -> str:
    return tr(", ").join(names)


def summarize_names(names: Sequence[str], limit: int = 5, unlisted_count: int = 0) -> str:
    """Return an enumeration, which must not be empty: `a, b and c`, or `a, b and 7 others`.

    All names are listed if there are at most `limit` and no unlisted ones, otherwise the first `limit` - 1.
    """
    if unlisted_count or len(names) > limit:
        listed = names[: limit - 1]
        remaining = len(names) - len(listed) + unlisted_count
        if not listed:
            return plural("{count:,} other", "{count:,} others", remaining)
        return plural(
            "{names} and {count:,} other", "{names} and {count:,} others", remaining, names=_join_names(listed)
        )
    return names[0] if len(names) == 1 else tr("{names} and {last}", names=_join_names(names[:-1]), last=names[-1])


def joined(nicks: Sequence[str], unlisted_count: int = 0) -> str:
    """Return the notice of joins, `ann and bob joined`, with at most five results of `notice_nick`."""
    return tr("{names} joined", names=summarize_names(nicks, unlisted_count=unlisted_count))


def left(nicks: Sequence[str], unlisted_count: int = 0) -> str:
    """Return the notice of leaves, `ann and bob left`, with at most five results of `notice_nick`."""
    return tr("{names} left", names=summarize_names(nicks, unlisted_count=unlisted_count))


RENAMED = mark("{old} is now {new}")


def typing_indicator(nicks: Sequence[str]) -> str:
    """Return the typing indicator of at least one member: `ann and bob are typing…`.

    Of more than three members, two are listed, with the number of the others.
    """
    names = summarize_names([quote_nick(nick) for nick in nicks], 3)
    return plural("{names} is typing…", "{names} are typing…", len(nicks), names=names)


# Notices of changes by command.
def nick_changed(nick: str) -> str:
    """Return the notice of the user's new nickname."""
    return tr("You are now {nick}.", nick=quote_nick(nick))


def topic_changed(topic: str, nick: str = "") -> str:
    """Return the topic notice, with the author if known: `ann set the topic: …`, `Topic: …`.

    An empty topic means removal: `Topic cleared.`
    """
    if nick:
        name = quote_nick(nick)
        return (
            tr("{nick} set the topic: {topic}", nick=name, topic=topic)
            if topic
            else tr("{nick} cleared the topic.", nick=name)
        )
    return tr("Topic: {topic}", topic=topic) if topic else tr("Topic cleared.")


def date_and_time(ts: int) -> str:
    """Return a time in milliseconds since the epoch as local date and time: `2026-11-29 13:05`."""
    return f"{datetime.fromtimestamp(ts / 1000):%Y-%m-%d %H:%M}"


# Room membership.
def room_label(name: str) -> str:
    """Return a room name for a sentence, and a general label for the address of a room without a known title."""
    return tr("a private room") if is_room_address(name) else name


def join_queued(room: str) -> str:
    """Return the answer to `/join` without a connection."""
    return tr("You are offline. {room} opens after the reconnect.", room=room_label(room))


# Command results.
MAX_LISTED_NAMES = 2_000  # nicknames in a reply to `/names`


_ROLE_NAMES = {"owner": mark("owner"), "moderator": mark("moderator"), "member": mark("member")}


def role_name(role: str) -> str:
    """Return the translated name of a role, or an unknown role unchanged."""
    return tr(_ROLE_NAMES[role]) if role in _ROLE_NAMES else role


def no_such_nick(nick: str) -> str:
    """Return the error for an absent nickname, with its first 64 characters."""
    return tr("No such nickname: {nick}.", nick=nick[:64])


def member_list(members: Sequence[Member], count: int, query: str = "") -> str:
    """Return the reply to `/names`: `2 here: ann, bob`, or with a query, `2 found: ann, anna`.

    At most `MAX_LISTED_NAMES` names, then the number of others up to `count`. `CONFUSABLE_SIGN` precedes confusable
    nicknames, and `REGISTERED_SIGN` follows those of accounts; further lines explain the signs in use. Role and status
    follow in brackets. Without members, an error: no such nickname for a query, otherwise no member list.
    """
    if not members:
        return no_such_nick(query) if query else tr("This server has no member list.")
    nicks = [
        CONFUSABLE_SIGN * member.confusable
        + member.nick_name
        + REGISTERED_SIGN * (member.account is not None)
        + _member_note(member)
        for member in members[:MAX_LISTED_NAMES]
    ]
    unlisted_count = max(0, count - len(nicks))
    names = summarize_names(nicks, len(nicks) + 1, unlisted_count) if unlisted_count else _join_names(nicks)
    listing = (
        tr("{count:,} found: {names}", count=count, names=names)
        if query
        else tr("{count:,} here: {names}", count=count, names=names)
    )
    signs = (
        (CONFUSABLE_SIGN, LOOKS_LIKE_ANOTHER, any(member.confusable for member in members)),
        (REGISTERED_SIGN, REGISTERED, any(member.account is not None for member in members)),
    )
    return "\n".join((listing, *(f"{sign} {tr(meaning)}" for sign, meaning, is_used in signs if is_used)))


def _member_note(member: Member) -> str:
    """Return kind, role and status after a nickname, ` (bot, moderator, away)`; empty for a plain member."""
    role = role_name(member.role) if member.role in ("owner", "moderator") else ""
    notes = [note for note in (tr("bot") * member.bot, role, "" if member.away is None else tr("away")) if note]
    return f" ({', '.join(notes)})" if notes else ""


def room_list(rooms: Sequence[RoomSummary]) -> str:
    """Return the reply to `/list`: the number of rooms, then a row `name · 3 here · topic` for each.

    Without rooms: `No rooms.`
    """
    if not rooms:
        return tr("No rooms.")
    lines = [" · ".join(filter(None, (room.name, member_count(room.members), room.topic))) for room in rooms]
    return "\n".join((plural("{count:,} room", "{count:,} rooms", len(rooms)), *lines))


COMMAND_USAGE = mark("Usage: {syntax}")
NOT_IN_A_ROOM = mark("You are not in a room. Join one with /join.")
COPIED = mark("Copied.")


def connection_required(command: str) -> str:
    """Return the error of a command that needs the server, without a connection."""
    return tr("/{command} needs a connection. You are offline.", command=command)


# Quotes, completion and compose modes.
def quote(nick: str, text: str) -> str:
    """Return author and text in one line: `ann: hello`, or `* ann waves` for an action.

    Each run of whitespace becomes a space; an empty text gives `ann: …`.
    """
    if action := action_text(text):
        return f"* {nick} {' '.join(action.split())}"
    return f"{nick}: {' '.join(text.split())}" if text else f"{nick}: …"


MAX_QUOTE_LENGTH = 200  # characters of a message in the result of `quote_line`
MAX_UNREAD_QUOTE = 60  # characters of a message in the answer to `/unread`


def quote_line(line: MessageLine) -> str:
    """Return the `quote` of a message with at most `MAX_QUOTE_LENGTH` characters, `nick: …` if deleted."""
    return quote(line.marked_nick, "" if line.deleted else line.content[:MAX_QUOTE_LENGTH])


COMPOSE_HINTS = {
    ComposeKind.REPLY: mark("replying to {quote} · Esc: cancel"),
    ComposeKind.EDIT: mark("editing your message · Esc: cancel"),
    ComposeKind.REACT: mark("{quick_reactions} or any emoji · Esc: cancel"),
}


def compose_hint(kind: ComposeKind, quoted_message: str) -> str:
    """Return the hint above the composer for a compose mode; only a reply quotes its message."""
    quick_reactions = " ".join(f"{number} {emoji}" for number, emoji in enumerate(QUICK_REACTIONS, 1))
    return tr(COMPOSE_HINTS[kind], quote=quoted_message, quick_reactions=quick_reactions)


def marked_unread(line: MessageLine) -> str:
    """Return the answer to `/unread`, with the first unread message and its files."""
    content = tr("; ").join(filter(None, (line.text, line.files)))
    return tr("Unread from here: {quote}", quote=quote(line.marked_nick, content[:MAX_UNREAD_QUOTE]))


NOT_OWN_MESSAGE = mark("You can only edit or delete your own messages.")
NO_SUCH_MESSAGE = mark("No such message.")
MESSAGE_NOT_SENT = mark("This message is not sent yet.")
LAST_MESSAGE_NOT_SENT = mark("Your last message is not sent yet.")
NO_DELETION = mark("No deletion to undo.")

# Chat screen.
PLACEHOLDER_MESSAGE = mark("Message")


def member_count(count: int) -> str:
    """Return the number of present members: `3 here`."""
    return tr("{count:,} here", count=count)


def member_list_heading(count: int) -> str:
    """Return the heading of the member list: `3 here`; a count of 0 means a basic server: `members unknown`."""
    return member_count(count) if count else tr("members unknown")


def not_in_room(room: str) -> str:
    """Return the error for a room that is not open, with 64 characters of its name; for "", that no room is open."""
    return tr("You are not in {room}.", room=room_label(room[:64])) if room else tr(NOT_IN_A_ROOM)


def history_search_prompt(query: str, has_failed: bool) -> str:
    """Return the prompt of the input history search: `search sent messages: QUERY▏`.

    After a failure: `no sent message contains: QUERY`.
    """
    if has_failed:
        return tr("no sent message contains: {query}", query=query)
    if not query:
        return tr("search sent messages: ▏")
    return tr("search sent messages: {query}▏", query=query)


def send_files_question(names: Sequence[str]) -> str:
    """Return the question before dropped files are sent, with the name of a single file or the number of files."""
    if len(names) == 1:
        return tr("Send {name} as attachment?", name=names[0])
    return tr("Send {count} files as attachments?", count=len(names))


PASTE_OPTIONS = {
    PasteMode.EDIT: mark("insert into the composer"),
    PasteMode.SINGLE_MESSAGE: mark("send as one message"),
    PasteMode.CHUNKS: mark("send as {count:,} messages"),
    PasteMode.LINE_BY_LINE: mark("send each line as a message ({count:,})"),
    PasteMode.FILE: mark("send as a text file"),
}


# Terminal title.
def window_title(room: str, unread: int, mentions: int) -> str:
    """Return the terminal title: unread counter of all rooms and current room, `(@3) lobby · chat`.

    `@` marks mentions. The counter is omitted without unread messages, the room if empty.
    """
    count = f"({'@' if mentions else ''}{unread:,}) " if unread else ""
    return f"{count}{room} · {TITLE}" if room else f"{count}{TITLE}"
