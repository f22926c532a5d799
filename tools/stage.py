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

from server.config import ServerSettings
from server.runtime import serve
from tui_chat.client.chat import ChatClient
from tui_chat.client.events import ConnectionStateChanged, Online
from tui_chat.client.room import Room
from tui_chat.session import language
from tui_chat.session.language import Language
from tui_chat.session.remembered import Profile
from tui_chat.session.settings_file import SettingsFile
from tui_chat.ui.app import ChatApp
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.start import StartOptions

PATIENCE = 30.0
STEP = 0.01
LATENCY = 0.002
"""What the header says of the line, in seconds."""

BEGAN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class StageClock:
    """A clock that goes on only when somebody says something."""

    def __init__(self) -> None:
        self.ms = int(BEGAN.timestamp() * 1000)

    def monotonic(self) -> float:
        """Seconds that never go back: the real ones, for what waits."""
        return time.monotonic()

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.ms


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (any condition, with nobody to announce it)
            await asyncio.sleep(STEP)


class Stage:
    """A server, and people on it.

    Attributes:
        url: The server.
    """

    def __init__(self, url: str, clock: StageClock, stack: AsyncExitStack) -> None:
        self.url = url
        self._clock = clock
        self._stack = stack
        self._seats: dict[tuple[str, str], Room] = {}
        self._clients: dict[str, ChatClient] = {}

    async def seat(self, nick: str, room: str) -> Room:
        """Somebody in a room."""
        if nick not in self._clients:
            self._clients[nick] = await self._stack.enter_async_context(ChatClient(self.url))
        if (nick, room) not in self._seats:
            self._seats[nick, room] = await self._clients[nick].join(room, nick=nick)
        return self._seats[nick, room]

    async def say(self, room: str, nick: str, text: str, minutes: float = 0.4, reply_to: int | None = None) -> int:
        """Somebody says something, some minutes after what was said before; its `seq`."""
        seat = await self.seat(nick, room)
        self._clock.ms += int(minutes * 60_000)
        return (await seat.send(text, reply_to=reply_to)).seq

    async def rest(self, minutes: float) -> None:
        """Nobody says anything for so long."""
        self._clock.ms += int(minutes * 60_000)


@dataclass
class Shown:
    """The program on the stage."""

    app: ChatApp
    pilot: Pilot[None]

    @property
    def chat(self) -> ChatScreen:
        """The chat screen."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))

    def text(self) -> str:
        """What is shown, without its looks."""
        strips = self.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        return "\n".join(strip.text for strip in strips)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds and all is drawn."""
        await until(condition)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def join(self, room: str) -> None:
        """Go into one more room."""
        self.chat.go_to_room(room)
        await self.until(
            lambda: (
                self.chat.displayed_room is self.chat.session.find_room(room) and self.chat.displayed_room is not None
            )
        )

    async def picture(self) -> str:
        """What is shown, as SVG."""
        if any(isinstance(screen, ChatScreen) for screen in self.app.screen_stack):
            self.chat.session.apply(ConnectionStateChanged(Online(LATENCY)))
            self.chat.draw_changes()
        await self.pilot.pause()
        svg = self.app.export_screenshot(title="chat-tui")
        svg = re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL)  # no font from anywhere else
        svg = re.sub(r"terminal-\d+", "terminal", svg)
        svg = _TEXT.sub(_with_its_cells, svg)
        return "\n".join(line.rstrip() for line in svg.splitlines()).strip() + "\n"


_TEXT = re.compile(
    r'<text (class="[^"]*") x="([\d.]+)" (y="[\d.]+") textLength="[\d.]+" (clip-path="[^"]*")>(.*?)</text>'
)
_CELL = 12.2
"""Width of a cell in the pictures."""


def _with_its_cells(found: re.Match[str]) -> str:
    """A piece of text with each wide character on its cells; as it comes, they stand on half of them."""
    style, x, y, clip, escaped = found.groups()
    text = html.unescape(escaped).replace("\xa0", " ")
    if len(text) == cell_len(text):
        return found[0]
    pieces: list[str] = []
    at = float(x)
    for run in _runs(text):
        cells = cell_len(run)
        drawn = html.escape(run).replace(" ", "&#160;")
        pieces.append(f'<text {style} x="{at:g}" {y} textLength="{_CELL * cells:g}" {clip}>{drawn}</text>')
        at = round(at + _CELL * cells, 1)
    return "".join(pieces)


def _runs(text: str) -> list[str]:
    """Narrow characters together, wide ones each alone."""
    runs: list[str] = []
    narrow = False
    for cluster in iter_graphemes(text):
        was, narrow = narrow, cell_len(cluster) == len(cluster) == 1
        if was and narrow:
            runs[-1] += cluster
        else:
            runs.append(cluster)
    return runs


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """An empty stage."""
    clock = StageClock()
    with tempfile.TemporaryDirectory() as folder:
        settings = ServerSettings(port=0, database=str(Path(folder) / "chat.db"), rate_limit="off")
        async with serve(settings, clock) as running, AsyncExitStack() as stack:
            yield Stage(running.url, clock, stack)


@asynccontextmanager
async def shown(
    size: tuple[int, int],
    *,
    theme: str = "dark",
    url: str = "",
    room: str = "",
    nick: str = "",
    kept: Profile | None = None,
) -> AsyncGenerator[Shown]:
    """The program in a terminal of this size, in a room if one is named."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = SettingsFile.load(home / "settings.toml")
        settings.change("theme", theme)
        start = StartOptions(state=home / "state", log=home / "log", server=url, room=room, nick=nick)
        app = ChatApp(start, kept or Profile(), "", settings)
        async with app.run_test(size=size) as pilot:
            person = Shown(app, pilot)
            await pilot.pause()
            if room:
                await person.until(lambda: any(isinstance(screen, ChatScreen) for screen in app.screen_stack))
                await person.until(lambda: person.chat.is_mounted and person.chat.displayed_room is not None)
            yield person


@contextmanager
def surroundings(spoken: Language) -> Generator[None]:
    """The same time zone, colours and language wherever pictures are made."""
    wanted = {"TZ": "UTC", "NO_COLOR": None, "COLORTERM": "truecolor", "TERM": "xterm-256color", "TEXTUAL": None}
    before = {name: os.environ.get(name) for name in wanted}
    was = language.active_language()
    _set(wanted)
    language.activate(spoken)
    try:
        yield
    finally:
        _set(before)
        language.activate(was)


def _set(environ: dict[str, str | None]) -> None:
    for name, value in environ.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    time.tzset()
