"""Every sentence of the chat: the one place to change it. Its translations are in `tui_chat/locale`.

What has no parts is marked, and shown with `tr(words.…)`; what has parts is a function.
Settings and keys are in `setting_words`, people in `people_words`; a part of the program with many
sentences of its own has such a file of its own.
"""

from collections.abc import Sequence

from tui_chat.session.compose_mode import QUICK_REACTIONS, ComposeKind
from tui_chat.session.i18n import mark, plural, tr
from tui_chat.session.lines import ACTION_PREFIX, MessageLine
from tui_chat.session.paste import PasteMode

# The join form.
TITLE = "chat"
JOIN_HINT = mark("Pick a room and a name, and you are talking.")
LABEL_ROOM = mark("Room")
LABEL_NICK = mark("Nickname")
LABEL_SERVER = mark("Server")
PLACEHOLDER_ROOM = mark("lobby")
PLACEHOLDER_NICK = mark("your name")
BUTTON_JOIN = mark("Join")
BUTTON_START_SERVER = mark("Start a server here")
ROOM_REQUIRED = mark("Which room? Any name makes one.")
NICK_REQUIRED = mark("What shall others call you?")
STARTING_SERVER = mark("Starting a server…")


def connecting_to(server: str) -> str:
    """Said while the first connection is made."""
    return tr("Connecting to {server}…", server=server)


def no_server_at(server: str) -> str:
    """No server answers."""
    return tr("No chat server answers at {server}.", server=server)


def port_in_use(address: str) -> str:
    """Something else has the port."""
    return tr("Something that is not a chat server already uses {address}.", address=address)


# What others did.
def _join_names(nicks: Sequence[str]) -> str:
    return tr(", ").join(nicks)


def _summarize_names(nicks: Sequence[str], limit: int = 5, unlisted_count: int = 0) -> str:
    if unlisted_count or len(nicks) > limit:
        listed = nicks[: limit - 1]
        remaining = len(nicks) - len(listed) + unlisted_count
        if not listed:
            return plural("{count:,} other", "{count:,} others", remaining)
        return plural(
            "{names} and {count:,} other", "{names} and {count:,} others", remaining, names=_join_names(listed)
        )
    return nicks[0] if len(nicks) == 1 else tr("{names} and {last}", names=_join_names(nicks[:-1]), last=nicks[-1])


def joined(nicks: Sequence[str], unlisted_count: int = 0) -> str:
    """Some people came, and more whose names were not told."""
    return tr("{names} joined", names=_summarize_names(nicks, unlisted_count=unlisted_count))


def left(nicks: Sequence[str], unlisted_count: int = 0) -> str:
    """Some people left, and more whose names were not told."""
    return tr("{names} left", names=_summarize_names(nicks, unlisted_count=unlisted_count))


def joined_and_left(nicks: Sequence[str]) -> str:
    """Some people came and left, or left and came back."""
    return tr("{names} came and went", names=_summarize_names(nicks))


def renamed(old: str, new: str) -> str:
    """Somebody has another nickname."""
    return tr("{old} is now {new}", old=old, new=new)


def typing_indicator(nicks: Sequence[str]) -> str:
    """Some people are typing."""
    return plural("{names} is typing…", "{names} are typing…", len(nicks), names=_summarize_names(nicks, 3))


# What became of what you did.
def nick_assigned(requested: str, assigned: str) -> str:
    """The nickname asked for was in use."""
    return tr("{wanted} is taken here, you are {got}. /nick changes it.", wanted=requested, got=assigned)


def own_nick_changed(nick: str) -> str:
    """Your own nickname has changed."""
    return tr("You are now {nick}.", nick=nick)


def topic_changed(topic: str) -> str:
    """The topic has changed."""
    return tr("The topic is now: {topic}", topic=topic) if topic else tr("The topic was taken away.")


def room_lost(room: str, reason: str) -> str:
    """A room was closed by the server."""
    return tr("You are no longer in {room}: {reason}", room=room, reason=reason)


def member_list(nicks: Sequence[str]) -> str:
    """Who is in the room; a plain server tells of nobody."""
    if not nicks:
        return tr("This server does not tell who is here.")
    return tr("{count:,} here: {names}", count=len(nicks), names=_join_names(nicks))


def room_summary(name: str, members: int, topic: str) -> str:
    """One room of a list."""
    return f"{name} · {member_count(members)}" + (f" · {topic}" if topic else "")


def room_list(rooms: Sequence[str]) -> str:
    """The rooms of a server."""
    if not rooms:
        return tr("No rooms.")
    return "\n".join((plural("{count:,} room", "{count:,} rooms", len(rooms)), *rooms))


