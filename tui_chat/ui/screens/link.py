"""Where an address leads, before it is opened: the real host first, however the rest of it looks."""

import os
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.strings import settings as settings_strings
from tui_chat.ui.browser import has_browser
from tui_chat.ui.input import keys
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.timeline.hyperlinks import parse_host


class LinkScreen(ModalScreen[str | None]):
    """Ends with the address to open, None for none."""

    CSS_PATH = "link.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.textual_bindings(keys.KeyScope.LINK_DIALOG)]
    AUTO_FOCUS = ""

    def __init__(self, urls: Sequence[str]) -> None:
        """Make it.

        Args:
            urls: At least one, as `tui_chat.ui.timeline.hyperlinks` gives them.
        """
        super().__init__()
        self._urls = urls

    def compose(self) -> ComposeResult:
        """Host and address of each."""
        yield OptionList(*(Option(_url_row(url)) for url in self._urls), markup=False)

    def on_mount(self) -> None:
        """The first one is marked."""
        option_list = self.query_one(OptionList)
        option_list.can_focus = False
        option_list.border_title = Content(tr(settings_strings.LINK_TITLE))
        option_list.border_subtitle = Content(
            tr(settings_strings.LINK_OPEN if has_browser(os.environ) else settings_strings.LINK_COPY)
        )
        option_list.highlighted = 0

    def action_move(self, offset: int) -> None:
        """Mark the address that many rows below, around the end."""
        option_list = self.query_one(OptionList)
        option_list.highlighted = ((option_list.highlighted or 0) + offset) % len(self._urls)

    def action_open(self) -> None:
        """Open the marked one."""
        self.dismiss(self._highlighted_url())

    def action_copy(self) -> None:
        """Copy the marked one."""
        settings_app(self).copy_to_clipboard(self._highlighted_url())
        self.dismiss(None)
        settings_app(self).show_status(tr(chat_strings.COPIED))

    def action_close(self) -> None:
        """Open none."""
        self.dismiss(None)

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._urls[event.option_index])

    def _highlighted_url(self) -> str:
        return self._urls[self.query_one(OptionList).highlighted or 0]


def _url_row(url: str) -> Content:
    host, decoded_host = parse_host(url)
    warning = (
        Content.assemble("  ", (settings_strings.decoded_host(decoded_host), "$warning"))
        if decoded_host
        else Content("")
    )
    return Content.assemble((host or "?", "bold $primary"), warning, "\n", (url, "$text-muted"))
