"""The programs that are compared, and how each is started, fed and scrolled."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.terminal.feeds import ROOM, ChatFeed, Feed, IrcFeed
from benchmarks.terminal.program import Program

_BARE = """
from textual.app import App
from textual.widgets import Input, Static

class Bare(App):
    def compose(self):
        yield Static("Nickname")
        yield Input()

Bare().run()
"""

_IRSSI = """
servers = ( {{ address = "127.0.0.1"; port = "{port}"; chatnet = "b"; autoconnect = "yes"; }} );
chatnets = {{ b = {{ type = "IRC"; nick = "ann"; }}; }};
channels = ( {{ name = "#{room}"; chatnet = "b"; autojoin = "yes"; }} );
settings = {{ "fe-text" = {{ scrollback_lines = "200000"; scrollback_time = "0"; }}; }};
"""
"""More lines than the 500 that irssi keeps by default, so that it can be compared at 100,000."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A program.

    Attributes:
        name: As the tables show it.
        blank: Starts it on its own, without a server, in a home folder.
        blank_shows: What its first screen shows.
        seated: Starts it in the room of a feed at this port; None for what knows no rooms.
        feed: Makes that feed, with so many messages said before where there is a history.
        enters: What is typed to have the room in view.
    """

    name: str
    blank: Callable[[Path], Program]
    blank_shows: bytes
    seated: Callable[[Path, int], Program] | None = None
    feed: Callable[[int], Feed] = ChatFeed
    enters: bytes = b""


def contenders(names: Sequence[str] = ()) -> list[Contender]:
    """Those of these names (all if none is given) that are on this machine, ours first."""
    found = [
        Contender("chat-tui", _chat, b"Nickname", _chat_in_room),
        Contender("bare Textual", _bare, b"Nickname"),
    ]
    if shutil.which("weechat"):
        found.append(Contender("WeeChat", _weechat, b"WeeChat", _weechat_in_room, IrcFeed))
    if shutil.which("irssi"):
        found.append(Contender("irssi", _irssi, b"Irssi", _irssi_in_room, IrcFeed, f"/window goto #{ROOM}\r".encode()))
    return [each for each in found if not names or each.name in names]


def _bare(home: Path) -> Program:
    home.mkdir(parents=True, exist_ok=True)
    script = home / "bare.py"
    script.write_text(_BARE)
    return Program((sys.executable, str(script)), home)


def _chat(home: Path, *arguments: str) -> Program:
    return Program((sys.executable, "-m", "tui_chat", *arguments), home)


def _chat_in_room(home: Path, port: int) -> Program:
    return _chat(home, f"http://127.0.0.1:{port}", "--room", ROOM, "--nick", "ann")


def _weechat(home: Path, *commands: str) -> Program:
    given = [argument for command in commands for argument in ("-r", command)]
    return Program(("weechat", "-d", str(home / "weechat"), *given), home)


def _weechat_in_room(home: Path, port: int) -> Program:
    return _weechat(
        home,
        "/set weechat.history.max_buffer_lines_number 0",
        f"/server add b 127.0.0.1/{port} -nicks=ann -autojoin=#{ROOM}",
        "/connect b",
    )


def _irssi(home: Path, config: str = "") -> Program:
    folder = home / "irssi"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").write_text(config)
    return Program(("irssi", f"--home={folder}"), home)


def _irssi_in_room(home: Path, port: int) -> Program:
    return _irssi(home, _IRSSI.format(port=port, room=ROOM))
