"""Programs of the comparison, with their start commands, traffic servers and keys."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.terminal.program import TerminalProgram
from benchmarks.terminal.traffic import ROOM, ChatTrafficServer, IrcTrafficServer, TrafficServer

COLLECTIONS_FILE = "collections"
"""Name of the file in the home directory with the count of garbage collections (module `counted_client`)."""

_MINIMAL_APP = """
from textual.app import App
from textual.widgets import Input, Static

class Minimal(App):
    def compose(self):
        yield Static("Nickname")
        yield Input()

Minimal().run()
"""

_IRSSI_CONFIG = """
servers = ( {{ address = "127.0.0.1"; port = "{port}"; chatnet = "b"; autoconnect = "yes"; }} );
chatnets = {{ b = {{ type = "IRC"; nick = "ann"; }}; }};
channels = ( {{ name = "#{room}"; chatnet = "b"; autojoin = "yes"; }} );
settings = {{ "fe-text" = {{ scrollback_lines = "200000"; scrollback_time = "0"; }}; }};
"""
"""Configuration with unlimited scrollback; the default of 500 lines does not permit 100,000."""


@dataclass(frozen=True, slots=True)
class Competitor:
    """Program of the comparison.

    Attributes:
        name: Name in the tables.
        start_blank: Starts the program without a server, in a home directory.
        ready_text: Text of the first screen.
        start_in_room: Starts the program in the room of a traffic server, given the home directory
            and the port; None for programs without rooms.
        create_server: Creates the traffic server with a number of history messages.
        show_room_keys: Keys that show the room.
    """

    name: str
    start_blank: Callable[[Path], TerminalProgram]
    ready_text: bytes
    start_in_room: Callable[[Path, int], TerminalProgram] | None = None
    create_server: Callable[[int], TrafficServer] = ChatTrafficServer
    show_room_keys: bytes = b""


def available_competitors(names: Sequence[str] = ()) -> list[Competitor]:
    """Return the installed programs, chat-tui first; unless `names` is empty, only those with these names."""
    competitors = [
        Competitor("chat-tui", _start_chat_tui, b"Nickname", _start_chat_tui_in_room),
        Competitor("minimal Textual", _start_minimal_textual, b"Nickname"),
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
    return [competitor for competitor in competitors if not names or competitor.name in names]


def _start_minimal_textual(home: Path) -> TerminalProgram:
    home.mkdir(parents=True, exist_ok=True)
    script = home / "minimal.py"
    script.write_text(_MINIMAL_APP)
    return TerminalProgram((sys.executable, str(script)), home)


def _start_chat_tui(home: Path) -> TerminalProgram:
    return TerminalProgram((sys.executable, "-m", "tui_chat"), home)


def _start_chat_tui_in_room(home: Path, port: int) -> TerminalProgram:
    module = ("-m", "benchmarks.terminal.counted_client", str(home / COLLECTIONS_FILE))
    address = f"http://127.0.0.1:{port}"
    return TerminalProgram((sys.executable, *module, address, "--room", ROOM, "--nick", "ann"), home)


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
