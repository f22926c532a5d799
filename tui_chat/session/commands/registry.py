"""Registry and parser of slash commands.

- Escape: a text with one leading `/` is a command, `//x` is the message `/x`.
- Errors: an unknown or malformed command raises `CommandRejected` and is never sent as a message.
- Names: case-insensitive. `handlers.HANDLERS` or the front end has a handler for each name.
"""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from tui_chat.protocol.sanitize import is_blank
from tui_chat.session.i18n import Translatable, mark, tr
from tui_chat.session.lines import action_text
from tui_chat.session.strings import chat as chat_strings


class ArgumentKind(Enum):
    """Type of a command argument, the source of its completion."""

    TEXT = "text"
    ROOM = "room"
    NICK = "nick"
    EMOJI = "emoji"
    THEME = "theme"
    SETTING = "setting"
    VALUE = "value"
    LEVEL = "level"
    PATH = "path"
    POLICY_FIELD = "policy field"
    POLICY_VALUE = "policy value"


@dataclass(frozen=True, slots=True)
class Argument:
    """Argument of a command: placeholder name in help texts, and type for completion."""

    name: Translatable
    kind: ArgumentKind = ArgumentKind.TEXT
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """Command definition.

    Attributes:
        name: Name without the slash, key of its handler.
        arguments: Arguments in order; the last one includes all remaining words.
        is_secret: The command asks for a password, which users may type after the name by mistake.
    """

    name: str
    help: Translatable
    arguments: tuple[Argument, ...] = ()
    aliases: tuple[str, ...] = ()
    is_secret: bool = False

    @property
    def min_arguments(self) -> int:
        """Number of required arguments."""
        return sum(not argument.is_optional for argument in self.arguments)

    @property
    def usage(self) -> str:
        """Syntax line for help and error texts, with optional arguments in brackets: `/part [room]`."""
        placeholders = (f"[{tr(item.name)}]" if item.is_optional else tr(item.name) for item in self.arguments)
        return " ".join((f"/{self.name}", *placeholders))


_ROOM = Argument(mark("room"), ArgumentKind.ROOM)
_OPTIONAL_ROOM = Argument(mark("room"), ArgumentKind.ROOM, is_optional=True)
_NICK = Argument(mark("nickname"), ArgumentKind.NICK)
_NICK_AND_REASON = Argument(mark("nickname [reason]"), ArgumentKind.NICK)
_NICK_AND_END = Argument(mark("nickname [duration] [reason]"), ArgumentKind.NICK)
_NICK_AND_BAN = Argument(mark("nickname [--delete duration] [duration] [reason]"), ArgumentKind.NICK)
_OPTIONAL_TEXT = Argument(mark("text"), is_optional=True)

