"""Confirmation dialog for hyperlinks. The real host is listed first, regardless of the appearance of the URL."""

import os
from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.session.i18n import mark, tr
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.browser import has_local_display
from tui_chat.ui.input import keys
from tui_chat.ui.input.key_scopes import KeyScope
from tui_chat.ui.screens.list_dialog import ListDialog
from tui_chat.ui.timeline.hyperlinks import parse_host


class LinkScreen(ListDialog[str]):
    """Dialog that returns the URL to open, None if cancelled.

    Args:
        urls: One or more URLs from `tui_chat.ui.timeline.hyperlinks`.
    """

    CSS_PATH = "link.tcss"
    BINDINGS = keys.textual_bindings(KeyScope.LINK_DIALOG)

    def __init__(self, urls: Sequence[str]) -> None:
        super().__init__()
        self._urls = urls

    def compose(self) -> ComposeResult:
        """Yield a list with host and URL of each link."""
        yield OptionList(*(Option(_url_row(url)) for url in self._urls), markup=False)

    def on_mount(self) -> None:
        """Set the titles and highlight the first link."""
        footer = (
            mark("Enter open · y copy · Esc cancel")
            if has_local_display(os.environ)
            else mark("Enter copy · Esc cancel")
        )
        self.set_up(mark("Link"), footer)
        self.option_list.highlighted = 0

    @on(OptionList.OptionSelected)
    def action_open(self) -> None:
        """Return the highlighted URL."""
        self.dismiss(self._highlighted_url())

    def action_copy(self) -> None:
        """Copy the highlighted URL and close the dialog."""
        app_of(self).copy_to_clipboard(self._highlighted_url())
        self.dismiss(None)
        app_services(self).show_status(tr(chat_strings.COPIED))

    def _highlighted_url(self) -> str:
        return self._urls[self.highlighted_index]


def _url_row(url: str) -> Content:
    host, decoded_host = parse_host(url)
    warning = (
        Content.assemble("  ", (tr("displayed as {host}", host=decoded_host), "$warning"))
        if decoded_host
        else Content("")
    )
    return Content.assemble((host or "?", "bold $primary"), warning, "\n", (url, "$text-muted"))
