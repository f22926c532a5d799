"""A stage for pictures: the real program against a real server, with people who say what they are told to.

Rule 1  Everything that a picture could show of when and where it was made is fixed:
        the time, the time zone, the language, the environment, how fast the line is.
Rule 2  Nothing is drawn for a picture that the program does not draw by itself.
"""

import asyncio
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

from rich.cells import cell_len
from textual.pilot import Pilot
from wcwidth import iter_graphemes

from server.app import serve
from server.settings import ServerSettings
from tui_chat.client.client import ChatClient
from tui_chat.client.events import ConnectionStateChanged, Online
from tui_chat.client.room import Room
from tui_chat.session import i18n
from tui_chat.session.i18n import Language
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.store.profile import Profile
from tui_chat.ui.app import ChatApp
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.start_options import StartOptions

TIMEOUT = 30.0
POLL_INTERVAL = 0.01
LATENCY = 0.002
"""What the header says of the line, in seconds."""

START_TIME = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class DemoClock:
    """A clock that goes on only when somebody says something."""

    def __init__(self) -> None:
        self.ms = int(START_TIME.timestamp() * 1000)

    def monotonic(self) -> float:
        """Seconds that never go back: the real ones, for what waits."""
        return time.monotonic()

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.ms


async def wait_until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(TIMEOUT):
        while not condition():  # noqa: ASYNC110 (any condition, with nobody to announce it)
            await asyncio.sleep(POLL_INTERVAL)


class DemoScene:
    """A server, and people on it.

    Attributes:
        url: The server.
    """

    def __init__(self, url: str, clock: DemoClock, exit_stack: AsyncExitStack) -> None:
        self.url = url
        self._clock = clock
        self._exit_stack = exit_stack
        self._rooms: dict[tuple[str, str], Room] = {}
        self._clients: dict[str, ChatClient] = {}

    async def join_room(self, nick: str, room: str) -> Room:
        """Somebody in a room."""
        if nick not in self._clients:
            self._clients[nick] = await self._exit_stack.enter_async_context(ChatClient(self.url))
        if (nick, room) not in self._rooms:
            self._rooms[nick, room] = await self._clients[nick].join(room, nick=nick)
        return self._rooms[nick, room]

    async def send_message(
        self, room: str, nick: str, text: str, minutes: float = 0.4, reply_to: int | None = None
    ) -> int:
        """Somebody says something, some minutes after what was said before; its `seq`."""
        joined_room = await self.join_room(nick, room)
        self._clock.ms += int(minutes * 60_000)
        return (await joined_room.send(text, reply_to=reply_to)).seq

    async def advance_clock(self, minutes: float) -> None:
        """Nobody says anything for so long."""
        self._clock.ms += int(minutes * 60_000)


@dataclass
class DemoApp:
    """The program on the stage."""

    app: ChatApp
    pilot: Pilot[None]

    @property
    def chat_screen(self) -> ChatScreen:
        """The chat screen."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))

    def screen_text(self) -> str:
        """What is shown, without its looks."""
        strips = self.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        return "\n".join(strip.text for strip in strips)

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds and all is drawn."""
        await wait_until(condition)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def join_room(self, room: str) -> None:
        """Go into one more room."""
        self.chat_screen.go_to_room(room)
        await self.wait_until(
            lambda: (
                self.chat_screen.displayed_room is self.chat_screen.session.find_room(room)
                and self.chat_screen.displayed_room is not None
            )
        )

    async def render_svg(self) -> str:
        """What is shown, as SVG."""
        if any(isinstance(screen, ChatScreen) for screen in self.app.screen_stack):
            self.chat_screen.session.apply(ConnectionStateChanged(Online(LATENCY)))
            self.chat_screen.draw_changes()
        await self.pilot.pause()
        svg = self.app.export_screenshot(title="chat-tui")
        svg = re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL)  # no font from anywhere else
        svg = re.sub(r"terminal-\d+", "terminal", svg)
        svg = _SVG_TEXT.sub(_align_wide_characters, svg)
        return "\n".join(line.rstrip() for line in svg.splitlines()).strip() + "\n"


_SVG_TEXT = re.compile(
    r'<text (class="[^"]*") x="([\d.]+)" (y="[\d.]+") textLength="[\d.]+" (clip-path="[^"]*")>(.*?)</text>'
)
_CELL_WIDTH = 12.2
"""Width of a cell in the pictures."""


def _align_wide_characters(match: re.Match[str]) -> str:
    """A piece of text with each wide character on its cells; as it comes, they stand on half of them."""
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
    """Narrow characters together, wide ones each alone."""
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
    """An empty stage."""
    clock = DemoClock()
    with tempfile.TemporaryDirectory() as directory:
        settings = ServerSettings(port=0, database=str(Path(directory) / "chat.db"), rate_limit="off")
        async with serve(settings, clock) as running, AsyncExitStack() as exit_stack:
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
    """The program in a terminal of this size, in a room if one is named."""
    with tempfile.TemporaryDirectory() as directory:
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
                    lambda: demo_app.chat_screen.is_mounted and demo_app.chat_screen.displayed_room is not None
                )
            yield demo_app


@contextmanager
def fixed_environment(lang: Language) -> Generator[None]:
    """The same time zone, colours and language wherever pictures are made."""
    overrides = {"TZ": "UTC", "NO_COLOR": None, "COLORTERM": "truecolor", "TERM": "xterm-256color", "TEXTUAL": None}
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
