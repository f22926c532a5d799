"""Command line of `chat-tui`: dispatch of subcommands, the screen-reader mode and the Textual app.

- Start-up: Textual and the network libraries are imported only by the mode that uses them.
- Terminal: the Textual app starts only if standard input, output and error are a terminal.
"""

import argparse
import asyncio
import logging
import os
import re
import sys
from functools import partial
from pathlib import Path

import platformdirs

from tui_chat.argument_parser import SHELLS, CompletionAction, VersionAction, shown_command
from tui_chat.cli_commands import arguments
from tui_chat.client.net.address import DEFAULT_HOST, DEFAULT_PORT
from tui_chat.command_line import CommandLineParser, exit_with_error, parse_language, print_error, set_language
from tui_chat.local_server import LocalServer, LocalServerError
from tui_chat.logging import configure_logging, log_path
from tui_chat.session.i18n import tr
from tui_chat.session.settings import settings_file
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.start_options import StartOptions
from tui_chat.session.store import profile as profile_store
from tui_chat.session.strings import app as app_strings
from tui_chat.standard_streams import EXIT_INTERNAL_ERROR, OutputError, run_program, write_output
from tui_chat.ui import gc_tuning

log = logging.getLogger("chat.cli")

SUBCOMMANDS = ("send", "tail", "who", "login", "logout", "version")
"""Subcommands (docs/scripts.md); without one of these, the arguments belong to the interactive modes."""

THREAD_SWITCH_INTERVAL = 0.0005
"""Switch interval of the interpreter lock, in seconds."""


def build_parser(*, for_completion: bool = False) -> argparse.ArgumentParser:
    """Return the parser of the interactive modes, with help texts in the active language.

    Args:
        for_completion: Require a subcommand in place of the server URL, for completion scripts of all modes.
    """
    parser = CommandLineParser(
        prog="chat-tui",
        description=tr("Group chat in the terminal."),
        epilog=tr("Commands: login, logout; for scripts: send, tail, who (see their --help)."),
        allow_abbrev=False,
    )
    if for_completion:
        arguments.add_subcommands(parser)
    else:
        parser.add_argument(
            "server", nargs="?", default="", metavar="URL", help=tr("http://host:port or chat://host/room")
        )
    parser.add_argument(
        "--room",
        default="",
        metavar="ROOM",
        help=tr("room to join (default: the rooms of the last session)"),
    )
    parser.add_argument("--nick", default="", metavar="NICK", help=tr("your nickname; with --room, joins directly"))
    parser.add_argument(
        "--serve", action="store_true", help=tr("start a local server that others can join, or join the running one")
    )
    parser.add_argument(
        "--host",
        default="",
        metavar="HOST",
        help=tr("listen address of the local server ({default}); 0.0.0.0 for the network", default=DEFAULT_HOST),
    )
    parser.add_argument(
        "--port",
        type=_parse_port,
        default=None,
        metavar="PORT",
        help=tr("TCP port of the local server ({default})", default=DEFAULT_PORT),
    )
    parser.add_argument("--no-cache", action="store_true", help=tr("do not save message history on this computer"))
    parser.add_argument(
        "--lang", type=parse_language, default=None, metavar="en|zh", help=tr("language (default: from the locale)")
    )
    parser.add_argument("--screen-reader", action="store_true", help=tr("line-based mode for screen readers"))
    parser.add_argument("--settings", type=Path, default=None, metavar="FILE", help=tr("settings file"))
    parser.add_argument("--log", type=Path, default=None, metavar="FILE", help=tr("log file"))
    parser.add_argument("-V", "--version", action=VersionAction, nargs=0, help=tr("show the version"))
    parser.add_argument(
        "--completion",
        action=CompletionAction,
        build_parser=partial(build_parser, for_completion=True),
        help=tr("print the completion script of a shell: {shells}", shells=", ".join(SHELLS)),
    )
    return parser


def main() -> None:
    """Run `chat-tui` and exit the process.

    Exit codes: 0 for success, 1 for an internal error, 2 for a usage error, 69 for a server that the
    screen-reader mode cannot reach, 128 + n for signal n, and the codes of `tui_chat.standard_streams`. The exit codes
    of the script subcommands are in docs/scripts.md.
    """
    run_program(_run_safely, lambda reason: print_error(tr("cannot write to standard output: {reason}", reason=reason)))


