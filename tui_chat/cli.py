"""`chat-tui`: parse the command line, then show the first screen.

Parsed with argparse: it costs 6 ms where cyclopts costs 50, and the first
screen has to stand within half as much again of a bare Textual program.
"""

import argparse
import gettext
import logging
import os
import sys
import threading
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import platformdirs

from tui_chat.session import language, remembered, settings_file
from tui_chat.session.language import Language, mark, tr
from tui_chat.session.settings_file import SettingsFile
from tui_chat.ui.start import DEFAULT_HOST, DEFAULT_PORT, Start

if TYPE_CHECKING:
    from types import TracebackType

BAD_USAGE = 2
"""Exit code for whatever the person can mend."""

LOG_BYTES = 1_000_000
"""A log that has grown past this is set aside at the next start."""


_ARGPARSE = (
    mark("usage: "),
    mark("options"),
    mark("positional arguments"),
    mark("show this help message and exit"),
    mark("unrecognized arguments: %s"),
    mark("expected one argument"),
    mark("argument %(argument_name)s: %(message)s"),
    mark("ignored explicit argument %r"),
)
"""What argparse says by itself; it looks its words up in the catalogue of the process (`_speak`)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        give_up(tr("{problem} (chat-tui --help shows how)", problem=message))


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 (20 ms, only for this)

        print(f"chat-tui {version('tui-chat')}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The command line, in the language in use."""
    made = _Parser(prog="chat-tui", description=tr("Group chat in the terminal."), allow_abbrev=False)
    made.add_argument("server", nargs="?", default="", metavar="URL", help=tr("http://host:port, or chat://host/room"))
    made.add_argument("--room", default="", metavar="ROOM", help=tr("the room to join"))
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
        "--lang", type=_language, default=None, metavar="en|zh", help=tr("the language; else the locale's")
    )
    made.add_argument("--settings", type=Path, default=None, metavar="FILE", help=tr("another file of settings"))
    made.add_argument("--version", action=_Version, nargs=0, help=tr("show the version"))
    return made


def speak(arguments: Sequence[str], settings: str, environ: MutableMapping[str, str]) -> None:
    """Speak the language that is wanted, already in what is said of the command line itself.

    Args:
        arguments: The command line, not parsed yet.
        settings: The language of the settings, empty for none.
        environ: The environment; the `gettext` of the process, which argparse asks, reads it.
    """
    flag = ""
    for at, argument in enumerate(arguments):
        if argument == "--lang":
            flag = arguments[at + 1] if at + 1 < len(arguments) else ""
        elif argument.startswith("--lang="):
            flag = argument.removeprefix("--lang=")
    wanted = language.chosen(flag, settings, environ)
    language.use(wanted)
    if wanted is not Language.ENGLISH:
        environ["LANGUAGE"] = language.folder(wanted)
        gettext.bindtextdomain(language.DOMAIN, language.LOCALE)
        gettext.textdomain(language.DOMAIN)


def main() -> None:
    """The command.

    Exit codes: 0 left as wanted, 2 something the person can mend, 1 a fault of
    the program, 128 and more a signal.
    """
    speak(sys.argv[1:], "", os.environ)
    start = _start(parser().parse_args())
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        give_up(tr("this needs a terminal; standard input and output have to be one"))
    log_to(start.log)
    kept, notice = remembered.load(start.state)
    settings = SettingsFile.load(start.settings)
    speak(sys.argv[1:], settings.settings.language, os.environ)
    # Textual is a third of a second that --help and a wrong flag do not wait for.
    from tui_chat.ui.app import ChatApp  # noqa: PLC0415

    app = ChatApp(start, kept, "\n".join(filter(None, (notice, *settings.problems))), settings)
    try:
        app.run(mouse=settings.settings.mouse)
    finally:
        app.close_server()
    sys.exit(app.return_code or 0)


def give_up(reason: str) -> NoReturn:
    """Say in one line why nothing is done, and end."""
    print(f"chat-tui: {reason}", file=sys.stderr)
    sys.exit(BAD_USAGE)


def log_to(file: Path) -> None:
    """Send all logs to a file, and nothing to the terminal on which the screen stands."""
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > LOG_BYTES:
            file.replace(file.with_suffix(".old"))
        handler = logging.FileHandler(file, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a full disk must not write on the screen
    logging.captureWarnings(True)
    for chatty in ("aiosqlite", "sqlalchemy", "alembic", "asyncio", "aiohttp.access", "socketio", "engineio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    threading.excepthook = _thread_failed
    sys.unraisablehook = _unraisable


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    value = failure.exc_value
    if value is not None:
        logging.getLogger("chat").error("a thread has failed", exc_info=(type(value), value, failure.exc_traceback))


def _unraisable(failure: "sys.UnraisableHookArgs") -> None:
    traceback: TracebackType | None = failure.exc_traceback
    if failure.exc_value is not None:
        logging.getLogger("chat").error("unraisable", exc_info=(type(failure.exc_value), failure.exc_value, traceback))


def _start(given: argparse.Namespace) -> Start:
    if not given.serve and (given.host or given.port is not None):
        give_up(tr("--host and --port are where --serve listens; a server is named by its URL"))
    if given.serve and given.server:
        give_up(tr("--serve starts a server here: leave the URL out, or use --host and --port"))
    return Start(
        state=platformdirs.user_state_path("tui-chat", appauthor=False),
        cache=None if given.no_cache else platformdirs.user_cache_path("tui-chat", appauthor=False),
        log=platformdirs.user_log_path("tui-chat", appauthor=False) / "chat-tui.log",
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


def _language(tag: str) -> Language:
    found = language.named(tag)
    if found is None:
        raise argparse.ArgumentTypeError(tr("the languages are en and zh"))
    return found
