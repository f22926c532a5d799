"""Dialog with the long output of a command."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_chat.session.i18n import tr
from tui_chat.ui.app_services import app_services
from tui_chat.ui.input.key_names import display_name
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.dialog import Dialog


class OutputScreen(Dialog[None]):
    """Scrollable text without markup."""

    CSS_PATH = "text_dialog.tcss"
    BINDINGS = textual_bindings(KeyScope.OUTPUT)

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Yield the scrollable text."""
        with VerticalScroll():
            yield Static(Content(self._text))

    def on_mount(self) -> None:
        """Set the titles of the frame."""
        frame = self.query_one(VerticalScroll)
        frame.border_title = Content(tr("Output"))
        page_keys = map(display_name, ("pageup", "pagedown"))  # bindings of `VerticalScroll`
        frame.border_subtitle = Content(app_services(self).keymap.close_hint("output-close", page_keys))
