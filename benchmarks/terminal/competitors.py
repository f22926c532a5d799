"""The programs that are compared, and how each is started, fed and scrolled."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.terminal.program import TerminalProgram
from benchmarks.terminal.traffic import ROOM, ChatTrafficServer, IrcTrafficServer, TrafficServer

_BARE_APP = """
from textual.app import App
from textual.widgets import Input, Static

class Bare(App):
    def compose(self):
        yield Static("Nickname")
        yield Input()

Bare().run()
"""

_IRSSI_CONFIG = """
servers = ( {{ address = "127.0.0.1"; port = "{port}"; chatnet = "b"; autoconnect = "yes"; }} );
chatnets = {{ b = {{ type = "IRC"; nick = "ann"; }}; }};
channels = ( {{ name = "#{room}"; chatnet = "b"; autojoin = "yes"; }} );
settings = {{ "fe-text" = {{ scrollback_lines = "200000"; scrollback_time = "0"; }}; }};
"""
"""More lines than the 500 that irssi keeps by default, so that it can be compared at 100,000."""


@dataclass(frozen=True, slots=True)
class Competitor:
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
    start_blank: Callable[[Path], TerminalProgram]
    ready_text: bytes
    start_in_room: Callable[[Path, int], TerminalProgram] | None = None
    create_server: Callable[[int], TrafficServer] = ChatTrafficServer
    show_room_keys: bytes = b""


def available_competitors(names: Sequence[str] = ()) -> list[Competitor]:
    """Those of these names (all if none is given) that are on this machine, ours first."""
    competitors = [
        Competitor("chat-tui", _start_chat_tui, b"Nickname", _start_chat_tui_in_room),
        Competitor("bare Textual", _start_bare_textual, b"Nickname"),
    ]
    if shutil.which("weechat"):
        competitors.append(Competitor("WeeChat", _start_weechat, b"WeeChat", _start_weechat_in_room, IrcTrafficServer))
    if shutil.which("irssi"):
        competitors.append(
            Competitor(
                "irssi",
                _start_irssi,
                b"Irssi",
                _start_irssi_in_room,
                IrcTrafficServer,
                f"/window goto #{ROOM}\r".encode(),
            )
        )
    return [each for each in competitors if not names or each.name in names]


def _start_bare_textual(home: Path) -> TerminalProgram:
    home.mkdir(parents=True, exist_ok=True)
    script = home / "bare.py"
    script.write_text(_BARE_APP)
    return TerminalProgram((sys.executable, str(script)), home)


def _start_chat_tui(home: Path, *arguments: str) -> TerminalProgram:
    return TerminalProgram((sys.executable, "-m", "tui_chat", *arguments), home)


def _start_chat_tui_in_room(home: Path, port: int) -> TerminalProgram:
    return _start_chat_tui(home, f"http://127.0.0.1:{port}", "--room", ROOM, "--nick", "ann")


def _start_weechat(home: Path, *commands: str) -> TerminalProgram:
    options = [argument for command in commands for argument in ("-r", command)]
    return TerminalProgram(("weechat", "-d", str(home / "weechat"), *options), home)


def _start_weechat_in_room(home: Path, port: int) -> TerminalProgram:
    return _start_weechat(
        home,
        "/set weechat.history.max_buffer_lines_number 0",
        f"/server add b 127.0.0.1/{port} -nicks=ann -autojoin=#{ROOM}",
        "/connect b",
    )


def _start_irssi(home: Path, config: str = "") -> TerminalProgram:
    folder = home / "irssi"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").write_text(config)
    return TerminalProgram(("irssi", f"--home={folder}"), home)


def _start_irssi_in_room(home: Path, port: int) -> TerminalProgram:
    return _start_irssi(home, _IRSSI_CONFIG.format(port=port, room=ROOM))
