"""Current settings of the app with immediate effect of changes."""

import logging
from collections.abc import Callable, Mapping

from tui_chat.session import i18n
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.ui.input.keymap import Keymap

log = logging.getLogger("chat.ui")


class SettingsController:
    """Settings, their file, and the state derived from them: key bindings and language.

    Args:
        settings_file: Settings and their file.
        environ: Environment variables of the process, for the language.
        on_changed: Applies the change of the setting with this name to the screen.

    Attributes:
        keymap: Effective key bindings.
        path: Settings file, empty if changes are not saved.
    """

    def __init__(
        self, settings_file: SettingsFile, environ: Mapping[str, str], on_changed: Callable[[str], None]
    ) -> None:
        self._file = settings_file
        self._environ = environ
        self._on_changed = on_changed
        self.keymap = Keymap(self.settings.keys)
        self.path = str(settings_file.path or "")

    @property
    def settings(self) -> ClientSettings:
        """Current settings."""
        return self._file.settings

    def change(self, name: str, value: object) -> str:
        """Change and save a setting, apply a changed language or keymap, then call `on_changed`.

        Arguments and result as in `AppServices.change_setting`. A failed save is logged, and the change applies.
        """
        problem = self._file.change(name, value)
        if problem:
            log.warning("setting %s not saved: %s", name, problem)
        if name == "language":
            i18n.activate(i18n.select_language("", self.settings.language, self._environ))
        if name == "keys":
            self.keymap = Keymap(self.settings.keys)
        self._on_changed(name)
        return problem