def _run_safely() -> int:
    """Run the program and return its exit code; `OutputError` propagates.

    Any other exception is logged and reported on standard error; the code is then `EXIT_INTERNAL_ERROR`.
    """
    try:
        return _run()
    except OutputError:
        raise
    except Exception:
        if not logging.getLogger().handlers:
            configure_logging(log_path())  # otherwise, the traceback would appear on standard error
        log.exception("program ended by an unexpected exception")
        print_error(tr(app_strings.INTERNAL_ERROR))
        return EXIT_INTERNAL_ERROR


def _run() -> int:
    """Run the mode that the command line selects, and return its exit code.

    A success with a logged internal error becomes 1. Usage errors, help and version exit the process instead. The mode
    shows problems of the profile and the settings.
    """
    set_language(sys.argv[1:], "", os.environ)
    if sys.argv[1:2] and sys.argv[1] in SUBCOMMANDS:
        return arguments.run(sys.argv[1:])
    args = build_parser().parse_args()
    options = _build_options(args)
    if not args.screen_reader:
        _require_terminal()
    errors = configure_logging(options.log)
    settings = SettingsFile.load(options.settings)
    set_language(sys.argv[1:], settings.settings.language, os.environ)
    if args.screen_reader:
        return _run_screen_reader(options, settings) or errors.exit_code
    saved_profile, profile_problem = profile_store.load(options.state)
    # Textual's default limit of 60 frames per second delays the echo of a key by up to 16 ms during a flood.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    gc_tuning.pause_collection()
    # Each key press needs three switches between the input thread and the event loop. On busy cores each switch
    # takes up to the default interval of 5 ms.
    sys.setswitchinterval(THREAD_SWITCH_INTERVAL)
    # The import of Textual takes about 0.3 s, which `--help` and usage errors avoid.
    from tui_chat.ui.app import ChatApp  # noqa: PLC0415

    app = ChatApp(options, saved_profile, "\n".join(filter(None, (profile_problem, *settings.problems))), settings)
    errors.on_unhandled = app.report_internal_error
    app.run(mouse=settings.settings.mouse)
    return app.return_code or errors.exit_code


def _run_screen_reader(options: StartOptions, settings: SettingsFile) -> int:
    """Run the screen-reader mode and return its exit code.

    `--serve` first starts or joins a local server, and prints the texts of `start_or_join`. The process exits with a
    usage error if this fails.
    """
    from tui_chat.screen_reader.main import run  # noqa: PLC0415 (client library)

    server = LocalServer()
    if options.serve:
        try:
            write_output("\n".join(asyncio.run(server.start_or_join(options.host, options.port))))
        except LocalServerError as error:
            exit_with_error(str(error))
    return run(options, settings, server)


def _require_terminal() -> None:
    """Exit with a usage error unless all three standard streams are a terminal, or if `TERM` is `dumb`.

    Textual draws on standard error, so standard error counts too.
    """
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        exit_with_error(
            tr(
                "standard input, output and error must be a terminal; use --screen-reader or `{program} send`",
                program=shown_command("chat-tui"),
            )
        )
    if os.environ.get("TERM") == "dumb":
        exit_with_error(tr("this terminal cannot position text (TERM is “dumb”); use --screen-reader"))


def _build_options(args: argparse.Namespace) -> StartOptions:
    """Return the options with default paths; exit with a usage error for conflicting options."""
    if not args.serve and (args.host or args.port is not None):
        exit_with_error(tr("--host and --port require --serve; to connect to a server, pass its URL"))
    if args.serve and args.server:
        exit_with_error(tr("--serve does not take a URL; use --host and --port"))
    return StartOptions(
        state=platformdirs.user_state_path("tui-chat", appauthor=False),
        cache=None if args.no_cache else platformdirs.user_cache_path("tui-chat", appauthor=False),
        log=args.log or log_path(),
        settings=args.settings or platformdirs.user_config_path("tui-chat", appauthor=False) / settings_file.FILE_NAME,
        server=args.server,
        room=args.room,
        nick=args.nick,
        serve=args.serve,
        host=args.host or DEFAULT_HOST,
        port=DEFAULT_PORT if args.port is None else args.port,
    )


def _parse_port(text: str) -> int:
    """Return a port from 0 to 65535, as an argparse type; raise `argparse.ArgumentTypeError` for other texts."""
    if re.fullmatch("[0-9]{1,5}", text) and int(text) < 65_536:
        return int(text)
    raise argparse.ArgumentTypeError(tr("the port must be between 0 and 65535"))
