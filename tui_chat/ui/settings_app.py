"""App base class that applies the client settings.

- Single source: `SettingsApp.settings` holds the current values. Code reads a setting at the time of use or subscribes
  to `settings_changed`.
- Preview: `preview_theme` changes the display only and saves nothing.
"""

import logging
import os
from collections.abc import Sequence

from textual.app import App
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
from tui_chat.ui.terminal.no_color import NoColorFilter
from tui_chat.ui.terminal.terminal_output import TerminalOutput

log = logging.getLogger("chat.ui")


class SettingsApp(App[None], inherit_bindings=False):
    """App with settings, themes and terminal features.

    Attributes:
        settings_changed: Signal with the new settings, published after each change.
        keymap: Effective key bindings.
        terminal: Output to the terminal.
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
        self.terminal = TerminalOutput(lambda: self._driver, lambda: self.settings, os.environ)
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
        self.terminal.apply_settings()
        self.settings_changed.publish(self.settings)
        return problem

    # Terminal

    def on_mount(self) -> None:
        """Apply mouse and title settings to the terminal."""
        self.terminal.apply_settings()

    def copy_to_clipboard(self, text: str) -> None:
        """Copy `text` to the clipboard of the app and of the terminal.

        Only the app copies a text above the limit of the terminal; a status message reports the omission.
        """
        self._clipboard = text
        if not self.terminal.copy_to_clipboard(text):
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
