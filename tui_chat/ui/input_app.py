"""An app in which what a person does goes first, and in the order it is done.

Rule 1  Keys and pastes take effect in their order (`KeyOrder`), and none is meant for a screen
        that does not stand yet.
Rule 2  What comes from the network is applied and drawn around them (`Pace`).
"""

import time
from typing import cast
from weakref import WeakSet

from textual.dom import DOMNode
from textual.driver import Driver
from textual.events import Event, InputEvent, Key, Paste
from textual.screen import Screen

from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.ui.input.input_sequencer import InputSequencer
from tui_chat.ui.render_scheduler import RenderScheduler
from tui_chat.ui.settings_app import SettingsApp

SCREEN_READY_TIMEOUT = 2.0
"""Seconds that keys wait for a screen; it stands when that has the focus which is to have it."""


class InputApp(SettingsApp, inherit_bindings=False):
    """The part of the program that keys go through."""

    def __init__(self, settings_file: SettingsFile, driver_class: type[Driver] | None) -> None:
        """Make it.

        Args:
            kept: The settings.
            driver_class: Textual's driver, None for its own choice.
        """
        super().__init__(settings_file, driver_class)
        self.render_scheduler = RenderScheduler(
            time.monotonic, lambda: getattr(self._driver, "is_output_blocked", False)
        )
        self.input_sequencer = InputSequencer(self, super().on_event, self._can_dispatch_input)
        self._ready_screens: WeakSet[Screen[object]] = WeakSet()
        self._waiting_since = 0.0

    async def on_event(self, event: Event) -> None:
        """Every event of the terminal comes through here."""
        if isinstance(event, InputEvent):
            self.render_scheduler.record_input()
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self.input_sequencer.push(event)
        else:
            await super().on_event(event)

    def is_switching_room(self) -> bool:
        """What the keys before have asked for is not there yet, as a room to write in."""
        return False

    def _can_dispatch_input(self) -> bool:
        return self._is_screen_ready(self.screen) and not self.is_switching_room()

    def _is_screen_ready(self, screen: Screen[object]) -> bool:
        if screen in self._ready_screens:
            return True
        now = time.monotonic()
        self._waiting_since = self._waiting_since or now
        if (screen.is_mounted and (screen.focused is not None or not screen.AUTO_FOCUS)) or (
            now > self._waiting_since + SCREEN_READY_TIMEOUT
        ):
            self._waiting_since = 0.0
            self._ready_screens.add(screen)
        return screen in self._ready_screens


def input_app(node: DOMNode) -> InputApp:
    """The app of a screen or widget, as one whose keys can be taken back."""
    return cast(InputApp, node.app)  # pyright: ignore[reportUnknownMemberType]
