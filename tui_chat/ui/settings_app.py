"""App base class that applies the client settings.

- Single source: `SettingsApp.settings` holds the current values. Code reads a setting at the time of use or subscribes
  to `settings_changed`.
- Preview: `preview_theme` changes the display only and saves nothing.
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

from tui_chat.session import i18n
from tui_chat.session.i18n import tr
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui import theme as themes
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.terminal import escape_sequences
from tui_chat.ui.terminal.escape_sequences import NotificationChannel
from tui_chat.ui.terminal.no_color import NoColorFilter

if TYPE_CHECKING:
    from tui_chat.ui.terminal.driver import TerminalDriver

log = logging.getLogger("chat.ui")


MAX_CLIPBOARD_BYTES = 74_994
"""Maximum clipboard text in bytes. Terminals accept 100,000 bytes of sequence, including the Base64 overhead."""


class SettingsApp(App[None], inherit_bindings=False):
    """App with settings, themes and terminal features.

    Attributes:
        settings_changed: Signal with the new settings, published after each change.
        keymap: Effective key bindings.
    """

    def __init__(self, settings_file: SettingsFile, driver_class: type[Driver] | None) -> None:
        """Initialise the app with its theme already applied.

        Args:
            settings_file: Settings and their file.
            driver_class: Textual driver, None for the default of the platform.
        """
        super().__init__(driver_class=driver_class)
        self.settings_changed: Signal[ClientSettings] = Signal(self, "settings-changed")
        self._settings_file = settings_file
        self._multiplexer = escape_sequences.detect_multiplexer(os.environ)
        self._window_title = self._applied_title = ""
        self.keymap = Keymap(self.settings.keys)
        self.set_keymap(self.keymap.textual_keymap())
        self._no_color_filters: Sequence[LineFilter] = (NoColorFilter(),)
        for registered_theme in themes.THEMES_BY_NAME.values():
            self.register_theme(registered_theme)
        # Set the theme before the first stylesheet is built. A change on mount would build the stylesheet twice.
        initial_theme = themes.effective_theme(self.settings.theme, self)
        self.set_reactive(App.theme, initial_theme.name)
        self.set_reactive(App.ansi_color, initial_theme.ansi)
        self._watch_ansi_color(initial_theme.ansi)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_class(initial_theme.dark, "-dark-mode", update=False)
        self.set_class(not initial_theme.dark, "-light-mode", update=False)

    @property
    def settings(self) -> ClientSettings:
        """Current settings."""
        return self._settings_file.settings

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of rendered lines, with `NoColorFilter` if colours are disabled."""
        return self._no_color_filters if self.no_color else super().get_line_filters()

    def change_setting(self, name: str, value: object) -> str:
        """Change and save a setting, with immediate effect.

        Args:
            name: Key of `tui_chat.session.settings.schema.fields`.
            value: Value as returned by `schema.parse`; None restores the default.

        Returns:
            Error message if the file could not be written, otherwise empty. The setting changes and
            `settings_changed` is published in both cases.
        """
        problem = self._settings_file.change(name, value)
        if problem:
            log.warning("setting %s not saved: %s", name, problem)
        if name == "theme":
            self.preview_theme(self.settings.theme)
        if name == "language":
            i18n.activate(i18n.select_language("", self.settings.language, os.environ))
            for screen in self.screen_stack:
                for widget in screen.walk_children(with_self=True):
                    widget.refresh()  # most widgets translate their text while rendering
        if name == "keys":
            self.keymap = Keymap(self.settings.keys)
            self.set_keymap(self.keymap.textual_keymap())
        self._apply_terminal_settings(self.settings)
        self.settings_changed.publish(self.settings)
        return problem

    # Terminal

    def on_mount(self) -> None:
        """Apply mouse and title settings to the terminal."""
        self._apply_terminal_settings(self.settings)

    def send_notification(self, title: str, body: str) -> None:
        """Send a terminal notification.

        Args:
            title: Untrusted text, sanitised before output.
            body: Untrusted text, sanitised before output; may be empty.
        """
        method = self.settings.notification_method
        channel = escape_sequences.detect_channel(os.environ) if method == "auto" else NotificationChannel(method)
        self.write_to_terminal(escape_sequences.notification_sequence(channel, self._multiplexer, title, body))

    def set_window_title(self, title: str) -> None:
        """Set the window title, subject to the `terminal_title` setting. An empty title resets the title."""
        self._window_title = title
        self._apply_terminal_settings(self.settings)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy `text` to the clipboard of the app and of the terminal.

        Only the app copies a text above `MAX_CLIPBOARD_BYTES`; a status message reports the omission.
        """
        if len(text) <= MAX_CLIPBOARD_BYTES and len(text.encode()) <= MAX_CLIPBOARD_BYTES:
            self._clipboard = text
            self.write_to_terminal(escape_sequences.clipboard_sequence(text, self._multiplexer))
        else:
            self._clipboard = text
            self.show_status(chat_strings.too_long_to_copy(len(text)))

    def show_status(self, text: str) -> None:
        """Show a status message to the user."""
        raise NotImplementedError

    def action_toggle_mouse(self) -> None:
        """Toggle and save the `mouse` setting. Shows the new state, or the error if saving failed."""
        enabled = not self.settings.mouse
        self.show_status(
            self.change_setting("mouse", enabled) or tr(chat_strings.MOUSE_ON if enabled else chat_strings.MOUSE_OFF)
        )

    def set_mouse_enabled(self, enabled: bool) -> None:
        """Enable or disable mouse reporting without changing the setting. Any setting change ends the override."""
        driver = self._terminal_driver()
        if driver is not None:
            driver.set_mouse_enabled(enabled)

    def _apply_terminal_settings(self, settings: ClientSettings) -> None:
        driver = self._terminal_driver()
        if driver is None:
            return
        driver.set_mouse_enabled(settings.mouse)
        title = (
            escape_sequences.title_sequence(self._window_title)
            if self._window_title and settings.terminal_title
            else ""
        )
        if title != self._applied_title and escape_sequences.has_title_support(os.environ):
            self._applied_title = title
            driver.set_window_title(title)

    def _terminal_driver(self) -> "TerminalDriver | None":
        """Return the driver if it is a `TerminalDriver`, otherwise None."""
        driver = self._driver
        return cast("TerminalDriver", driver) if hasattr(driver, "set_window_title") else None

    def write_to_terminal(self, sequence: str) -> None:
        """Write an escape sequence that Textual does not support."""
        if self._driver is not None:
            self._driver.write(sequence)

    # Screens

    def action_settings(self) -> None:
        """Open or close the settings screen."""
        from tui_chat.ui.screens.settings import SettingsScreen  # noqa: PLC0415 (not needed for the first screen)

        if isinstance(self.screen, SettingsScreen):
            self.screen.action_close()
        else:
            self.push_screen(SettingsScreen(str(self._settings_file.path or "")))

    def action_choose_theme(self) -> None:
        """Open the theme chooser. No effect if the chooser is open."""
        from tui_chat.ui.screens.theme import ThemeScreen  # noqa: PLC0415 (not needed for the first screen)

        if not isinstance(self.screen, ThemeScreen):
            self.push_screen(ThemeScreen())

    # Themes

    def preview_theme(self, name: str) -> None:
        """Display a theme without saving the choice."""
        textual_theme = themes.effective_theme(name, self)
        self.ansi_color = textual_theme.ansi
        self.theme = textual_theme.name


def settings_app(node: DOMNode) -> SettingsApp:
    """Return the app of `node` as a `SettingsApp`."""
    return cast("SettingsApp", node.app)  # pyright: ignore[reportUnknownMemberType]
