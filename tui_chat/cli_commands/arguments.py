"""Argument parser and dispatch of the subcommands of `chat-tui`."""

import argparse
import re
from collections.abc import Sequence

import platformdirs

from tui_chat.argument_parser import print_version
from tui_chat.command_line import CommandLineParser, parse_language, print_error
from tui_chat.logging import configure_logging, log_path
from tui_chat.session.i18n import tr
from tui_chat.session.strings import app as app_strings

DEFAULT_TIMEOUT = 30.0
"""Default of `--timeout`, in seconds."""

DEFAULT_LINES = 10
"""Default number of messages that `tail` prints first."""


def run(arguments: Sequence[str]) -> int:
    """Parse the arguments and run their subcommand.

    Invalid arguments and `--help` exit the process instead. `OutputError` and `KeyboardInterrupt` propagate. Except for
    `version`, the log goes to the default file.

    Args:
        arguments: Command line with the name of the subcommand, without the program.

    Returns:
        The exit code of `tui_chat.cli_commands.room_connection.run_to_exit_code`, 0 for `version`.
        A success becomes `EXIT_INTERNAL_ERROR`, with an error line, after an internal error (`InternalErrorMonitor`).
    """
    parser = CommandLineParser(prog="chat-tui", allow_abbrev=False)
    add_subcommands(parser)
    args = parser.parse_args(arguments)
    if args.command == "version":
        print_version("chat-tui")
        return 0
    errors = configure_logging(log_path())
    exit_code = _run_command(parser, args)
    if exit_code == 0 and errors.exit_code:
        print_error(tr(app_strings.INTERNAL_ERROR))
    return exit_code or errors.exit_code


def _run_command(parser: CommandLineParser, args: argparse.Namespace) -> int:
    """Run the subcommand of parsed arguments and return its exit code; exit with a usage error for `--file --lines`."""
    # The import of the network libraries takes about 0.2 s, which `--help` avoids.
    from tui_chat.cli_commands import account_commands, commands, room_connection  # noqa: PLC0415

    state_dir = platformdirs.user_state_path("tui-chat", appauthor=False)
    if args.command == "login":
        return room_connection.run_to_exit_code(account_commands.log_in(args.server, args.account, state_dir))
    if args.command == "logout":
        return room_connection.run_to_exit_code(account_commands.log_out(args.server, state_dir))
    target = room_connection.CliTarget(
        server=args.server,
        room=args.room,
        nick=args.nick or ("who" if args.command == "who" else ""),
        timeout=args.timeout,
        state_dir=state_dir,
        anonymous=args.command == "who",
    )
    match args.command:
        case "send":
            if args.file and args.lines:
                parser.error(tr("files cannot be sent line by line"))
            coroutine = (
                commands.send_files(target, args.file, args.text, as_json=args.json)
                if args.file
                else commands.send(target, args.text, by_line=args.lines, as_json=args.json)
            )
        case "tail":
            coroutine = commands.tail(target, args.lines, follow=args.follow, as_json=args.json)
        case _:
            coroutine = commands.who(target, as_json=args.json)
    return room_connection.run_to_exit_code(coroutine)


def add_subcommands(parser: CommandLineParser) -> None:
    """Add the parsers of all subcommands to a parser, which then requires one of them; texts in the active language."""
    commands = parser.add_subparsers(dest="command", required=True)

    def add_command(name: str, description: str) -> CommandLineParser:
        return commands.add_parser(name, help=description, description=description)  # shtab skips commands without help

    send = add_command("send", tr("Send a message to a room and exit after the server's confirmation."))
    send.add_argument("text", nargs="*", metavar="TEXT", help=tr("message text (default and “-”: standard input)"))
    send.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="PATH",
        help=tr("send a file, with or without a text; repeatable; joins the room"),
    )
    send.add_argument("--lines", action="store_true", help=tr("send each line as a message"))
    tail = add_command("tail", tr("Print the recent messages of a room, then new messages."))
    tail.add_argument(
        "--lines",
        type=_parse_count,
        default=DEFAULT_LINES,
        metavar="N",
        help=tr("number of recent messages to print first ({default})", default=DEFAULT_LINES),
    )
    tail.add_argument(
        "--follow", action=argparse.BooleanOptionalAction, default=True, help=tr("keep printing new messages")
    )
    add_command("version", tr("Print the version."))
    who = add_command("who", tr("Print the members of a room."))
    login = add_command("login", tr("Log in with an account, for later sessions and commands."))
    login.add_argument(
        "--account", default="", metavar="NAME", help=tr("account name; the password is read from standard input")
    )
    logout = add_command("logout", tr("Log out, and continue as a guest."))
    for subparser in (login, logout):
        subparser.allow_abbrev = False
        subparser.add_argument(
            "server",
            nargs="?",
            default="",
            metavar="URL",
            help=tr("http://host:port or chat://host/room (default: the last used server)"),
        )
        _add_language(subparser)
    for subparser in (send, tail, who):
        subparser.allow_abbrev = False
        subparser.add_argument(
            "--room", default="", metavar="ROOM", help=tr("room name (default: the room in the URL)")
        )
        nick_help = {
            send: tr("your nickname (default: last used)"),
            tail: tr("nickname on servers that require a join (default: last used)"),
            who: tr("nickname on servers that require a join (default: who)"),
        }[subparser]
        subparser.add_argument("--nick", default="", metavar="NICK", help=nick_help)
        subparser.add_argument(
            "--server",
            default="",
            metavar="URL",
            help=tr("http://host:port, chat://host/room or an invite link (default: the last used server)"),
        )
        subparser.add_argument("--json", action="store_true", help=tr("print JSON, one object per line"))
        subparser.add_argument(
            "--timeout",
            type=_parse_seconds,
            default=DEFAULT_TIMEOUT,
            metavar="SECONDS",
            help=tr(
                "timeout in seconds for the first response and for each message (default: {default:g})",
                default=DEFAULT_TIMEOUT,
            ),
        )
        _add_language(subparser)


def _add_language(parser: CommandLineParser) -> None:
    parser.add_argument(
        "--lang", type=parse_language, default=None, metavar="en|zh", help=tr("language (default: from the locale)")
    )


def _parse_count(text: str) -> int:
    """Return a number from 0 to 1,000,000, as an argparse type; raise `argparse.ArgumentTypeError` for other texts."""
    if re.fullmatch("[0-9]{1,7}", text) and int(text) <= 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(tr("the number of messages must be between 0 and 1,000,000"))


def _parse_seconds(text: str) -> float:
    """Return a positive time below 1,000,000, as an argparse type; raise `argparse.ArgumentTypeError` otherwise."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0 < seconds < 1e6:
        return seconds
    raise argparse.ArgumentTypeError(tr("the timeout must be a number of seconds above 0 and below 1,000,000"))
