"""Every sentence the terminal client says: the one place to change or translate it."""

from collections.abc import Sequence

from tui_chat.session.writing import EMOJIS, Kind

# The join form.
TITLE = "chat"
JOIN_HINT = "Pick a room and a name, and you are talking."
LABEL_ROOM = "Room"
LABEL_NICK = "Nickname"
LABEL_SERVER = "Server"
PLACEHOLDER_ROOM = "lobby"
PLACEHOLDER_NICK = "your name"
BUTTON_JOIN = "Join"
BUTTON_SERVE = "Start a server here"
NEEDS_ROOM = "Which room? Any name makes one."
NEEDS_NICK = "What shall others call you?"
STARTING_SERVER = "Starting a server…"


def connecting_to(server: str) -> str:
    """Said while the first connection is made."""
    return f"Connecting to {server}…"


def nothing_there(server: str) -> str:
    """No server answers."""
    return f"No chat server answers at {server}."


def port_taken(address: str) -> str:
    """Something else has the port."""
    return f"Something that is not a chat server already uses {address}."


def sentence(reason: str) -> str:
    """A reason of the wire as a sentence of its own."""
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}."


# What others did.
def _names(nicks: Sequence[str], most: int = 5, more: int = 0) -> str:
    if more or len(nicks) > most:
        told = nicks[: most - 1]
        others = len(nicks) - len(told) + more
        unnamed = f"{others:,} {'other' if others == 1 else 'others'}"
        return f"{', '.join(told)} and {unnamed}" if told else unnamed
    return nicks[0] if len(nicks) == 1 else f"{', '.join(nicks[:-1])} and {nicks[-1]}"


def came(nicks: Sequence[str], more: int = 0) -> str:
    """Some people came, and more whose names were not told."""
    return f"{_names(nicks, more=more)} joined"


def went(nicks: Sequence[str], more: int = 0) -> str:
    """Some people left, and more whose names were not told."""
    return f"{_names(nicks, more=more)} left"


def came_and_went(nicks: Sequence[str]) -> str:
    """Some people came and left, or left and came back."""
    return f"{_names(nicks)} came and went"


def renamed(old: str, new: str) -> str:
    """Somebody has another nickname."""
    return f"{old} is now {new}"


def typing(nicks: Sequence[str]) -> str:
    """Some people are typing."""
    return f"{_names(nicks, 3)} {'is' if len(nicks) == 1 else 'are'} typing…"


# What became of what you did.
def got_other_nick(wanted: str, got: str) -> str:
    """The nickname asked for was in use."""
    return f"{wanted} is taken here, you are {got}. /nick changes it."


def you_are_now(nick: str) -> str:
    """Your own nickname has changed."""
    return f"You are now {nick}."


def topic_is(topic: str) -> str:
    """The topic has changed."""
    return f"The topic is now: {topic}" if topic else "The topic was taken away."


def room_lost(room: str, reason: str) -> str:
    """A room was closed by the server."""
    return f"You are no longer in {room}: {reason}"


def members_are(nicks: Sequence[str]) -> str:
    """Who is in the room."""
    return f"{len(nicks):,} here: {', '.join(nicks)}"


def room_in_list(name: str, members: int, topic: str) -> str:
    """One room of a list."""
    return f"{name} · {members:,} here" + (f" · {topic}" if topic else "")


def rooms_are(rooms: Sequence[str]) -> str:
    """The rooms of a server."""
    return "\n".join((f"{len(rooms):,} rooms" if len(rooms) != 1 else "1 room", *rooms)) if rooms else "No rooms."


def unknown_command(name: str) -> str:
    """There is no such command."""
    return f"There is no command /{name[:40]}. /help lists them; to say it, type //{name[:40]}"


def usage(how: str) -> str:
    """A command was typed wrong."""
    return f"Type it as {how}"


def crashed(log: str) -> str:
    """The program has failed."""
    return f"chat-tui has failed and had to end; {log} has the details."


def others_join_with(commands: Sequence[str]) -> str:
    """How others get to the server that runs in this program."""
    return "You run the server. Others join with:\n" + "\n".join(f"  {command}" for command in commands)


LOCAL_ONLY = "Only this machine can reach it. For the network, start with --serve --host 0.0.0.0"
ALREADY_SERVED = "A chat server already runs there, so you joined that one."
ROOM_IS_CLOSED = "You are no longer in this room."
NOT_IN_A_ROOM = "You are in no room. /join takes you to one."
NO_TOPIC = "This room has no topic."
LAST_ROOM_LEFT = "You have left the last room."
COPIED = "Copied."
WENT_WRONG = "Something went wrong; the log has the details."
QUIT_AGAIN = "Press Ctrl+C again to quit."
UNSENT_QUIT = "Some of what you wrote is not sent yet. Quit again: it is sent when you are back."


# The state of the connection.
CONNECTING = "connecting"
OFFLINE = "offline"


def online(latency: float | None) -> str:
    """Connected, with the time an answer takes in seconds."""
    return "online" if latency is None else f"online {max(1, round(latency * 1000)):,} ms"


def offline(retry_in: float) -> str:
    """Not connected, with the seconds until the next attempt."""
    return f"offline: retry in {max(0, round(retry_in))} s" if retry_in >= 1 else "offline: trying"


def unsent(count: int) -> str:
    """How much waits to be sent, while there is no connection."""
    return f", {count:,} unsent" if count else ""


def change_failed(problem: str, text: str) -> str:
    """An edit, a deletion or a reaction was refused; what it said is not lost."""
    return f"The change was refused: {problem}" + (f" · {text}" if text else "")


