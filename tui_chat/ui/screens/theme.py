"""Choosing a theme by seeing it: the marked one is tried on everything behind, Esc goes back to the one before."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.session import setting_words, settings
from tui_chat.session.language import tr
from tui_chat.ui import keys
from tui_chat.ui.settings_app import settings_app


class _Themes(OptionList):
    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        # In a terminal of few columns none is left inside the border, and nothing can be wrapped to none.
        return super().get_content_height(container, viewport, max(1, width))


class ThemeScreen(ModalScreen[None]):
    """A short list at the side, so that what is behind it can be seen."""

    CSS_PATH = "theme.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.THEMES)]
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        """Make it."""
        super().__init__()
        self._words = settings.fields()["theme"].choices

    def compose(self) -> ComposeResult:
        """The themes."""
        yield _Themes(
            *(Option(Content.assemble((f"{word:10}", "bold"), tr(setting_words.THEMES[word]))) for word in self._words),
            markup=False,
            compact=True,
        )

    def on_mount(self) -> None:
        """The one in force is marked."""
        shown = self.query_one(OptionList)
        shown.can_focus = False
        shown.border_title = Content(tr(setting_words.THEME_TITLE))
        shown.border_subtitle = Content(tr(setting_words.THEME_FOOTER))
        shown.highlighted = self._words.index(settings_app(self).settings.theme)

    def action_move(self, by: int) -> None:
        """Try the theme that many rows below, around the end."""
        shown = self.query_one(OptionList)
        shown.highlighted = ((shown.highlighted or 0) + by) % len(self._words)

    def action_keep(self) -> None:
        """Keep the marked theme."""
        word = self._words[self.query_one(OptionList).highlighted or 0]
        problem = settings_app(self).change_setting("theme", word)
        self.dismiss(None)
        if problem:
            settings_app(self).say(problem)

    def action_close(self) -> None:
        """Back to the theme from before."""
        app = settings_app(self)
        app.try_theme(app.settings.theme)
        self.dismiss(None)

    @on(OptionList.OptionHighlighted)
    def _try(self, event: OptionList.OptionHighlighted) -> None:
        settings_app(self).try_theme(self._words[event.option_index])

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_keep()
