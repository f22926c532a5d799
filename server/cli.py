"""Command line interface of `chat-server`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn, cast

from server import control_commands
from server.control_commands import CONTROL_COMMANDS
from server.control_socket import ControlError
from server.settings import SETTINGS, ConfigError, ServerSettings
from server.settings_sources import find_ignored_variables, resolve_settings, suggest
from tui_chat.argument_parser import SHELLS, CompletionAction, ProgramParser, VersionAction
from tui_chat.protocol import limits
from tui_chat.standard_streams import EXIT_USAGE_ERROR, run_program, write_error, write_output

_MANAGED_FLAG = "--managed"  # for programs that start the server (docs/operating.md, "Managed process")


class ServerParser(ProgramParser):
    """Argument parser with one-line error messages."""

    def error(self, message: str) -> NoReturn:
        """Raise a usage error as `ConfigError`."""
        raise ConfigError(f"{message} (see {self.shell_command} --help)")


def build_parser(*, for_completion: bool = False) -> argparse.ArgumentParser:
    """Return the parser with one option per setting; absent settings are None, others are unchecked text.

    A list setting collects its repeated options. The parser accepts any command; usage errors raise `ConfigError`.

    Args:
        for_completion: Declare the commands as choices, for completion scripts; `_parse` reports an unknown command
            with the nearest name.
    """
    parser = ServerParser(
        prog="chat-server",
        usage="chat-server [config|status|stop] [options]",
        description="Group chat server for chat-tui, browsers and Socket.IO clients.",
        epilog="Each option is also an environment variable, for example CHAT_PORT, and a key of the settings file,"
        " for example port.",
        formatter_class=partial(argparse.HelpFormatter, max_help_position=36),
        allow_abbrev=False,
    )
    parser.add_argument(
        "command",
        nargs="?",
        metavar="config|status|stop",
        choices=("config", *CONTROL_COMMANDS) if for_completion else None,
        help="config: print the effective settings with their sources, and the protocol limits."
        " status: list the running servers of this user. stop: stop the server."
        " --port and --database select a server.",
    )
    parser.add_argument("--json", action="store_true", help="With status and stop: print one JSON object per server.")
    parser.add_argument("-V", "--version", action=VersionAction, nargs=0, help="Show the version.")
    parser.add_argument(
        "--completion",
        action=CompletionAction,
        build_parser=partial(build_parser, for_completion=True),
        help=f"Print the completion script of a shell: {', '.join(SHELLS)}.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML settings file.")
    parser.add_argument(
        _MANAGED_FLAG,
        action="store_true",
        help="For programs that start the server: report the start as a line of JSON, and stop at the end of the input;"
        " with --exit-when-idle, after the last client.",
    )
    for setting in SETTINGS.values():
        parser.add_argument(
            setting.flag,
            action="append" if setting.is_list else "store",
            metavar="VALUE",
            help=f"{setting.help} [{setting.unit and f'{setting.unit}, '}default: {setting.default_text}]",
        )
    return parser


def _parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, ServerSettings, dict[str, str]]:
    """Return the command line, the effective settings and their sources.

    Raises:
        ConfigError: The command line, or another source of settings, is invalid or unreadable; for all commands.
        SystemExit: The output of `--help`, `--version` or `--completion` is printed.
        OutputError: Standard output rejects this output.
    """
    parsed, unknown = build_parser().parse_known_intermixed_args(arguments)
    if unknown or parsed.command not in {None, "config", *CONTROL_COMMANDS}:
        name = (unknown or [parsed.command])[0].partition("=")[0]
        flags = ["--config", "--json", "--completion", "--version", _MANAGED_FLAG]
        valid_names = ["config", *CONTROL_COMMANDS, *flags, *(setting.flag for setting in SETTINGS.values())]
        raise ConfigError(f"unknown argument {name}; {suggest(name, valid_names)}")
    options = {name: value for name, value in vars(parsed).items() if name in SETTINGS and value is not None}
    return parsed, *resolve_settings(options, os.environ, parsed.config)


def _print_settings(settings: ServerSettings, sources: dict[str, str]) -> None:
    for name, source in sources.items():
        value: object = settings.describe_database() if name == "database" else getattr(settings, name)
        formatted = ", ".join(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else value
        write_output(f"{name} = {formatted}  ({source})")
    write_output("")
    for name in sorted(filter(str.isupper, vars(limits))):
        write_output(f"{name.lower()} = {getattr(limits, name)}  (fixed by the protocol)")


def main() -> None:
    """Run the command line interface, then exit the process.

    Exit codes: 0 after an orderly shutdown, 1 for an internal error or an exceeded shutdown timeout, 2 for an error
    that the operator can correct, 69 for `status` and `stop` without a server, and the codes of
    `tui_chat.standard_streams`.
    """
    run_program(_run, lambda reason: write_error(f"chat-server: cannot write to standard output: {reason}"))


def _run() -> int:
    managed = _MANAGED_FLAG in sys.argv[1:]
    try:
        parsed, settings, sources = _parse(sys.argv[1:])
        if parsed.command in CONTROL_COMMANDS:
            return _run_control_command(parsed, settings)
    except (ConfigError, ControlError) as error:
        return _report_error(error, managed)
    if parsed.command == "config":
        for warning in find_ignored_variables(os.environ):
            write_error(f"chat-server: {warning}")
        _print_settings(settings, sources)
        return 0
    # Deferred import: --help and usage errors do not load the server.
    from server import process  # noqa: PLC0415

    try:
        process.run(settings, managed=managed)
    except process.STARTUP_ERRORS as error:
        code, running_url = process.startup_error_code(error), ""
        if code == "databaseInUse":
            servers = control_commands.find_servers({"database": settings.describe_database()})
            running_url = next((server.fields["url"] for server in servers), "")
        return _report_error(error, managed, code, running_url)
    return 0


def _run_control_command(parsed: argparse.Namespace, settings: ServerSettings) -> int:
    """Run a command for the servers with the port and the database of the command line; return the exit code.

    Only options of the command line select; without them, the command applies to all servers of the user.

    Raises:
        ControlError: The command failed.
    """
    selection = {"port": str(settings.port), "database": settings.describe_database()}
    selection = {name: value for name, value in selection.items() if getattr(parsed, name) is not None}
    return control_commands.run(parsed.command, selection, parsed.json)


def _report_error(error: Exception, managed: bool, code: str = "startFailed", running_url: str = "") -> int:
    write_error(f"chat-server: {error}")
    if managed:
        running = {"runningUrl": running_url} if running_url else {}
        write_output(json.dumps({"error": str(error), "code": code, **running}))
    return EXIT_USAGE_ERROR