def quoted(nick: str, text: str) -> str:
    """Who said what, in one line."""
    return f"{nick}: {' '.join(text.split())}" if text else f"{nick}: …"


def writing(kind: Kind, about: str) -> str:
    """What the text that is being written is for."""
    match kind:
        case Kind.REPLY:
            return f"answering {about} · Esc: no answer"
        case Kind.EDIT:
            return "changing what you said · Esc: leave it"
        case Kind.REACT:
            choices = " ".join(f"{number} {emoji}" for number, emoji in enumerate(EMOJIS, 1))
            return f"{choices}, or any emoji · Esc: none"


DELETE_AGAIN = "Press d again to take the message back for everybody."
NOT_YOURS = "Only your own messages can be changed."
NOTHING_THERE = "There is no such message here."

# The chat screen.
ROOMS = "Rooms"
YOU = "you"
PLACEHOLDER_MESSAGE = "Message"


def here(count: int) -> str:
    """The heading over the members."""
    return f"{count:,} here"


def new_below(count: int) -> str:
    """How many lines wait below."""
    return f"↓ {count:,} new below · End"


def unread_elsewhere(rooms: Sequence[tuple[int, int, bool]]) -> str:
    """What is unread in other rooms: number in the list, count, whether one names you."""
    return " ".join(f"{number}:{'@' if named else ''}{count:,}" for number, count, named in rooms)


def link_copied(host: str) -> str:
    """A link was copied, since there is nothing here to open it with."""
    return f"Copied the link to {host}."


def not_in(room: str) -> str:
    """You are not in this room."""
    return f"You are not in {room[:64]}." if room else NOT_IN_A_ROOM


def too_long(count: int, limit: int) -> str:
    """A message is over the limit."""
    return f"{count:,} of {limit:,} characters"


def paste_too_large(count: int) -> str:
    """A paste no message could hold."""
    return f"The paste has {count:,} characters; nothing was put in."


def searching_sent(query: str, failed: bool) -> str:
    """What you sent is being searched."""
    if failed:
        return f"nothing that you sent here holds: {query}"
    return f"sent here before: {query}▏" + ("" if query else " type what you look for")


def not_back_in(room: str, reason: str) -> str:
    """A room that was open before could not be entered again."""
    return f"{room}, where you were before, could not be entered: {reason}"


def writing_not_kept(reason: str) -> str:
    """Drafts and what was sent cannot be kept on this computer."""
    return f"Drafts are not kept on this computer: {reason}"


# Commands.
ARGUMENT_ROOM = "room"
ARGUMENT_NICK = "nickname"
ARGUMENT_TOPIC = "topic"
ARGUMENT_TEXT = "text"
ARGUMENT_EMOJI = "emoji"
ARGUMENT_THEME = "theme"
ARGUMENT_SETTING = "setting [value]"
ARGUMENT_QUERY = "part of a name"
HELP_JOIN = "go into a room; the others stay open"
HELP_PART = "leave this room, or another"
HELP_NICK = "take another nickname"
HELP_NAMES = "say who is here"
HELP_LIST = "list the rooms of this server"
HELP_TOPIC = "say what this room is about, or show it"
HELP_RECONNECT = "try to connect now"
HELP_EDIT = "change your last message"
HELP_REPLY = "answer the last message of somebody else"
HELP_REACT = "put an emoji under the last message, or take it away"
HELP_CLEAR = "take the notices off this room's screen"
HELP_THEME = "take other colours"
HELP_SET = "say all settings, say one, or set it"
HELP_NOTIFY = "of what in this room to be notified"
HELP_HELP = "show keys and commands"
HELP_QUIT = "leave"

# The help screen.
HELP_TITLE = "Keys and commands"
HELP_COMMANDS = "Commands"
HELP_CLOSE = "Esc closes this"

# What was remembered.


def remembered_damaged(aside: str) -> str:
    """The file could not be understood."""
    return f"What was remembered could not be read and was set aside as {aside}"


def remembered_unreadable(path: str, reason: str) -> str:
    """The file could not be read."""
    return f"{path} cannot be read: {reason}"


def remembered_unwritable(path: str, reason: str) -> str:
    """The file could not be written."""
    return f"{path} cannot be written: {reason}"


# Settings.
NOT_UTF8 = "it is not UTF-8"


def no_such_setting(name: str) -> str:
    """There is no setting of this name."""
    return f"There is no setting {name[:40]}."


def setting_can_be(expected: str) -> str:
    """What is allowed."""
    return f"It can be: {expected}"


def level_is(room: str, level: str) -> str:
    """Of what in a room one is notified."""
    match level:
        case "all":
            return f"You are notified of all messages in {room}."
        case "mentions":
            return f"You are notified in {room} when somebody names you."
        case _:
            return f"You are not notified of anything in {room}."


def setting_refused(name: str, expected: str) -> str:
    """A value that a setting cannot have."""
    return f"{name} can be: {expected}"


def setting_in_file(name: str) -> str:
    """A setting that is changed in the file."""
    return f"{name} is a table of its own; the settings file has it."


def settings_damaged(path: str, line: int, reason: str) -> str:
    """The whole file is not understood (`line` 0: no line is known)."""
    where = f"{path}, line {line}" if line else path
    return f"{where}: {reason}. The usual settings are used, and the file is left as it is."


def settings_wrong(path: str, line: int, problem: str) -> str:
    """One setting of the file is not understood."""
    where = f"{path}, line {line}" if line else path
    return f"{where}: {problem}"


def settings_not_toml(path: str) -> str:
    """The file cannot be changed."""
    return f"{path} cannot be understood and is left as it is; this is set until you quit."