def unknown_command(name: str) -> str:
    """There is no such command."""
    return tr("No command /{name}. //{name} says it, /help lists all.", name=name[:40])


def command_usage(syntax: str) -> str:
    """A command was typed wrong."""
    return tr("Type it as {how}", how=syntax)


def crash_report(log: str) -> str:
    """The program has failed."""
    return tr("chat-tui has failed and had to end; {log} has the details.", log=log)


def join_commands(commands: Sequence[str]) -> str:
    """How others get to the server that runs in this program."""
    return tr("You run the server. Others join with:") + "\n" + "\n".join(f"  {command}" for command in commands)


BASIC_SERVER = mark("Plain server: no history, no members, no delivery marks.")
LOCAL_ONLY = mark("Only this machine can reach it. For the network, start with --serve --host 0.0.0.0")
JOINED_EXISTING_SERVER = mark("A chat server already runs there, so you joined that one.")
ROOM_CLOSED = mark("You are no longer in this room.")
NOT_IN_A_ROOM = mark("You are in no room. /join takes you to one.")
NO_TOPIC = mark("This room has no topic.")
LEFT_LAST_ROOM = mark("You have left the last room.")
COPIED = mark("Copied.")
INTERNAL_ERROR = mark("Something went wrong; the log has the details.")
CONFIRM_QUIT = mark("Press Ctrl+C again to quit.")
CONFIRM_QUIT_UNSENT = mark("Some of what you wrote is not sent yet. Quit again: it is sent when you are back.")


# The state of the connection.
CONNECTING = mark("connecting")


def online(latency: float | None) -> str:
    """Connected, with the time an answer takes in seconds."""
    return tr("online") if latency is None else tr("online {ms:,} ms", ms=max(1, round(latency * 1000)))


def offline(retry_in: float) -> str:
    """Not connected, with the seconds until the next attempt."""
    return tr("offline: retry in {seconds} s", seconds=round(retry_in)) if retry_in >= 1 else tr("offline: trying")


def unsent_count(count: int) -> str:
    """How much waits to be sent, while there is no connection."""
    return tr(", {count:,} unsent", count=count) if count else ""


def change_failed(problem: str, text: str) -> str:
    """An edit, a deletion or a reaction was refused; what it said is not lost."""
    return tr("The change was refused: {problem}", problem=problem) + (f" · {text}" if text else "")


def quote(nick: str, text: str) -> str:
    """Who said what, or does what, in one line."""
    if text.startswith(ACTION_PREFIX):
        return f"* {nick} {' '.join(text[len(ACTION_PREFIX) :].split())}"
    return f"{nick}: {' '.join(text.split())}" if text else f"{nick}: …"


def quote_line(line: MessageLine, limit: int) -> str:
    """Who said what in this message, in one line of at most about that many characters of theirs."""
    return quote(line.nick, "" if line.deleted else line.text[:limit])


def compose_hint(kind: ComposeKind, about: str) -> str:
    """What the text that is being written is for."""
    match kind:
        case ComposeKind.REPLY:
            return tr("answering {about} · Esc: no answer", about=about)
        case ComposeKind.EDIT:
            return tr("changing what you said · Esc: leave it")
        case ComposeKind.REACT:
            choices = " ".join(f"{number} {emoji}" for number, emoji in enumerate(QUICK_REACTIONS, 1))
            return tr("{choices}, or any emoji · Esc: none", choices=choices)


CONFIRM_DELETE = mark("Press d again to take the message back for everybody.")
NOT_OWN_MESSAGE = mark("Only your own messages can be changed.")
NO_SUCH_MESSAGE = mark("There is no such message here.")

# The chat screen.
ROOMS = mark("Rooms")
YOU = mark("you")
PLACEHOLDER_PALETTE = mark("search the commands")
PLACEHOLDER_MESSAGE = mark("Message")


def member_count(count: int) -> str:
    """The heading over the members; a plain server tells of nobody."""
    return tr("{count:,} here", count=count) if count else tr("not told here")


def new_messages_below(count: int) -> str:
    """How many lines wait below."""
    return tr("↓ {count:,} new below · End", count=count)


def unread_elsewhere(rooms: Sequence[tuple[int, int, bool]]) -> str:
    """What is unread in other rooms: number in the list, count, whether one names you."""
    return " ".join(f"{number}:{'@' if named else ''}{count:,}" for number, count, named in rooms)


