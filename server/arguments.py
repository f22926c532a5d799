"""Command line of `chat-server`: one parser for the server and one for each command.

- Settings: the parser of a command has options for the settings that this command uses.
- Errors: an unknown argument is reported with the most similar option or command.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Self

from server.settings import SETTINGS, SWITCHED_ON, ConfigError, ServerSetting
from server.settings_sources import suggest
from tui_chat.argument_parser import SHELLS, CompletionAction, ProgramParser, VersionAction
from tui_chat.protocol.limits import INVITE_SECONDS, INVITE_USES

MANAGED_FLAG = "--managed"
"""Option for programs that start the server (docs/operating.md, "Managed process")."""

_SERVER_ROLES = ("user", "admin")
_DAY = 24 * 3600  # seconds


class ServerParser(ProgramParser):
    """Argument parser of the program or of one command, with one-line error messages.

    Args:
        options: Keyword arguments of `argparse.ArgumentParser`, except `formatter_class` and `allow_abbrev`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            formatter_class=partial(argparse.HelpFormatter, max_help_position=36), allow_abbrev=False, **options
        )
        self._commands: dict[str, ServerParser] = {}
        self._requires_command = False

    def error(self, message: str) -> NoReturn:
        """Raise a usage error as `ConfigError`."""
        raise ConfigError(f"{message} (see {self.shell_command} --help)")

    def add_commands(self, commands: Mapping[str, str], *, required: bool = False) -> dict[str, Self]:
        """Add commands, and return their parsers by name.

        Args:
            commands: Descriptions by command name, as complete sentences.
            required: Reject a command line without a command.
        """
        self._requires_command = required
        action = self.add_subparsers(metavar="COMMAND", prog=self.prog)
        added = {name: action.add_parser(name, help=text, description=text) for name, text in commands.items()}
        self._commands.update(added)
        return added

    def add_settings(self, settings: Iterable[ServerSetting]) -> None:
        """Add `--config` and one option per setting. The values are unchecked strings.

        Absent options are absent from the parsed namespace. A list setting collects its repeated options. A setting
        that is off by default is switched on by its option without a value.
        """
        self.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="TOML settings file.")
        for setting in settings:
            self.add_argument(
                setting.flag,
                action="append" if setting.is_list else "store",
                default=argparse.SUPPRESS,
                metavar="VALUE",
                nargs="?" if setting.is_switch else None,
                const=SWITCHED_ON if setting.is_switch else None,
                help=f"{setting.help} [{setting.unit and f'{setting.unit}, '}default: {setting.default_text}]",
            )

    def add_selection(self, *settings: ServerSetting) -> None:
        """Add `--config`, the options `--port` and `--database` that select a server, and further settings."""
        selection = [
            replace(SETTINGS[name], help=f"Select the server with this {name}.", default_text="any")
            for name in ("port", "database")
        ]
        self.add_settings([*selection, *settings])

    def parse(self, arguments: Sequence[str], namespace: argparse.Namespace | None = None) -> argparse.Namespace:
        """Parse the arguments before a command, and the remaining ones with the parser of the command.

        Args:
            arguments: Arguments after the name of the program or command.
            namespace: Values of the preceding arguments, which the result includes.

        Returns:
            The values of all parsers, and the name of the command as `command`, such as `account add`; empty without a
            command.

        Raises:
            ConfigError: The arguments are invalid, or a required command is missing.
            SystemExit: The output of `--help`, `--version` or `--completion` is printed.
            OutputError: Standard output cannot be written.
        """
        end = self._find_command(arguments)
        parsed, unknown = self.parse_known_args(arguments[:end], namespace or argparse.Namespace())
        unknown += arguments[end : end + 1]
        if not unknown:
            if self._requires_command:
                self.error(f"missing command: one of {', '.join(self._commands)}")
            parsed.command = self.prog.partition(" ")[2]
            return parsed
        if unknown[0] in self._commands:
            return self._commands[unknown[0]].parse(arguments[end + 1 :], parsed)
        name = unknown[0].partition("=")[0]
        valid_names = (*self._commands, *self._option_string_actions)
        raise ConfigError(f"unknown argument {name}; {suggest(name, valid_names, self.shell_command)}")

    def _find_command(self, arguments: Sequence[str]) -> int:
        """Return the index of the first argument that is neither an option nor the value of one.

        Without such an argument, and for a parser without commands, the result is the number of arguments.
        """
        index = 0
        while index < len(arguments) and (not self._commands or arguments[index].startswith("-")):
            action = self._option_string_actions.get(arguments[index])  # None for an unknown option or one with `=`
            has_value = action is not None and action.nargs != 0
            if action is not None and action.nargs == "?":
                has_value = arguments[index + 1 : index + 2] in (["on"], ["off"])
            index += 2 if has_value else 1
        return min(index, len(arguments))


