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

from tui_chat.session.settings_file import SettingsFile
from tui_chat.ui.key_order import KeyOrder
from tui_chat.ui.pace import Pace
from tui_chat.ui.settings_app import SettingsApp

STANDS_WITHIN = 2.0
"""Seconds that keys wait for a screen; it stands when that has the focus which is to have it."""


class TypingApp(SettingsApp, inherit_bindings=False):
    """The part of the program that keys go through."""

    def __init__(self, kept: SettingsFile, driver_class: type[Driver] | None) -> None:
        """Make it.

        Args:
            kept: The settings.
            driver_class: Textual's driver, None for its own choice.
        """
        super().__init__(kept, driver_class)
        self.pace = Pace(time.monotonic, lambda: getattr(self._driver, "behind", False))
        self.key_order = KeyOrder(self, super().on_event, self._keys_can_go_on)
        self._stood: WeakSet[Screen[object]] = WeakSet()
        self._asked_at = 0.0

    async def on_event(self, event: Event) -> None:
        """Every event of the terminal comes through here."""
        if isinstance(event, InputEvent):
            self.pace.pressed()
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self.key_order.take(event)
        else:
            await super().on_event(event)

    def on_its_way(self) -> bool:
        """What the keys before have asked for is not there yet, as a room to write in."""
        return False

    def _keys_can_go_on(self) -> bool:
        return self._stands(self.screen) and not self.on_its_way()

    def _stands(self, screen: Screen[object]) -> bool:
        if screen in self._stood:
            return True
        now = time.monotonic()
        self._asked_at = self._asked_at or now
        if (screen.is_mounted and (screen.focused is not None or not screen.AUTO_FOCUS)) or (
            now > self._asked_at + STANDS_WITHIN
        ):
            self._asked_at = 0.0
            self._stood.add(screen)
        return screen in self._stood


def typing_app(node: DOMNode) -> TypingApp:
    """The app of a screen or widget, as one whose keys can be taken back."""
    return cast(TypingApp, node.app)  # pyright: ignore[reportUnknownMemberType]
