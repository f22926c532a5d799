"""App base class with ordered, prioritised input.

- Order: keys and pastes take effect in the order of input (`InputSequencer`), and only on a screen that is ready.
- Priority: network events are processed and drawn between inputs (`RenderScheduler`).
"""

import time
from weakref import WeakSet

from textual.driver import Driver
from textual.events import Event, InputEvent, Key, Paste
from textual.screen import Screen

from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.ui.input.input_sequencer import InputSequencer
from tui_chat.ui.render_scheduler import RenderScheduler
from tui_chat.ui.settings_app import SettingsApp

SCREEN_READY_TIMEOUT = 2.0
"""Seconds that input waits for a new screen. A screen is ready when its initial focus is set."""


class InputApp(SettingsApp, inherit_bindings=False):
    """App that routes all input through the sequencer.

    Attributes:
        render_scheduler: Timing of event processing.
        input_sequencer: Queue of undispatched input.
    """

    def __init__(self, settings_file: SettingsFile, driver_class: type[Driver] | None) -> None:
        """Initialise the app.

        Args:
            settings_file: Settings and their file.
            driver_class: Textual driver, None for the default of the platform.
        """
        super().__init__(settings_file, driver_class)
        self.render_scheduler = RenderScheduler(
            time.monotonic, lambda: getattr(self._driver, "is_output_blocked", False)
        )
        self.input_sequencer = InputSequencer(self, super().on_event, self._can_dispatch_input)
        self._ready_screens: WeakSet[Screen[object]] = WeakSet()
        self._waiting_since = 0.0

    async def on_event(self, event: Event) -> None:
        """Pass keys and pastes to the sequencer. All other events and forwarded input go to Textual."""
        if isinstance(event, InputEvent):
            self.render_scheduler.record_input()
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self.input_sequencer.push(event)
        else:
            await super().on_event(event)

    def is_switching_room(self) -> bool:
        """Return whether a room switch is in progress. Input waits until the switch has ended.

        Always False unless a subclass overrides the method.
        """
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
