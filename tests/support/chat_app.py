"""chat-tui driven by Textual's pilot, against a real server."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widget import Widget

from tests.support.eventually import eventually
from tui_chat.session.remembered import Profile
from tui_chat.session.settings_file import SettingsFile
from tui_chat.ui.app import ChatApp
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.screens.join import JoinScreen
from tui_chat.ui.start import StartOptions
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.room_timeline import RoomTimeline


@dataclass
class Person:
    """One person at one program."""

    app: ChatApp
    pilot: Pilot[None]

    @property
    def chat(self) -> ChatScreen:
        """The chat screen, which must be there."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))

    @property
    def form(self) -> JoinScreen:
        """The join form."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, JoinScreen))

    @property
    def composer(self) -> Composer:
        """Where messages are written."""
        return self.chat.query_one(Composer)

    @property
    def timeline(self) -> RoomTimeline:
        """Where messages are read."""
        return self.chat.query_one(RoomTimeline)

    async def press(self, *keys: str) -> None:
        """Press keys by their names."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Press the keys of a text, all at once."""
        for character in text:
            self.app.post_message(events.Key(character, character))
        await self.pilot.pause()

    async def say(self, text: str) -> None:
        """Type a text and press Enter."""
        await self.type(text)
        self.app.post_message(events.Key("enter", "\r"))
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds and all messages are handled."""
        await eventually(condition)
        await self.pilot.pause()

    async def sees(self, text: str) -> None:
        """Wait until the screen shows this text."""
        await self.until(lambda: text in self.screen())

    def screen(self) -> str:
        """What the screen shows, row by row."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        return "\n".join(strip.text[:width].rstrip() for strip in strips[:height])

    def row_of(self, widget: Widget) -> str:
        """The first row of a widget, as it is drawn."""
        return widget.render_line(0).text.strip()


@asynccontextmanager
async def chat_app(
    folder: Path,
    *,
    size: tuple[int, int] = (80, 24),
    kept: Profile | None = None,
    settings: Mapping[str, Any] | None = None,
    **start: Any,
) -> AsyncGenerator[Person]:
    """The program in a terminal of this size, started with these settings and fields of `Start`."""
    file = SettingsFile.load(folder / "settings.toml")
    for name, value in (settings or {}).items():
        assert file.change(name, value) == ""
    app = ChatApp(StartOptions(state=folder / "state", log=folder / "log", **start), kept or Profile(), "", file)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Person(app, pilot)


@asynccontextmanager
async def in_room(folder: Path, url: str, nick: str, room: str = "tea", **more: Any) -> AsyncGenerator[Person]:
    """The program, already in a room."""
    async with chat_app(folder / nick, server=url, room=room, nick=nick, **more) as person:
        await person.until(lambda: any(isinstance(screen, ChatScreen) for screen in person.app.screen_stack))
        await person.until(lambda: person.chat.session.current_room is not None and person.chat.is_mounted)
        yield person
