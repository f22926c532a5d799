"""The commands one can type: what there is, and what a typed text means.

Rule 1  A text is a command when it starts with one `/`; `//x` says `/x`.
Rule 2  What looks like a command and is none is an error, and is never sent.
Rule 3  Names are the same in any case, and every command is in `ALL` once.
"""

from dataclasses import dataclass
from enum import Enum

from tui_chat.session import words


class Action(Enum):
    """What a command does; its value is its name."""

    JOIN = "join"
    PART = "part"
    NICK = "nick"
    NAMES = "names"
    LIST = "list"
    TOPIC = "topic"
    RECONNECT = "reconnect"
    EDIT = "edit"
    REPLY = "reply"
    REACT = "react"
    CLEAR = "clear"
    THEME = "theme"
    SET = "set"
    NOTIFY = "notify"
    HELP = "help"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        action: What it does.
        help: One line on what it does.
        arguments: What may follow it, as the help shows it.
        least: How many words must follow it.
        most: How many words may follow it; the last one takes the rest of the line.
        aliases: Other names for it.
    """

    action: Action
    help: str
    arguments: str = ""
    least: int = 0
    most: int = 0
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name that follows the slash."""
        return self.action.value

    @property
    def usage(self) -> str:
        """How it is typed."""
        return f"/{self.name} {self.arguments}".rstrip()


ALL: tuple[Command, ...] = (
    Command(Action.JOIN, words.HELP_JOIN, words.ARGUMENT_ROOM, least=1, most=1, aliases=("j",)),
    Command(Action.PART, words.HELP_PART, f"[{words.ARGUMENT_ROOM}]", most=1, aliases=("leave", "close")),
    Command(Action.NICK, words.HELP_NICK, words.ARGUMENT_NICK, least=1, most=1),
    Command(Action.NAMES, words.HELP_NAMES, aliases=("who",)),
    Command(Action.LIST, words.HELP_LIST, f"[{words.ARGUMENT_QUERY}]", most=1),
    Command(Action.TOPIC, words.HELP_TOPIC, f"[{words.ARGUMENT_TOPIC}]", most=1),
    Command(Action.RECONNECT, words.HELP_RECONNECT),
    Command(Action.EDIT, words.HELP_EDIT, f"[{words.ARGUMENT_TEXT}]", most=1),
    Command(Action.REPLY, words.HELP_REPLY, f"[{words.ARGUMENT_TEXT}]", most=1),
    Command(Action.REACT, words.HELP_REACT, f"[{words.ARGUMENT_EMOJI}]", most=1),
    Command(Action.CLEAR, words.HELP_CLEAR),
    Command(Action.THEME, words.HELP_THEME, words.ARGUMENT_THEME, least=1, most=1),
    Command(Action.SET, words.HELP_SET, f"[{words.ARGUMENT_SETTING}]", most=2),
    Command(Action.NOTIFY, words.HELP_NOTIFY, "[all|mentions|none|default]", most=1),
    Command(Action.HELP, words.HELP_HELP, aliases=("h",)),
    Command(Action.QUIT, words.HELP_QUIT, aliases=("exit", "q")),
)

_BY_NAME: dict[str, Command] = {name: command for command in ALL for name in (command.name, *command.aliases)}


@dataclass(frozen=True, slots=True)
class Say:
    """The text is a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """The text is a command, with the words that follow it."""

    command: Command
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """The text looks like a command and cannot be done.

    Attributes:
        problem: One sentence for a person.
    """

    problem: str


def parse(text: str) -> Say | Call | Wrong:
    """What a typed text means."""
    if text.startswith("//"):
        return Say(text[1:])
    if not text.startswith("/"):
        return Say(text)
    name, _, rest = text[1:].strip().partition(" ")
    command = _BY_NAME.get(name.casefold())
    if command is None:
        return Wrong(words.unknown_command(name))
    arguments = tuple(rest.split(None, command.most - 1)) if command.most else tuple(rest.split())
    if not command.least <= len(arguments) <= command.most:
        return Wrong(words.usage(command.usage))
    return Call(command, tuple(argument.strip() for argument in arguments))


def named(prefix: str) -> list[str]:
    """The names of the commands that start with `prefix` (without the slash), aliases not counted."""
    return [command.name for command in ALL if command.name.startswith(prefix.casefold())]