COMMANDS: tuple[Command, ...] = (
    Command("join", mark("join a room; other rooms stay open"), (_ROOM,), aliases=("j",)),
    Command("part", mark("leave this or another room"), (_OPTIONAL_ROOM,), aliases=("leave", "close")),
    Command("nick", mark("change your nickname"), (_NICK,)),
    Command(
        "names",
        mark("list or search the members of this room"),
        (Argument(mark("part of a name"), is_optional=True),),
        aliases=("who",),
    ),
    Command("me", mark("send an action"), (Argument(mark("action")),)),
    Command(
        "upload",
        mark("send files from this computer"),
        (Argument(mark("path"), ArgumentKind.PATH),),
        aliases=("attach",),
    ),
    Command("cancel", mark("discard your newest unsent message or upload")),
    Command(
        "save",
        mark("save the files of the newest message that has files"),
        (Argument(mark("directory"), ArgumentKind.PATH, is_optional=True),),
    ),
    Command(
        "open",
        mark("open a file of the newest message that has files, after confirmation"),
        (Argument(mark("number"), is_optional=True),),
    ),
    Command("shrug", mark("send a message with a shrug"), (_OPTIONAL_TEXT,)),
    Command("whois", mark("show details of a member"), (_NICK,)),
    Command("query", mark("open the direct room with a member"), (_NICK,)),
    Command("msg", mark("send a direct message to a member"), (Argument(mark("nickname text"), ArgumentKind.NICK),)),
    Command(
        "ignore",
        mark("ignore a nickname, or list ignored nicknames"),
        (Argument(mark("nickname"), ArgumentKind.NICK, is_optional=True),),
    ),
    Command("unignore", mark("stop ignoring a nickname"), (_NICK,)),
    Command("block", mark("block a member: no direct messages and mentions, messages are hidden"), (_NICK,)),
    Command("unblock", mark("end the block of a member"), (_NICK,)),
    Command("blocks", mark("list the blocked members")),
    Command("mentions", mark("list the messages of all rooms that mention you")),
    Command("away", mark("set your status to away"), (_OPTIONAL_TEXT,)),
    Command("back", mark("clear your away status")),
    Command("kick", mark("remove a member, who may join again"), (_NICK_AND_REASON,)),
    Command(
        "ban",
        mark("ban a member for 2h, 7d, until a date, or permanently; --delete 1h deletes recent messages"),
        (_NICK_AND_BAN,),
    ),
    Command("unban", mark("end the ban of a person"), (_NICK,)),
    Command("silence", mark("silence a member for 2h, 7d, until a date, or permanently"), (_NICK_AND_END,)),
    Command("unsilence", mark("end the silence of a member"), (_NICK,)),
    Command("sanctions", mark("list the silenced and banned members of this room")),
    Command("op", mark("make a member moderator or owner"), (Argument(mark("nickname [owner]"), ArgumentKind.NICK),)),
    Command("deop", mark("remove the role of a moderator"), (_NICK,)),
    Command("transfer", mark("transfer the ownership of this room to a member, after confirmation"), (_NICK,)),
    Command(
        "create",
        mark("create a room that you own; --private for an invited group"),
        (Argument(mark("[--private] name")),),
    ),
    Command(
        "invite",
        mark("create an invite link to this room, and copy the link"),
        (Argument(mark("people"), is_optional=True), Argument(mark("duration"), is_optional=True)),
    ),
    Command("invites", mark("list the valid invites to this room")),
    Command("uninvite", mark("revoke an invite of the list of /invites"), (Argument(mark("number")),)),
    Command("group-code", mark("replace the invite code of this private room for web applications, and copy the code")),
    Command("hook", mark("create a webhook for messages of programs, and copy its address"), (Argument(mark("name")),)),
    Command("hooks", mark("list the webhooks of this room")),
    Command("unhook", mark("revoke a webhook of the list of /hooks"), (Argument(mark("name")),)),
    Command(
        "policy",
        mark("show the policy of this room, or set a field"),
        (
            Argument(mark("field"), ArgumentKind.POLICY_FIELD, is_optional=True),
            Argument(mark("value"), ArgumentKind.POLICY_VALUE, is_optional=True),
        ),
    ),
    Command("rename", mark("rename this room"), (Argument(mark("new name")),)),
    Command("delete-room", mark("delete this room with all messages, after confirmation")),
    Command("forget", mark("leave this or another room, and end your membership"), (_OPTIONAL_ROOM,)),
    Command("audit", mark("list the actions of the moderators of this room")),
    Command("mute", mark("mute notifications for this or another room"), (_OPTIONAL_ROOM,)),
    Command("unmute", mark("unmute notifications for this or another room"), (_OPTIONAL_ROOM,)),
    Command(
        "list",
        mark("list the rooms of this server"),
        (Argument(mark("part of a name"), is_optional=True),),
        aliases=("rooms",),
    ),
    Command(
        "go",
        mark("switch to a room by part of its name"),
        (Argument(mark("part of a name"), is_optional=True),),
        aliases=("switch",),
    ),
    Command("topic", mark("show or set the topic"), (Argument(mark("topic"), is_optional=True),)),
    Command("login", mark("log in with an account"), is_secret=True),
    Command("register", mark("create an account; your messages and rooms stay yours"), is_secret=True),
    Command("logout", mark("log out, and continue as a guest")),
    Command(
        "devices",
        mark("list the devices of your account, or log one out"),
        (Argument(mark("number"), is_optional=True),),
    ),
    Command("password", mark("change the password of your account"), is_secret=True),
    Command("account", mark("edit the profile of your account")),
    Command("delete-account", mark("delete your account"), is_secret=True),
    Command("reconnect", mark("reconnect now")),
    Command("server", mark("connect to another server"), (Argument(mark("URL")),)),
    Command("stop-server", mark("stop the server on this computer")),
    Command("edit", mark("edit your last message"), (_OPTIONAL_TEXT,)),
    Command(
        "delete",
        mark("delete the selected or your last message; as moderator, the last one of a member"),
        (Argument(mark("nickname"), ArgumentKind.NICK, is_optional=True),),
    ),
    Command("undo", mark("restore a message within 5 seconds of its deletion")),
    Command("reply", mark("reply to the last message of another member"), (_OPTIONAL_TEXT,)),
    Command(
        "react",
        mark("add or remove a reaction to the last message"),
        (Argument(mark("emoji"), ArgumentKind.EMOJI, is_optional=True),),
    ),
    Command(
        "search",
        mark("search messages in all rooms"),
        (Argument(mark("words"), is_optional=True),),
        aliases=("find",),
    ),
    Command(
        "unread",
        mark("mark the last message of other members, or a number of messages, as unread"),
        (Argument(mark("number"), is_optional=True),),
    ),
    Command("date", mark("jump to a date: 2026-11-18, yesterday, monday, 3 days ago"), (Argument(mark("day")),)),
    Command("clear", mark("clear the notices of this room")),
    Command(
        "theme",
        mark("set the theme, or preview the themes"),
        (Argument(mark("theme"), ArgumentKind.THEME, is_optional=True),),
    ),
    Command("settings", mark("open the settings"), aliases=("preferences",)),
    Command(
        "set",
        mark("list the settings, show one, or set one"),
        (
            Argument(mark("setting"), ArgumentKind.SETTING, is_optional=True),
            Argument(mark("value"), ArgumentKind.VALUE, is_optional=True),
        ),
    ),
    Command(
        "notify",
        mark("show or set the notifications of this room"),
        (Argument(mark("all|mentions|none|default"), ArgumentKind.LEVEL, is_optional=True),),
    ),
    Command("help", mark("show keys and commands"), aliases=("h",)),
    Command("quit", mark("quit"), aliases=("exit", "q")),
)

