"""An app that looks and behaves as the settings say, and changes at once when they do.

Rule 1  `settings` is what is in force. Whoever acts on one reads it when it matters, or
        subscribes to `settings_changed`.
Rule 2  A theme that is only tried is shown, and not kept.
"""

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.app import App
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter
from textual.signal import Signal

from tui_chat.session import language, words
from tui_chat.session.language import tr
from tui_chat.session.settings import ClientSettings
from tui_chat.session.settings_file import SettingsFile
from tui_chat.ui import notifications, themes
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.no_color import WithoutColor
from tui_chat.ui.notifications import Channel

if TYPE_CHECKING:
    from tui_chat.ui.terminal_driver import TerminalDriver

log = logging.getLogger("chat.ui")


CLIPBOARD_MAX = 74_994
"""Bytes of a text that terminals take into their clipboard: 100,000 of Base64, and the sequence around it."""


class SettingsApp(App[None], inherit_bindings=False):
    """The part of the program that the settings speak about.

    Attributes:
        settings_changed: Tells the settings, after one of them has changed.
        keymap: The keys in force.
    """

    def __init__(self, kept: SettingsFile, driver_class: type[Driver] | None) -> None:
        """Make it, already in its theme.

        Args:
            kept: The settings.
            driver_class: Textual's driver, None for its own choice.
        """
        super().__init__(driver_class=driver_class)
        self.settings_changed: Signal[ClientSettings] = Signal(self, "settings-changed")
        self._settings_file = kept
        self._between = notifications.multiplexer_of(os.environ)
        self._title = self._title_shown = ""
        self.keymap = Keymap(self.settings.keys)
        self.set_keymap(self.keymap.for_textual())
        self._no_color: Sequence[LineFilter] = (WithoutColor(),)
        for theme in themes.BY_WORD.values():
            self.register_theme(theme)
        # Chosen before the styles are made, and not on mounting, which would make them twice.
        chosen = themes.shown_theme(self.settings.theme, self)
        self.set_reactive(App.theme, chosen.name)
        self.set_reactive(App.ansi_color, chosen.ansi)
        self._watch_ansi_color(chosen.ansi)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_class(chosen.dark, "-dark-mode", update=False)
        self.set_class(not chosen.dark, "-light-mode", update=False)

    @property
    def settings(self) -> ClientSettings:
        """What is in force."""
        return self._settings_file.settings

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What finished lines go through on their way out."""
        return self._no_color if self.no_color else super().get_line_filters()

    def change_setting(self, name: str, value: object) -> str:
        """Set one for now and for later, at once.

        Args:
            name: One of `tui_chat.session.settings.fields`.
            value: What `settings.parse` gives for it; None is the usual value again.

        Returns:
            Why it could not be written down, empty when it was; it is in force either way.
        """
        problem = self._settings_file.change(name, value)
        if problem:
            log.warning("%s", problem)
        if name == "theme":
            self.try_theme(self.settings.theme)
        if name == "language":
            language.activate(language.select_language("", self.settings.language, os.environ))
            for screen in self.screen_stack:
                for widget in screen.walk_children(with_self=True):
                    widget.refresh()  # most look their sentences up when they are drawn
        if name == "keys":
            self.keymap = Keymap(self.settings.keys)
            self.set_keymap(self.keymap.for_textual())
        self._follow(self.settings)
        self.settings_changed.publish(self.settings)
        return problem

    # The terminal.

    def on_mount(self) -> None:
        """The mouse is as it is set."""
        self._follow(self.settings)

    def tell(self, title: str, body: str) -> None:
        """Notify the person, who is elsewhere.

        Args:
            title: Anything; it is cleaned.
            body: Anything, may be empty.
        """
        wanted = self.settings.notify_by
        channel = notifications.channel_of(os.environ) if wanted == "auto" else Channel(wanted)
        self.write(notifications.sequence(channel, self._between, title, body))

    def show_title(self, title: str) -> None:
        """Give the window this title, if that is wanted."""
        self._title = title
        self._follow(self.settings)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text, into the terminal's clipboard too when that can hold it."""
        if len(text) <= CLIPBOARD_MAX and len(text.encode()) <= CLIPBOARD_MAX:
            self._clipboard = text
            self.write(notifications.clipboard(text, self._between))
        else:
            self._clipboard = text
            self.say(words.too_long_to_copy(len(text)))

    def say(self, word: str) -> None:
        """Say something of the program's own."""
        raise NotImplementedError

    def action_toggle_mouse(self) -> None:
        """Take the mouse, or leave it to the terminal."""
        taken = not self.settings.mouse
        self.say(self.change_setting("mouse", taken) or tr(words.MOUSE_ON if taken else words.MOUSE_OFF))

    def take_mouse(self, taken: bool) -> None:
        """Take the mouse, or leave it to the terminal, for now."""
        driver = self._terminal()
        if driver is not None:
            driver.take_mouse(taken)

    def _follow(self, settings: ClientSettings) -> None:
        driver = self._terminal()
        if driver is None:
            return
        driver.take_mouse(settings.mouse)
        title = notifications.window_title(self._title) if self._title and settings.terminal_title else ""
        if title != self._title_shown and notifications.has_title(os.environ):
            self._title_shown = title
            driver.show_title(title)

    def _terminal(self) -> "TerminalDriver | None":
        """The driver, when it is the program's own."""
        driver = self._driver
        return cast("TerminalDriver", driver) if hasattr(driver, "show_title") else None

    def write(self, sequence: str) -> None:
        """Write a sequence to the terminal that Textual does not know."""
        if self._driver is not None:
            self._driver.write(sequence)

    # Screens.

    def action_settings(self) -> None:
        """Show the settings, or close them."""
        from tui_chat.ui.screens.settings import SettingsScreen  # noqa: PLC0415 (not needed for the first screen)

        if isinstance(self.screen, SettingsScreen):
            self.screen.action_close()
        else:
            self.push_screen(SettingsScreen(str(self._settings_file.path or "")))

    def action_themes(self) -> None:
        """Let a theme be chosen by seeing it."""
        from tui_chat.ui.screens.theme import ThemeScreen  # noqa: PLC0415 (as above)

        if not isinstance(self.screen, ThemeScreen):
            self.push_screen(ThemeScreen())

    # Looks.

    def try_theme(self, word: str) -> None:
        """Show a theme without keeping it."""
        theme = themes.shown_theme(word, self)
        self.ansi_color = theme.ansi
        self.theme = theme.name


def settings_app(node: DOMNode) -> SettingsApp:
    """The app that a node belongs to, when that is one with settings."""
    return cast("SettingsApp", node.app)  # pyright: ignore[reportUnknownMemberType]