def link_copied(host: str) -> str:
    """A link was copied, since there is nothing here to open it with."""
    return tr("Copied the link to {host}.", host=host)


def not_in_room(room: str) -> str:
    """You are not in this room."""
    return tr("You are not in {room}.", room=room[:64]) if room else tr(NOT_IN_A_ROOM)


def message_too_long(count: int, limit: int) -> str:
    """A message is over the limit."""
    return tr("{count:,} of {limit:,} characters", count=count, limit=limit)


def paste_too_large(count: int) -> str:
    """A paste no message could hold."""
    return tr("The paste has {count:,} characters; nothing was put in.", count=count)


def history_search_prompt(query: str, has_failed: bool) -> str:
    """What you sent is being searched."""
    if has_failed:
        return tr("nothing that you sent here holds: {query}", query=query)
    if not query:
        return tr("sent here before: ▏ type what you look for")
    return tr("sent here before: {query}▏", query=query)


def paste_summary(lines: int, characters: int) -> str:
    """How much was pasted."""
    return plural(
        "Pasted: {count:,} line, {characters:,} characters",
        "Pasted: {count:,} lines, {characters:,} characters",
        lines,
        characters=characters,
    )


def paste_option(mode: PasteMode, message_count: int) -> str:
    """What can be done with a paste, and how many messages that makes."""
    match mode:
        case PasteMode.EDIT:
            return tr("put it into the message, to be changed first")
        case PasteMode.SINGLE_MESSAGE:
            return tr("send it as one message")
        case PasteMode.CHUNKS:
            return tr("send it as {count:,} messages, as long as they can be", count=message_count)
        case PasteMode.LINE_BY_LINE:
            return tr("send each line as a message: {count:,}", count=message_count)


PASTE_CANCEL = mark("drop it")

SWITCH_TITLE = mark("Go to a room")
SWITCH_HINT = mark("some letters of its name")
SWITCH_FOOTER = mark("↑↓ choose · Enter go · Esc stay")
NEW_ROOM = mark("new room")


def input_cleared(undo_key: str) -> str:
    """The line was cleared, and this key brings it back."""
    return tr("Cleared. {key} brings it back.", key=undo_key)


def rejoin_failed(room: str, reason: str) -> str:
    """A room that was open before could not be entered again."""
    return tr("{room}, where you were before, could not be entered: {reason}", room=room, reason=reason)


def drafts_not_saved(reason: str) -> str:
    """Drafts and what was sent cannot be kept on this computer."""
    return tr("Drafts are not kept on this computer: {reason}", reason=reason)


# The help screen.
HELP_TITLE = mark("Keys and commands")
HELP_COMMANDS = mark("Commands")
HELP_CLOSE = mark("type to search · Esc closes this")


def help_search_prompt(query: str, match_count: int) -> str:
    """The help is being searched."""
    return plural(
        "{query}▏ {count:,} line · Esc closes this",
        "{query}▏ {count:,} lines · Esc closes this",
        match_count,
        query=query,
    )


HELP_LEGEND = mark("Signs in the list of members")
SIGN_OWNER = mark("owner of the room")
SIGN_MODERATOR = mark("moderator")
SIGN_BASIC_CLIENT = mark("in another chat program, which may show neither edits nor reactions")


# Notifications, and the title of the terminal.
def notification_title(nick: str, room: str, is_mention: bool) -> str:
    """Somebody said something while nobody looked."""
    return (
        tr("{nick} named you in {room}", nick=nick, room=room)
        if is_mention
        else tr("{nick} in {room}", nick=nick, room=room)
    )


def notification_summary_title(count: int, rooms: Sequence[str]) -> str:
    """Several things were said while nobody looked."""
    return plural(
        "{count:,} message in {rooms}", "{count:,} messages in {rooms}", count, rooms=_summarize_names(rooms, 3)
    )


def window_title(room: str, unread: int, mentions: int) -> str:
    """The title of the terminal: what is unread in all rooms, and the room that is shown."""
    count = f"({'@' if mentions else ''}{unread:,}) " if unread else ""
    return f"{count}{room} · {TITLE}" if room else f"{count}{TITLE}"


MOUSE_OFF = mark("The mouse is the terminal's now, for its own selection.")
MOUSE_ON = mark("The mouse works here again.")


def too_long_to_copy(count: int) -> str:
    """A text that no terminal takes into its clipboard."""
    return plural(
        "That is too long for the terminal's clipboard ({count:,} character); Ctrl+V puts it in here.",
        "That is too long for the terminal's clipboard ({count:,} characters); Ctrl+V puts it in here.",
        count,
    )
