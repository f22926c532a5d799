"""Texts of the chat screens, the join form, help and notifications.

- Constants: texts without parameters are marked here and translated with `tr` at display time.
- Functions: texts with parameters return the translated sentence.
"""

from collections.abc import Sequence

from tui_chat.session.compose_mode import QUICK_REACTIONS, ComposeKind
from tui_chat.session.i18n import mark, plural, tr
from tui_chat.session.lines import MessageLine, action_text
from tui_chat.session.paste import PasteMode

# Join form.
TITLE = "chat"
JOIN_HINT = mark("Enter a room and a nickname to join.")
LABEL_ROOM = mark("Room")
LABEL_NICK = mark("Nickname")
LABEL_SERVER = mark("Server")
PLACEHOLDER_ROOM = mark("lobby")
PLACEHOLDER_NICK = mark("your nickname")
BUTTON_JOIN = mark("Join")
BUTTON_START_SERVER = mark("Start a local server")
ROOM_REQUIRED = mark("Enter a room name.")
NICK_REQUIRED = mark("Enter a nickname.")
STARTING_SERVER = mark("Starting a server…")


def connecting_to(server: str) -> str:
    """Return the status during the first connection attempt."""
    return tr("Connecting to {server}…", server=server)


def no_server_at(server: str) -> str:
    """Return the error for an unreachable server."""
    return tr("No chat server at {server}.", server=server)


def port_in_use(address: str) -> str:
    """Return the error for a port of another program."""
    return tr("{address} is in use by another program.", address=address)


# Room events.
def _join_names(names: Sequence[str]) -> str:
    return tr(", ").join(names)


def _summarize_names(names: Sequence[str], limit: int = 5, unlisted_count: int = 0) -> str:
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
    """Return the notice of joins.

    Args:
        nicks: Nicknames to list.
        unlisted_count: Number of further joins with unknown nicknames.
    """
    return tr("{names} joined", names=_summarize_names(nicks, unlisted_count=unlisted_count))


def left(nicks: Sequence[str], unlisted_count: int = 0) -> str:
    """Return the notice of leaves.

    Args:
        nicks: Nicknames to list.
        unlisted_count: Number of further leaves with unknown nicknames.
    """
    return tr("{names} left", names=_summarize_names(nicks, unlisted_count=unlisted_count))


def joined_and_left(nicks: Sequence[str]) -> str:
    """Return the notice of members with both a join and a leave."""
    return tr("{names} joined and left", names=_summarize_names(nicks))


def renamed(old: str, new: str) -> str:
    """Return the notice of a nickname change."""
    return tr("{old} is now {new}", old=old, new=new)


def typing_indicator(nicks: Sequence[str]) -> str:
    """Return the typing indicator."""
    return plural("{names} is typing…", "{names} are typing…", len(nicks), names=_summarize_names(nicks, 3))


# Command results.
def nick_assigned(requested: str, assigned: str) -> str:
    """Return the notice that the server assigned another nickname."""
    return tr(
        "{requested} is taken. You joined as {assigned}; /nick changes it.", requested=requested, assigned=assigned
    )


def own_nick_changed(nick: str) -> str:
    """Return the confirmation of a nickname change."""
    return tr("You are now {nick}.", nick=nick)


def topic_changed(topic: str) -> str:
    """Return the topic notice; an empty topic means removal."""
    return tr("Topic: {topic}", topic=topic) if topic else tr("Topic cleared.")


def room_lost(room: str, reason: str) -> str:
    """Return the notice of a room closed by the server."""
    return tr("You are no longer in {room}: {reason}", room=room, reason=reason)


def member_list(nicks: Sequence[str]) -> str:
    """Return the reply to `/names`; basic servers provide no nicknames."""
    if not nicks:
        return tr("This server has no member list.")
    return tr("{count:,} here: {names}", count=len(nicks), names=_join_names(nicks))


def room_summary(name: str, members: int, topic: str) -> str:
    """Return one line of the room list."""
    return f"{name} · {member_count(members)}" + (f" · {topic}" if topic else "")


def room_list(rooms: Sequence[str]) -> str:
    """Return the reply to `/list`."""
    if not rooms:
        return tr("No rooms.")
    return "\n".join((plural("{count:,} room", "{count:,} rooms", len(rooms)), *rooms))


def unknown_command(name: str) -> str:
    """Return the error for an unknown command."""
    return tr("Unknown command /{name}. See /help; //{name} sends it.", name=name[:40])


def command_usage(syntax: str) -> str:
    """Return the error for wrong command arguments."""
    return tr("Usage: {syntax}", syntax=syntax)


