"""Selection of the displayed theme."""

from collections.abc import Callable

from textual.theme import Theme

from tui_chat.ui.theme import TERMINAL, THEMES_BY_NAME


class ThemeController:
    """Theme of the app, independent of the saved setting during a preview.

    Args:
        display: Displays a theme.
        has_few_colors: Returns whether the terminal has at most 16 colours.
    """

    def __init__(self, display: Callable[[Theme], None], has_few_colors: Callable[[], bool]) -> None:
        self._display = display
        self._has_few_colors = has_few_colors

    def effective_theme(self, name: str) -> Theme:
        """Return the theme called `name`, or `TERMINAL` if the terminal has few colours."""
        return TERMINAL if self._has_few_colors() else THEMES_BY_NAME[name]

    def show(self, name: str) -> None:
        """Display the effective theme for `name`."""
        self._display(self.effective_theme(name))
