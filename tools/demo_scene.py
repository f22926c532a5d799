"""Demo scene for screenshots and recordings: the real client, the real server and scripted members.

- Reproducibility: time, time zone, language, environment and displayed latency are fixed.
- Authenticity: the client renders all content itself.
"""

import html
import os
import re
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import AsyncMock, patch

from rich.cells import cell_len
from textual.pilot import Pilot
from wcwidth import iter_graphemes

from server.app import serve
from server.settings import ServerSettings
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.net.ping_websocket import PingWebSocket
from tui_chat.client.room import Room
from tui_chat.session import i18n
from tui_chat.session.i18n import Language
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.start_options import StartOptions
from tui_chat.session.store.profile import Profile
from tui_chat.ui.app import ChatApp
from tui_chat.ui.screens.chat import ChatScreen

TIMEOUT = 30.0
"""Timeout of a single wait, in seconds."""

LATENCY = 0.002
"""Latency in the header of the client, in seconds."""

START_TIME = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class DemoClock:
    """Wall clock under the control of the script.

    Attributes:
        ms: Scripted Unix time in milliseconds.
    """

    def __init__(self) -> None:
        self.ms = int(START_TIME.timestamp() * 1000)

    def now(self) -> int:
        """Return the scripted Unix time in milliseconds."""
        return self.ms


class DemoScene:
    """Server with scripted members.

    Attributes:
        url: Base URL of the server.
    """

    def __init__(self, url: str, clock: DemoClock, exit_stack: AsyncExitStack) -> None:
        self.url = url
        self._clock = clock
        self._exit_stack = exit_stack
        self._rooms: dict[tuple[str, str], Room] = {}
        self._clients: dict[str, ChatClient] = {}

    async def join_room(self, nick: str, room: str) -> Room:
        """Return a room joined as `nick`; the first call joins, and connects a new nickname."""
        if nick not in self._clients:
            self._clients[nick] = await self._exit_stack.enter_async_context(ChatClient(self.url))
        if (nick, room) not in self._rooms:
            self._rooms[nick, room] = await self._clients[nick].join(room, nick=nick)
        return self._rooms[nick, room]

    async def send_message(
        self, room: str, nick: str, text: str, minutes: float = 0.4, reply_to: int | None = None
    ) -> int:
        """Join the room as `nick` if necessary, advance the clock by `minutes` and send a message.

        Returns:
            `seq` of the message.
        """
        joined_room = await self.join_room(nick, room)
        self._clock.ms += int(minutes * 60_000)
        return (await joined_room.send(text, reply_to=reply_to)).seq


@dataclass
class DemoApp:
    """Client driven by the pilot of Textual."""

    app: ChatApp
    pilot: Pilot[None]

    @property
    def chat_screen(self) -> ChatScreen:
        """Chat screen of the client, below any dialogs; `StopIteration` without one."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))

    def screen_text(self) -> str:
        """Return the screen content as text without styles."""
        strips = self.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        return "\n".join(strip.text for strip in strips)

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Poll until `condition` is true, then wait for pending redraws.

        Raises:
            TimeoutError: `condition` stayed false for `TIMEOUT` seconds.
        """
        await wait_until(condition, TIMEOUT)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys in order."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def join_room(self, room: str) -> None:
        """Join a further room and wait for its display."""
        self.chat_screen.room_navigation.go_to_room(room)
        await self.wait_until(
            lambda: (
                self.chat_screen.view.displayed_room is self.chat_screen.session.find_room(room)
                and self.chat_screen.view.displayed_room is not None
            )
        )

    async def render_svg(self) -> str:
        """Return a screenshot as SVG, with fixed element ids and without remote fonts."""
        await self.pilot.pause()
        for screen in self.app.screen_stack:
            if isinstance(screen, ChatScreen):
                screen.view.draw_changes()
        await self.pilot.pause()
        svg = self.app.export_screenshot(title="chat-tui")
        svg = re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL)
        svg = re.sub(r"terminal-\d+", "terminal", svg)
        svg = _SVG_TEXT.sub(_align_wide_characters, svg)
        return "\n".join(line.rstrip() for line in svg.splitlines()).strip() + "\n"


_SVG_TEXT = re.compile(
    r'<text (class="[^"]*") x="([\d.]+)" (y="[\d.]+") textLength="[\d.]+" (clip-path="[^"]*")>(.*?)</text>'
)
_CELL_WIDTH = 12.2
"""Width of a terminal cell in SVG units."""