def crash_report(log: str) -> str:
    """Return the error after a crash, with the path of the log file."""
    return tr("chat-tui crashed. See {log} for details.", log=log)


def join_commands(commands: Sequence[str]) -> str:
    """Return the shell commands that join the local server."""
    return tr("Server started. Others join with:") + "\n" + "\n".join(f"  {command}" for command in commands)


BASIC_SERVER = mark("Basic server: no history, no member list, no delivery status.")
LOCAL_ONLY = mark("Only this computer can connect. To allow the network, start with --serve --host 0.0.0.0")
JOINED_EXISTING_SERVER = mark("Joined the chat server that already runs there.")
ROOM_CLOSED = mark("You are no longer in this room.")
NOT_IN_A_ROOM = mark("You are not in a room. Join one with /join.")
NO_TOPIC = mark("This room has no topic.")
LEFT_LAST_ROOM = mark("You left the last room.")
COPIED = mark("Copied.")
INTERNAL_ERROR = mark("Internal error. See the log for details.")
CONFIRM_QUIT = mark("Press Ctrl+C again to quit.")
CONFIRM_QUIT_UNSENT = mark("Some messages are unsent. Quit again to send them later.")


# Connection state.
CONNECTING = mark("connecting")


def online(latency: float | None) -> str:
    """Return the online status.

    Args:
        latency: Round-trip time in seconds, None if unknown.
    """
    return tr("online") if latency is None else tr("online {ms:,} ms", ms=max(1, round(latency * 1000)))


def offline(retry_in: float) -> str:
    """Return the offline status.

    Args:
        retry_in: Delay of the next reconnect in seconds.
    """
    return (
        tr("offline: retry in {seconds} s", seconds=round(retry_in)) if retry_in >= 1 else tr("offline: reconnecting")
    )


def unsent_count(count: int) -> str:
    """Return the number of unsent items for the offline status."""
    return tr(", {count:,} unsent", count=count) if count else ""


def change_failed(problem: str, text: str) -> str:
    """Return the notice of a rejected edit, deletion or reaction, with its text."""
    return tr("Change rejected: {problem}", problem=problem) + (f" · {text}" if text else "")


def quote(nick: str, text: str) -> str:
    """Return author and text in one line, an action in its rendered form.

    Line breaks become spaces; an empty text gives `nick: …`.
    """
    if action := action_text(text):
        return f"* {nick} {' '.join(action.split())}"
    return f"{nick}: {' '.join(text.split())}" if text else f"{nick}: …"


def quote_line(line: MessageLine, limit: int) -> str:
    """Return the quote of a message with at most `limit` characters of its text."""
    return quote(line.nick, "" if line.deleted else line.text[:limit])


def compose_hint(kind: ComposeKind, quoted_message: str) -> str:
    """Return the hint above the composer for a compose mode; only a reply quotes its message."""
    match kind:
        case ComposeKind.REPLY:
            return tr("replying to {about} · Esc: cancel", about=quoted_message)
        case ComposeKind.EDIT:
            return tr("editing your message · Esc: cancel")
        case ComposeKind.REACT:
            choices = " ".join(f"{number} {emoji}" for number, emoji in enumerate(QUICK_REACTIONS, 1))
            return tr("{choices} or any emoji · Esc: cancel", choices=choices)


CONFIRM_DELETE = mark("Press d again to delete the message for everyone.")
NOT_OWN_MESSAGE = mark("You can only edit or delete your own messages.")
NO_SUCH_MESSAGE = mark("No such message.")

# Chat screen.
ROOMS = mark("Rooms")
YOU = mark("you")
PLACEHOLDER_PALETTE = mark("search commands")
PLACEHOLDER_MESSAGE = mark("Message")


def member_count(count: int) -> str:
    """Return the heading of the member list; a count of 0 means a basic server."""
    return tr("{count:,} here", count=count) if count else tr("members unknown")


def new_messages_below(count: int) -> str:
    """Return the counter of new messages below the visible lines."""
    return tr("↓ {count:,} new below · End", count=count)


def unread_elsewhere(rooms: Sequence[tuple[int, int, bool]]) -> str:
    """Return the unread counters of background rooms.

    `@` marks rooms with mentions; without rooms, the text is empty.

    Args:
        rooms: List position, number of unread messages and mention flag of each room.
    """
    return " ".join(f"{number}:{'@' if has_mention else ''}{count:,}" for number, count, has_mention in rooms)


def link_copied(host: str) -> str:
    """Return the confirmation of a copied link."""
    return tr("Copied the link to {host}.", host=host)