def build_parser() -> ServerParser:
    """Return the parser of the program."""
    parser = ServerParser(
        prog="chat-server",
        usage="chat-server [COMMAND] [options]",
        description="Group chat server for chat-tui, browsers and Socket.IO clients."
        " Without a command, start the server.",
        epilog="Each option is also an environment variable, for example CHAT_PORT, and a key of the settings file,"
        " for example port.",
    )
    commands = parser.add_commands(
        {
            "config": "Print the effective settings with their sources, and the protocol limits.",
            "status": "List the running servers of this user.",
            "stop": "Stop a running server.",
            "backup": "Save a copy of the SQLite database, even while the server is running.",
            "export": "Print the log of a room.",
            "migrate": "Copy the SQLite database of a stopped server into an empty PostgreSQL database.",
            "account": "Manage accounts.",
            "nodes": "List the servers that share a PostgreSQL database.",
            "drain": "Move the clients of a server to the other servers that share its PostgreSQL database.",
        }
    )
    commands["config"].add_settings(SETTINGS.values())
    for name in ("status", "stop"):
        commands[name].add_argument("--json", action="store_true", help="Print one JSON object per server.")
        commands[name].add_selection()
    _add_backup_arguments(commands["backup"])
    _add_export_arguments(commands["export"])
    _add_migrate_arguments(commands["migrate"])
    _add_account_commands(commands["account"])
    commands["nodes"].add_argument("--json", action="store_true", help="Print one JSON object per server.")
    commands["nodes"].add_selection()
    commands["drain"].add_argument("node", metavar="NODE", help="Name or id of the server, as listed by nodes.")
    commands["drain"].add_argument("--json", action="store_true", help="Print the result as a JSON object.")
    commands["drain"].add_selection()
    parser.add_argument("-V", "--version", action=VersionAction, nargs=0, help="Show the version.")
    parser.add_argument(
        "--completion",
        action=CompletionAction,
        build_parser=build_parser,
        help=f"Print the completion script of a shell: {', '.join(SHELLS)}.",
    )
    parser.add_argument(
        MANAGED_FLAG,
        action="store_true",
        help="Run as a child process: report the start as a line of JSON, and stop at the end of standard input."
        " With --exit-when-idle, the end of standard input only starts the idle timeout.",
    )
    parser.add_settings(SETTINGS.values())
    return parser


def _add_backup_arguments(parser: ServerParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="New file, written by the server if one is running.")
    parser.add_argument("--force", action="store_true", help="Replace an existing file.")
    parser.add_argument("--json", action="store_true", help="Print the result as a JSON object.")
    parser.add_selection()


def _add_export_arguments(parser: ServerParser) -> None:
    parser.add_argument("room", metavar="ROOM", help="Name of the room.")
    parser.add_argument(
        "--format",
        choices=("json", "text"),
        default="json",
        help="Entries as JSON lines, or a transcript. [default: json]",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="New file. [default: standard output]")
    parser.add_argument(
        "--files", type=Path, metavar="DIR", help="Directory for copies of the files of messages, as ID/NAME."
    )
    parser.add_argument("--force", action="store_true", help="Replace existing files.")
    parser.add_argument("--json", action="store_true", help="Print the result of --output as a JSON object.")
    parser.add_selection(replace(SETTINGS["time_zone"], help="IANA time zone of a transcript."))


def _add_migrate_arguments(parser: ServerParser) -> None:
    parser.add_argument(
        "--to", required=True, metavar="URL", help="Target database, such as postgresql://user@host/chat."
    )
    parser.add_argument("--json", action="store_true", help="Print the result as a JSON object.")
    parser.add_settings([SETTINGS["database"], SETTINGS["uploads"]])


def _add_account_commands(parser: ServerParser) -> None:
    parser.usage = "chat-server account COMMAND [options]"
    commands = parser.add_commands(
        {
            "add": "Add an account. The password is read from the terminal.",
            "list": "List all accounts.",
            "show": "Show an account and its devices.",
            "passwd": "Replace a password, and log out all devices of the account.",
            "token": "Replace the token of a bot.",
            "role": "Change the role on the server.",
            "suspend": "Reject logins of an account, and close its connections.",
            "resume": "End a suspension.",
            "delete": "Delete an account, and close its connections.",
            "invite": "Create an invite code for registrations.",
        },
        required=True,
    )
    for name in commands.keys() - {"list", "invite"}:
        commands[name].add_argument("name", metavar="NAME", help="Account name.")
    for name in ("add", "passwd"):
        commands[name].add_argument(
            "--password-stdin", action="store_true", help="Read the password from the first line of standard input."
        )
    add, invite = commands["add"], commands["invite"]
    add.add_argument("--nick", metavar="NICK", help="Nickname. [default: the account name]")
    add.add_argument("--role", choices=_SERVER_ROLES, default="user", help="Role on the server. [default: user]")
    add.add_argument("--bot", action="store_true", help="Create a bot with a token, without a password.")
    commands["role"].add_argument("role", choices=_SERVER_ROLES, metavar="|".join(_SERVER_ROLES), help="New role.")
    commands["suspend"].add_argument("--reason", default="", metavar="TEXT", help="Reason in the audit log.")
    commands["delete"].add_argument(
        "--messages",
        choices=("keep", "delete"),
        default="keep",
        help="Keep or delete the messages of the account. [default: keep]",
    )
    invite.add_argument(
        "--uses", type=_parse_uses, default=1, metavar="N", help="Maximum number of registrations. [default: 1]"
    )
    invite.add_argument(
        "--expires",
        dest="expiresIn",
        type=_parse_duration,
        default="7d",
        metavar="TIME",
        help="Lifetime, such as 12h or 7d. [default: 7d]",
    )
    for command in commands.values():
        command.add_argument("--json", action="store_true", help="Print JSON.")
        command.add_selection()


def _parse_uses(text: str) -> int:
    """Return a number from 1 to `INVITE_USES`; raise `argparse.ArgumentTypeError` for any other text."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= INVITE_USES:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a number from 1 to {INVITE_USES}")


def _parse_duration(text: str) -> int:
    """Return a duration such as `90m`, `12h` or `7d` in seconds.

    Raises:
        argparse.ArgumentTypeError: The text has another form, or the duration is 0 or above `INVITE_SECONDS`.
    """
    number, unit = text[:-1], {"m": 60, "h": 3600, "d": _DAY}.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdigit()) or not 0 < int(number) * unit <= INVITE_SECONDS:
        raise argparse.ArgumentTypeError(
            f"expected a duration such as 90m, 12h or 7d, at most {INVITE_SECONDS // _DAY}d"
        )
    return int(number) * unit
