"""Driver of the Textual client against a real server."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widget import Widget

from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room
from tui_chat.session.lines import DeliveryState, MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.start_options import StartOptions
from tui_chat.session.store.profile import Profile
from tui_chat.ui.app import ChatApp
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.screens.join import JoinScreen
from tui_chat.ui.timeline.widget import Timeline
from tui_chat.ui.widgets.composer import Composer


@dataclass
class ChatAppDriver:
    """Client driven by the pilot of Textual.

    Attributes:
        app: Client.
        pilot: Pilot of `app`.
        frame_count: Frames of all screens since the start of the driver.
    """

    app: ChatApp
    pilot: Pilot[None]
    frame_count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Count the frames of the app."""
        self.app.post_display_hook = self._count_frame

    def _count_frame(self) -> None:
        self.frame_count += 1

    @property
    def chat_screen(self) -> ChatScreen:
        """Chat screen; must be on the screen stack."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))

    @property
    def join_screen(self) -> JoinScreen:
        """Join form; must be on the screen stack."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, JoinScreen))

    @property
    def composer(self) -> Composer:
        """Composer of the chat screen."""
        return self.chat_screen.query_one(Composer)

    @property
    def timeline(self) -> Timeline:
        """Timeline of the chat screen."""
        return self.chat_screen.query_one(Timeline)

    @property
    def sdk_client(self) -> ChatClient:
        """Client of the SDK."""
        return self.chat_screen.server_link.require_client()

    def sdk_room(self, name: str) -> Room:
        """Return the open room of the SDK with this name."""
        room = self.chat_screen.server_link.find_room(name)
        assert room is not None
        return room

    @property
    def displayed_room(self) -> RoomView | None:
        """Most recently drawn room."""
        return self.chat_screen.view.displayed_room

    async def press(self, *keys: str) -> None:
        """Press keys by name, each after the effects of the previous one, and wait for the effects of the last one."""
        await self.app._press_keys(keys)  # pyright: ignore[reportPrivateUsage] (`Pilot.press` waits twice for all widgets)
        await self.wait_for_effects()

    async def type_text(self, text: str) -> None:
        """Post the key events of a text without pauses, and wait for their effects."""
        for character in text:
            self.app.post_message(events.Key(character, character))
        await self.wait_for_effects()

    async def send_message(self, text: str) -> None:
        """Submit a text in the focused composer, and wait for the effects of the keys."""
        await self.type_text(text)
        self.app.post_message(events.Key("enter", "\r"))
        await self.wait_for_effects()

    async def wait_for_effects(self) -> None:
        """Wait until all posted keys and pastes have had their effects, then process pending messages.

        Input that waits for a room stays undispatched. The end of the app ends the wait.
        """
        app, sequencer = self.app, self.app.input_sequencer
        is_received = asyncio.Event()
        app.call_later(is_received.set)  # behind the posted input
        await self._run_until_exit(is_received.wait())
        await wait_until(lambda: not sequencer._pending or self._is_waiting_for_room or self.has_exited)  # pyright: ignore[reportPrivateUsage]
        if not self._is_waiting_for_room and not self.has_exited:
            sequencer._begin_wait()  # pyright: ignore[reportPrivateUsage] (local keys start no wait)
            await wait_until(lambda: not sequencer._is_waiting or self.has_exited)  # pyright: ignore[reportPrivateUsage]
        await self._run_until_exit(self.pilot.pause())

    @property
    def has_exited(self) -> bool:
        """True after the end of the app has been requested."""
        return self.app.return_code is not None

    @property
    def _is_waiting_for_room(self) -> bool:
        """True while input waits for the first room, or for a room switch."""
        chats = [screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen)]
        return self.app.join_form.is_waiting or any(chat.room_navigation.is_switching for chat in chats)

    async def _run_until_exit(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine to its end, or until the end of the app, because an exiting app drops its callbacks."""
        task = asyncio.create_task(work)
        while not task.done() and not self.has_exited:
            await asyncio.wait({task}, timeout=0.1)
        if not task.cancel():
            await task

    async def join_rooms(self, *rooms: str) -> None:
        """Join rooms one after the other; wait until each is displayed."""
        for room in rooms:
            await self.send_message(f"/join {room}")
            await self.wait_until(lambda room=room: self.displayed_room is self.chat_screen.session.rooms.get(room))

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Poll until `condition` is true, then process pending messages."""
        await wait_until(condition)
        await self._run_until_exit(self.pilot.pause())

    async def wait_for_text(self, text: str) -> None:
        """Wait for a text on the screen. Only new frames are read."""
        read_frame = -1

        def is_displayed() -> bool:
            nonlocal read_frame
            is_new, read_frame = self.frame_count != read_frame, self.frame_count
            return is_new and text in self.screen_text()

        await self.wait_until(is_displayed)

    async def wait_until_sent(self) -> None:
        """Wait until each item of the outbox is acknowledged or has failed, and the timeline shows the result."""
        await self.wait_until(
            lambda: (
                self.chat_screen.session.pending_count == 0
                and not any(
                    isinstance(line, MessageLine) and line.delivery is DeliveryState.PENDING
                    for line in self.timeline.lines
                )
            )
        )

    def message_texts(self, room: str = "tea") -> list[str]:
        """Return the texts of the message lines of a room, oldest first; empty if the room is not open."""
        view = self.chat_screen.session.find_room(room)
        lines = view.transcript.lines if view is not None else ()
        return [line.text for line in lines if isinstance(line, MessageLine)]

    def screen_text(self) -> str:
        """Return the screen as text, one line per row."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        return "\n".join(strip.text[:width].rstrip() for strip in strips[:height])

    def first_row_of(self, widget: Widget) -> str:
        """Return the first rendered row of a widget."""
        return widget.render_line(0).text.strip()


@asynccontextmanager
async def chat_app(
    directory: Path,
    *,
    size: tuple[int, int] = (80, 24),
    profile: Profile | None = None,
    settings: Mapping[str, Any] | None = None,
    **start_options: Any,
) -> AsyncGenerator[ChatAppDriver]:
    """Run the client at a terminal size, with settings and fields of `StartOptions`, from its first paint on.

    The last state of a running app is rendered at the end of the context, because no terminal displays its frames.
    """
    settings_file = SettingsFile.load(directory / "settings.toml")
    for name, value in (settings or {}).items():
        assert settings_file.change(name, value) == ""
    app = ChatApp(
        StartOptions(state=directory / "state", log=directory / "log", **start_options),
        profile or Profile(),
        "",
        settings_file,
    )
    async with app.run_test(size=size) as pilot:
        is_painted = asyncio.Event()
        app.call_after_refresh(is_painted.set)  # behind the callback of the app, which enables the form
        await wait_until(is_painted.is_set)
        await pilot.pause()
        driver = ChatAppDriver(app, pilot)
        yield driver
        if not driver.has_exited:
            driver.screen_text()


@asynccontextmanager
async def chat_app_in_room(
    directory: Path, url: str, nick: str, room: str = "tea", **options: Any
) -> AsyncGenerator[ChatAppDriver]:
    """Run the client in a room."""
    async with chat_app(directory / nick, server=url, room=room, nick=nick, **options) as driver:
        await driver.wait_until(lambda: any(isinstance(screen, ChatScreen) for screen in driver.app.screen_stack))
        await driver.wait_until(
            lambda: driver.chat_screen.session.current_room is not None and driver.chat_screen.is_mounted
        )
        yield driver
