"""The command lines of `chat-tui send`, `tail` and `who`."""

import argparse
import sys
from collections.abc import Sequence
from typing import cast

import platformdirs

from tui_chat.command_line import Parser, language_of
from tui_chat.logs import log_file, log_to
from tui_chat.session.language import tr

TIMEOUT = 30.0
"""Seconds to go on trying, if nothing else is said."""

LAST = 10
"""How many messages `tail` begins with, if nothing else is said."""


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says.

    Returns:
        The exit code (`tui_chat.oneshot.visiting.Exit`).
    """
    given = parser().parse_args(arguments)
    log_to(log_file())
    # The network libraries cost a fifth of a second, which --help does not wait for.
    from tui_chat.oneshot.send import send  # noqa: PLC0415
    from tui_chat.oneshot.tail import tail  # noqa: PLC0415
    from tui_chat.oneshot.visiting import Place  # noqa: PLC0415
    from tui_chat.oneshot.visiting import run as visiting  # noqa: PLC0415
    from tui_chat.oneshot.who import who  # noqa: PLC0415

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    command = cast(str, given.command)
    place = Place(
        server=given.server,
        room=given.room,
        nick=given.nick or ("who" if command == "who" else ""),
        timeout=given.timeout,
        state=platformdirs.user_state_path("tui-chat", appauthor=False),
        anonymous=command == "who",
    )
    match command:
        case "send":
            work = send(place, " ".join(given.text), by_line=given.lines, as_json=given.json)
        case "tail":
            work = tail(place, given.lines, follow=given.follow, as_json=given.json)
        case _:
            work = who(place, as_json=given.json)
    return visiting(work)


def parser() -> argparse.ArgumentParser:
    """The command line, in the language in use."""
    made = Parser(prog="chat-tui", allow_abbrev=False)
    commands = made.add_subparsers(dest="command", required=True)
    send = commands.add_parser("send", description=tr("Say something in a room, and end when the server has it."))
    send.add_argument("text", nargs="*", metavar="TEXT", help=tr("what to say; without it, what standard input has"))
    send.add_argument("--lines", action="store_true", help=tr("each line of standard input is a message"))
    tail = commands.add_parser(
        "tail", description=tr("Print what was said last in a room, and what is said from now on.")
    )
    tail.add_argument(
        "--lines",
        type=_count,
        default=LAST,
        metavar="N",
        help=tr("how many messages to begin with ({default})", default=LAST),
    )
    tail.add_argument(
        "--follow", action=argparse.BooleanOptionalAction, default=True, help=tr("go on until it is stopped")
    )
    who = commands.add_parser("who", description=tr("Print who is in a room."))
    for each in (send, tail, who):
        each.allow_abbrev = False
        each.add_argument("--room", default="", metavar="ROOM", help=tr("the room"))
        each.add_argument("--nick", default="", metavar="NICK", help=tr("your nickname; else the one used last"))
        each.add_argument(
            "--server",
            default="",
            metavar="URL",
            help=tr("http://host:port, or chat://host/room; else the server used last"),
        )
        each.add_argument("--json", action="store_true", help=tr("print JSON, one object a line"))
        each.add_argument(
            "--timeout",
            type=_seconds,
            default=TIMEOUT,
            metavar="SECONDS",
            help=tr("how long to go on trying ({default:g})", default=TIMEOUT),
        )
        each.add_argument(
            "--lang", type=language_of, default=None, metavar="en|zh", help=tr("the language; else the locale's")
        )
    return made


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(tr("a number of messages is one from 0 to 1,000,000"))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0 < seconds < 1e6:
        return seconds
    raise argparse.ArgumentTypeError(tr("a time is a number of seconds above 0"))