def _align_wide_characters(match: re.Match[str]) -> str:
    """Return the SVG text elements of a matched one, with all wide characters aligned to their cells.

    Rich exports one cell per character, which would squeeze wide characters into half of their cells.
    """
    style, x, y, clip, escaped = match.groups()
    text = html.unescape(escaped).replace("\xa0", " ")
    if len(text) == cell_len(text):
        return match[0]
    pieces: list[str] = []
    x_position = float(x)
    for run in _split_by_width(text):
        cells = cell_len(run)
        escaped_run = html.escape(run).replace(" ", "&#160;")
        pieces.append(
            f'<text {style} x="{x_position:g}" {y} textLength="{_CELL_WIDTH * cells:g}" {clip}>{escaped_run}</text>'
        )
        x_position = round(x_position + _CELL_WIDTH * cells, 1)
    return "".join(pieces)


def _split_by_width(text: str) -> list[str]:
    """Split text into runs of narrow characters and single wide characters."""
    runs: list[str] = []
    is_narrow = False
    for cluster in iter_graphemes(text):
        previous_narrow, is_narrow = is_narrow, cell_len(cluster) == len(cluster) == 1
        if previous_narrow and is_narrow:
            runs[-1] += cluster
        else:
            runs.append(cluster)
    return runs


@asynccontextmanager
async def demo_scene() -> AsyncGenerator[DemoScene]:
    """Run a server with an empty database, and provide its scene; the scripted members leave at the end."""
    clock = DemoClock()
    with tempfile.TemporaryDirectory() as directory:
        settings = ServerSettings(port=0, database=str(Path(directory) / "chat.db"), rate_limit="off")
        async with serve(settings, now=clock.now) as running, AsyncExitStack() as exit_stack:
            yield DemoScene(running.url, clock, exit_stack)


@asynccontextmanager
async def demo_app_in_terminal(
    size: tuple[int, int],
    *,
    theme: str = "dark",
    url: str = "",
    room: str = "",
    nick: str = "",
    profile: Profile | None = None,
) -> AsyncGenerator[DemoApp]:
    """Run the client at a terminal size (columns, rows), and wait for its first screen.

    Args:
        size: Columns and rows.
        theme: Value of the setting `theme`.
        url: Server address on the command line.
        room: Room on the command line. With `url` and `nick`, the first screen is the chat in this room.
        nick: Nickname on the command line.
        profile: Profile of an earlier session, for the join form.
    """
    fixed_latency = patch.object(PingWebSocket, "measure_latency", AsyncMock(return_value=LATENCY))
    with tempfile.TemporaryDirectory() as directory, fixed_latency:
        home = Path(directory)
        settings = SettingsFile.load(home / "settings.toml")
        settings.change("theme", theme)
        start_options = StartOptions(state=home / "state", log=home / "log", server=url, room=room, nick=nick)
        app = ChatApp(start_options, profile or Profile(), "", settings)
        async with app.run_test(size=size) as pilot:
            demo_app = DemoApp(app, pilot)
            await pilot.pause()
            if room:
                await demo_app.wait_until(lambda: any(isinstance(screen, ChatScreen) for screen in app.screen_stack))
                await demo_app.wait_until(
                    lambda: demo_app.chat_screen.is_mounted and demo_app.chat_screen.view.displayed_room is not None
                )
                await demo_app.wait_until(lambda: f" {LATENCY * 1000:.0f} " in demo_app.screen_text().split("\n")[0])
            yield demo_app


@contextmanager
def fixed_environment(lang: Language) -> Generator[None]:
    """Set the login name, the time zone, the color variables and the language to fixed values within the block."""
    overrides = {
        "LOGNAME": "ann",
        "TZ": "UTC",
        "NO_COLOR": None,
        "COLORTERM": "truecolor",
        "TERM": "xterm-256color",
        "TEXTUAL": None,
    }
    saved = {name: os.environ.get(name) for name in overrides}
    previous_language = i18n.active_language()
    _apply_environment(overrides)
    i18n.activate(lang)
    try:
        yield
    finally:
        _apply_environment(saved)
        i18n.activate(previous_language)


def _apply_environment(environ: dict[str, str | None]) -> None:
    for name, value in environ.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    time.tzset()