def not_in_room(room: str) -> str:
    """Return the error for a room that is not open."""
    return tr("You are not in {room}.", room=room[:64]) if room else tr(NOT_IN_A_ROOM)


def character_counter(count: int, limit: int) -> str:
    """Return the character counter of a message near or above the limit."""
    return tr("{count:,} of {limit:,} characters", count=count, limit=limit)


def paste_too_large(count: int) -> str:
    """Return the error for a paste above the size limit."""
    return tr("Paste too large ({count:,} characters); not inserted.", count=count)


def history_search_prompt(query: str, has_failed: bool) -> str:
    """Return the prompt of the input history search, with the query and, unless the search has failed, a caret."""
    if has_failed:
        return tr("no sent message contains: {query}", query=query)
    if not query:
        return tr("search sent messages: ▏")
    return tr("search sent messages: {query}▏", query=query)


def paste_summary(lines: int, characters: int) -> str:
    """Return the size of a paste."""
    return plural(
        "Pasted: {count:,} line, {characters:,} characters",
        "Pasted: {count:,} lines, {characters:,} characters",
        lines,
        characters=characters,
    )


def paste_option(mode: PasteMode, message_count: int) -> str:
    """Return the label of a paste mode with its number of messages."""
    match mode:
        case PasteMode.EDIT:
            return tr("insert into the composer")
        case PasteMode.SINGLE_MESSAGE:
            return tr("send as one message")
        case PasteMode.CHUNKS:
            return tr("send as {count:,} messages", count=message_count)
        case PasteMode.LINE_BY_LINE:
            return tr("send each line as a message ({count:,})", count=message_count)


PASTE_CANCEL = mark("discard")

SWITCH_TITLE = mark("Switch room")
SWITCH_HINT = mark("part of the room name")
SWITCH_FOOTER = mark("↑↓ select · Enter switch · Esc close")
NEW_ROOM = mark("new room")


def input_cleared(undo_key: str) -> str:
    """Return the notice of a cleared input line, with the key for undo."""
    return tr("Cleared. {key} restores the text.", key=undo_key)


def rejoin_failed(room: str, reason: str) -> str:
    """Return the error for a saved room that could not be rejoined."""
    return tr("Could not rejoin {room}: {reason}", room=room, reason=reason)


def drafts_not_saved(reason: str) -> str:
    """Return the error for drafts that cannot be saved."""
    return tr("Drafts cannot be saved: {reason}", reason=reason)


# Help screen.
HELP_TITLE = mark("Keys and commands")
HELP_COMMANDS = mark("Commands")
HELP_CLOSE = mark("type to search · Esc close")


def help_search_prompt(query: str, match_count: int) -> str:
    """Return the prompt of the help search with its number of matching lines."""
    return plural(
        "{query}▏ {count:,} line · Esc close",
        "{query}▏ {count:,} lines · Esc close",
        match_count,
        query=query,
    )


HELP_LEGEND = mark("Symbols in the member list")
SIGN_OWNER = mark("owner of the room")
SIGN_MODERATOR = mark("moderator")
SIGN_BASIC_CLIENT = mark("basic client: may not show edits and reactions")


# Notifications and terminal title.
def notification_title(nick: str, room: str, is_mention: bool) -> str:
    """Return the notification title of one message."""
    return (
        tr("{nick} mentioned you in {room}", nick=nick, room=room)
        if is_mention
        else tr("{nick} in {room}", nick=nick, room=room)
    )


def notification_summary_title(count: int, rooms: Sequence[str]) -> str:
    """Return the notification title of several messages."""
    return plural(
        "{count:,} message in {rooms}", "{count:,} messages in {rooms}", count, rooms=_summarize_names(rooms, 3)
    )


def window_title(room: str, unread: int, mentions: int) -> str:
    """Return the terminal title: unread counter of all rooms and the current room.

    `@` marks mentions; without unread messages, the counter is omitted.
    """
    count = f"({'@' if mentions else ''}{unread:,}) " if unread else ""
    return f"{count}{room} · {TITLE}" if room else f"{count}{TITLE}"


MOUSE_OFF = mark("Mouse off. The terminal handles selection.")
MOUSE_ON = mark("Mouse on.")


def too_long_to_copy(count: int) -> str:
    """Return the error for a text above the clipboard limit of the terminal."""
    return plural(
        "Too long for the terminal's clipboard ({count:,} character). Paste here with Ctrl+V.",
        "Too long for the terminal's clipboard ({count:,} characters). Paste here with Ctrl+V.",
        count,
    )
