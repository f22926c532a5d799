"""An app that looks and behaves as the settings say, and changes at once when they do.

Rule 1  `settings` is what is in force. Whoever acts on one reads it when it matters, or
        subscribes to `settings_changed`.
Rule 2  A theme that is only tried is shown, and not kept.
"""

import logging
from collections.abc import Sequence
from typing import cast

from textual.app import App
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter
from textual.signal import Signal

from tui_chat.session.settings import Settings
from tui_chat.session.settings_file import SettingsFile
from tui_chat.ui import themes
from tui_chat.ui.no_color import WithoutColor

log = logging.getLogger("chat.ui")


class SettingsApp(App[None], inherit_bindings=False):
    """The part of the program that the settings speak about.

    Attributes:
        settings_changed: Tells the settings, after one of them has changed.
    """

    def __init__(self, kept: SettingsFile, driver_class: type[Driver] | None) -> None:
        """Make it, already in its theme.

        Args:
            kept: The settings.
            driver_class: Textual's driver, None for its own choice.
        """
        super().__init__(driver_class=driver_class)
        self.settings_changed: Signal[Settings] = Signal(self, "settings-changed")
        self._settings_file = kept
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
    def settings(self) -> Settings:
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
        self.settings_changed.publish(self.settings)
        return problem

    def try_theme(self, word: str) -> None:
        """Show a theme without keeping it."""
        theme = themes.shown_theme(word, self)
        self.ansi_color = theme.ansi
        self.theme = theme.name


def settings_app(node: DOMNode) -> SettingsApp:
    """The app that a node belongs to, when that is one with settings."""
    return cast("SettingsApp", node.app)  # pyright: ignore[reportUnknownMemberType]
