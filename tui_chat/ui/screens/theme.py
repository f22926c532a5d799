"""Theme chooser with live preview. Closing the chooser without a choice restores the saved theme."""

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.session.i18n import mark, tr
from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.strings import settings as settings_strings
from tui_chat.ui.app_services import app_services
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog


class _ThemeList(OptionList):
    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        # A narrow terminal leaves no columns inside the border, and Textual cannot wrap at width 0.
        return super().get_content_height(container, viewport, max(1, width))


class ThemeScreen(ListDialog[None]):
    """Theme list at the screen edge, with the previewed screen visible beside it."""

    CSS_PATH = "theme.tcss"
    BINDINGS = textual_bindings(KeyScope.THEME_LIST)

    _theme_names = settings_schema.fields()["theme"].choices

    def compose(self) -> ComposeResult:
        """Yield the theme list."""
        yield _ThemeList(
            *(
                Option(Content.assemble((f"{name:10}", "bold"), tr(settings_strings.THEMES[name])))
                for name in self._theme_names
            ),
            markup=False,
            compact=True,
        )

    def on_mount(self) -> None:
        """Set the titles and highlight the theme of the settings."""
        self.set_up(mark("Theme"), KeyScope.THEME_LIST)
        self.option_list.highlighted = self._theme_names.index(app_services(self).settings.theme)

    def on_unmount(self) -> None:
        """Display the theme of the settings, even if the chooser is closed together with the chat."""
        app_services(self).preview_theme(app_services(self).settings.theme)

    @on(OptionList.OptionSelected)
    def action_apply(self) -> None:
        """Apply and save the highlighted theme, and close the chooser. A status shows the error of a failed save."""
        problem = app_services(self).change_setting("theme", self._theme_names[self.highlighted_index])
        self.dismiss(None)
        if problem:
            app_services(self).show_status(problem)

    @on(OptionList.OptionHighlighted)
    def _handle_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        app_services(self).preview_theme(self._theme_names[event.option_index])
