"""`chat-tui`: parse the command line, then do one thing for a script, or show the first screen."""

import argparse
import os
import sys
from pathlib import Path

import platformdirs

from server.protocol.errors import Unavailable
from tui_chat.command_line import Parser, Version, give_up, language_of, speak
from tui_chat.logs import log_file, log_to
from tui_chat.session import carrying, refusals, remembered, settings_file
from tui_chat.session.language import tr
from tui_chat.session.settings_file import SettingsFile
from tui_chat.ui import memory
from tui_chat.ui.start import DEFAULT_HOST, DEFAULT_PORT, Start

ONE_SHOT = ("send", "tail", "who")
"""What the first word can be instead of a server: one thing done for a script (docs/scripts.md)."""

TURN = 0.0005
"""Seconds that a thread runs while another waits for its turn."""


def parser() -> argparse.ArgumentParser:
    """The command line, in the language in use."""
    made = Parser(
        prog="chat-tui",
        description=tr("Group chat in the terminal."),
        epilog=tr("For scripts: chat-tui send, chat-tui tail, chat-tui who; each has a --help of its own."),
        allow_abbrev=False,
    )
    made.add_argument("server", nargs="?", default="", metavar="URL", help=tr("http://host:port, or chat://host/room"))
    made.add_argument(
        "--room",
        default="",
        metavar="ROOM",
        help=tr("the room to join, and no other; without it those that were open come back"),
    )
    made.add_argument("--nick", default="", metavar="NICK", help=tr("your nickname; with a room you go straight in"))
    made.add_argument("--serve", action="store_true", help=tr("start a server here that others can join"))
    made.add_argument(
        "--host",
        default="",
        metavar="HOST",
        help=tr("what it listens on ({default}); 0.0.0.0 for the network", default=DEFAULT_HOST),
    )
    made.add_argument(
        "--port",
        type=_port,
        default=None,
        metavar="PORT",
        help=tr("its TCP port ({default})", default=DEFAULT_PORT),
    )
    made.add_argument("--no-cache", action="store_true", help=tr("keep no history of rooms on this computer"))
    made.add_argument(
        "--lang", type=language_of, default=None, metavar="en|zh", help=tr("the language; else the locale's")
    )
    made.add_argument(
        "--screen-reader", action="store_true", help=tr("plain lines in and out, for a screen reader; nothing is drawn")
    )
    made.add_argument("--settings", type=Path, default=None, metavar="FILE", help=tr("another file of settings"))
    made.add_argument("--version", action=Version, nargs=0, help=tr("show the version"))
    return made


def main() -> None:
    """The command.

    Exit codes: 0 left as wanted, 2 something the person can mend, 1 a fault of
    the program, 128 and more a signal.
    """
    speak(sys.argv[1:], "", os.environ)
    if sys.argv[1:2] and sys.argv[1] in ONE_SHOT:
        from tui_chat.oneshot import arguments  # noqa: PLC0415 (not needed for the first screen)

        sys.exit(arguments.run(sys.argv[1:]))
    given = parser().parse_args()
    start = _start(given)
    if given.screen_reader:
        sys.exit(_talk_plainly(start))
    _need_a_terminal()
    log_to(start.log)
    kept, notice = remembered.load(start.state)
    settings = SettingsFile.load(start.settings)
    kept = carrying.carry_theme(start.state, kept, settings)
    speak(sys.argv[1:], settings.settings.language, os.environ)
    # Textual draws at most so often, and at 60 a key that falls into a flood waits for up to 16 ms to show.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    memory.starting()
    # A key passes the thread that reads it to the loop in three turns, each of 5 ms when both cores have work.
    sys.setswitchinterval(TURN)
    # Textual is a third of a second that --help and a wrong flag do not wait for.
    from tui_chat.ui.app import ChatApp  # noqa: PLC0415

    app = ChatApp(start, kept, "\n".join(filter(None, (notice, *settings.problems))), settings)
    try:
        app.run(mouse=settings.settings.mouse)
    finally:
        app.own_server.close()
    sys.exit(app.return_code or 0)


def _talk_plainly(start: Start) -> int:
    log_to(start.log)
    settings = SettingsFile.load(start.settings)
    speak(sys.argv[1:], settings.settings.language, os.environ)
    # Neither Textual nor Rich is needed for it.
    from tui_chat.plain.start import Wanted, run, serving  # noqa: PLC0415

    if not start.serve:
        return run(Wanted(start.server, start.room, start.nick, start.state), settings)
    from tui_chat.embed import EmbeddedServer, greeting  # noqa: PLC0415 (the server is heavy)

    server = EmbeddedServer(start.host, start.port)
    try:
        url = serving(server.start())
        print("\n".join(greeting(start.host, start.port, url)))
        return run(Wanted(url, start.room, start.nick, start.state), settings)
    except Unavailable as fault:
        give_up(refusals.of(fault))
    finally:
        server.close()


def _need_a_terminal() -> None:
    """The screen is drawn on standard error, so that all three have to be the terminal."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        give_up(tr("this needs a terminal; standard input, output and error have to be one"))
    if os.environ.get("TERM") == "dumb":
        give_up(tr("this terminal cannot place text on the screen (TERM is “dumb”); --screen-reader needs no such"))


def _start(given: argparse.Namespace) -> Start:
    if not given.serve and (given.host or given.port is not None):
        give_up(tr("--host and --port are where --serve listens; a server is named by its URL"))
    if given.serve and given.server:
        give_up(tr("--serve starts a server here: leave the URL out, or use --host and --port"))
    return Start(
        state=platformdirs.user_state_path("tui-chat", appauthor=False),
        cache=None if given.no_cache else platformdirs.user_cache_path("tui-chat", appauthor=False),
        log=log_file(),
        settings=given.settings or platformdirs.user_config_path("tui-chat", appauthor=False) / settings_file.FILE,
        server=given.server,
        room=given.room,
        nick=given.nick,
        serve=given.serve,
        host=given.host or DEFAULT_HOST,
        port=DEFAULT_PORT if given.port is None else given.port,
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 65_536:
        return int(text)
    raise argparse.ArgumentTypeError(tr("a port is a number from 0 to 65535"))