_COMMANDS_BY_NAME: dict[str, Command] = {
    name: command for command in COMMANDS for name in (command.name, *command.aliases)
}


@dataclass(frozen=True, slots=True)
class CommandCall:
    """Parsed command; the arguments have no surrounding whitespace."""

    command: Command
    arguments: tuple[str, ...]


class CommandRejected(Exception):
    """Command without effect; the text is an error message for the user."""


def parse(text: str) -> CommandCall | str:
    """Return the command in a submitted text, or the message body without the escape.

    Only `//` at the start is an escape. The command name ends at the first white space. The last argument has all
    remaining text, with its inner white space. Blank arguments are ignored.

    Raises:
        CommandRejected: The command is unknown, or the number of arguments is wrong; the text gives the usage.
    """
    if text.startswith("//"):
        return text[1:]
    if not text.startswith("/"):
        return text
    name = text[1:].split(maxsplit=1)[0] if text[1:2].strip() else ""
    command = find(name)
    if command is None:
        raise CommandRejected(_unknown_command(name))
    rest = text[1 + len(name) :]
    arguments = [] if is_blank(rest) else rest.split(None, len(command.arguments) - 1)
    if not command.min_arguments <= len(arguments) <= len(command.arguments):
        raise CommandRejected(usage_error(name))
    return CommandCall(command, tuple(argument.strip() for argument in arguments))


def escape(text: str) -> str:
    """Return the input that sends a message text: another `/` before a leading one, except for an action."""
    return f"/{text}" if text.startswith("/") and not action_text(text) else text


def usage_error(name: str) -> str:
    """Return the usage of a command as an error message, without a syntax for an unknown name."""
    command = find(name)
    return tr(chat_strings.COMMAND_USAGE, syntax=command.usage if command is not None else "")


def is_secret(text: str) -> bool:
    """Return whether words follow `/` and a command that asks for a password, so that no file may contain the text."""
    name, *arguments = text.removeprefix("/").split(maxsplit=1) or [""]
    command = find(name) if text.startswith("/") else None
    return command is not None and command.is_secret and bool(arguments)


def _unknown_command(name: str) -> str:
    """Return the error of an unknown command, with a similar name if there is one."""
    nearest = get_close_matches(name.lower(), _COMMANDS_BY_NAME, 1)
    if nearest:
        return tr("Unknown command /{name}. Did you mean /{nearest}?", name=name[:40], nearest=nearest[0])
    return tr("Unknown command /{name}. See /help; //{name} sends it.", name=name[:40])


def complete(prefix: str, hidden_commands: Collection[str] = ()) -> list[str]:
    """Return the command names with this prefix (without the slash), then matching aliases of the other commands.

    One-letter aliases and `hidden_commands` are omitted. An empty prefix returns all command names.
    """
    folded_prefix = prefix.casefold()
    commands = [command for command in COMMANDS if command.name not in hidden_commands]
    matching = [command for command in commands if command.name.startswith(folded_prefix)]
    aliases = [alias for command in commands if command not in matching for alias in command.aliases if len(alias) > 1]
    return [*(command.name for command in matching), *(name for name in aliases if name.startswith(folded_prefix))]


def find(name: str) -> Command | None:
    """Return the command with this name or alias in any case, without the slash; None if there is none."""
    return _COMMANDS_BY_NAME.get(name.lower())
