"""Command line interface of `chat-server`."""

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from typing import cast

from server import admin_commands, control_commands
from server.arguments import MANAGED_FLAG, build_parser
from server.control_commands import CONTROL_COMMANDS
from server.control_socket import ControlError
from server.settings import SETTINGS, ConfigError, ServerSettings
from server.settings_sources import find_ignored_variables, resolve_settings
from tui_chat.protocol import limits
from tui_chat.standard_streams import EXIT_USAGE_ERROR, run_program, write_error, write_output


def _parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, ServerSettings, dict[str, str]]:
    """Return the command line, the effective settings and their sources.

    Raises:
        ConfigError: The command line, the environment or the settings file is invalid, or the file is unreadable.
        SystemExit: The output of `--help`, `--version` or `--completion` is printed.
        OutputError: Standard output cannot be written.
    """
    parsed = build_parser().parse(arguments)
    options = {name: value for name, value in vars(parsed).items() if name in SETTINGS}
    return parsed, *resolve_settings(options, os.environ, getattr(parsed, "config", None))


def _print_settings(settings: ServerSettings, sources: dict[str, str]) -> None:
    """Print the settings with their sources, without the passwords of URLs, then the limits of the protocol."""
    urls = {"database": settings.describe_database, "bus": settings.describe_bus}
    for name, source in sources.items():
        value: object = urls[name]() if name in urls else getattr(settings, name)
        formatted = ", ".join(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else value
        write_output(f"{name} = {formatted}  ({source})")
    write_output("")
    for name in sorted(filter(str.isupper, vars(limits))):
        write_output(f"{name.lower()} = {getattr(limits, name)}  (fixed by the protocol)")


def main() -> None:
    """Run the command line interface, then exit the process.

    Exit codes, besides those of `tui_chat.standard_streams`:

    - 0: success, or an orderly shutdown.
    - 1: internal error, or exceeded shutdown timeout.
    - 2: error that the operator can correct.
    - 69: `status`, `stop` or `--port` finds no server, or another command gets no response.
    """
    run_program(_run, lambda reason: write_error(f"chat-server: cannot write to standard output: {reason}"))


def _run() -> int:
    """Run a command, or the server until its shutdown, and return the exit code; usage and start errors are printed."""
    managed = MANAGED_FLAG in sys.argv[1:]
    try:
        parsed, settings, sources = _parse(sys.argv[1:])
        if parsed.command not in {"", "config"}:
            return _run_control_command(parsed, settings, sources)
    except ConfigError as error:
        return _report_error(error, managed)
    if parsed.command == "config":
        for warning in find_ignored_variables(os.environ):
            write_error(f"chat-server: {warning}")
        _print_settings(settings, sources)
        return 0
    gc.disable()  # `process.run` enables the collector after the start, which creates few cycles: 10 % less start time
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


def _run_control_command(parsed: argparse.Namespace, settings: ServerSettings, sources: dict[str, str]) -> int:
    """Run a command for the servers with the port and the database of the command line; return the exit code.

    Without these options, `status` and `stop` consider all servers of the user. The other commands, without `--port`,
    also respect the database of the environment and of the settings file. A `ControlError` is printed.
    """
    selection = {"port": str(settings.port), "database": settings.describe_database()}
    selected = {name for name in selection if name in parsed}
    is_admin_command = parsed.command not in CONTROL_COMMANDS
    if is_admin_command and "port" not in selected and sources["database"] != "default":
        selected.add("database")
    selection = {name: value for name, value in selection.items() if name in selected}
    try:
        if is_admin_command:
            admin_commands.run(parsed, settings, selection)
        else:
            control_commands.run(parsed.command, selection, parsed.json)
    except ControlError as error:
        write_error(f"chat-server: {error}")
        return error.exit_code
    return 0


def _report_error(error: Exception, managed: bool, code: str = "startFailed", running_url: str = "") -> int:
    """Print an error to standard error, if `managed` also as JSON to standard output; return the exit code 2."""
    write_error(f"chat-server: {error}")
    if managed:
        running = {"runningUrl": running_url} if running_url else {}
        write_output(json.dumps({"error": str(error), "code": code, **running}))
    return EXIT_USAGE_ERROR
