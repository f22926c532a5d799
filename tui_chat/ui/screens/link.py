"""Selection of a hyperlink or file of a message, and opening of the selected link.

The dialog lists the real host first, regardless of the appearance of the URL.
"""

import os
from collections.abc import Sequence
from typing import Any

from textual import on
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.client.net.address import is_room_link
from tui_chat.session.file_opener import has_local_display
from tui_chat.session.hyperlinks import parse_host
from tui_chat.session.i18n import mark, tr
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog


class LinkScreen(ListDialog[str | int]):
    """Dialog that returns the URL to open or the index of a file, None if cancelled or copied.

    Args:
        urls: URLs from `tui_chat.session.hyperlinks`.
        captions: Captions of files; at least one caption or URL exists.
    """

    CSS_PATH = "list_dialog.tcss"
    BINDINGS = textual_bindings(KeyScope.LINK_DIALOG)

    def __init__(self, urls: Sequence[str], captions: Sequence[str] = ()) -> None:
        super().__init__()
        self._urls = urls
        self._captions = captions

    def compose(self) -> ComposeResult:
        """Yield a list of files, then links; a link has its host, with a differing Unicode form, and its URL."""
        rows = (*map(Content, self._captions), *map(_url_row, self._urls))
        yield OptionList(*map(Option, rows), markup=False)

    def on_mount(self) -> None:
        """Set the titles and highlight the first row."""
        if not self._captions and all(map(is_room_link, self._urls)):
            open_label = mark("join")
        else:
            open_label = mark("open") if self._captions or has_local_display(os.environ) else mark("copy")
        self.set_up(
            mark("Files and links") if self._captions else mark("Link"),
            KeyScope.LINK_DIALOG,
            key_labels={"link-open": open_label},
        )
        self.option_list.highlighted = 0

    @on(OptionList.OptionSelected)
    def action_open(self) -> None:
        """Close the dialog with the highlighted URL or the index of the highlighted file as result."""
        index = self.highlighted_index
        self.dismiss(index if index < len(self._captions) else self._urls[index - len(self._captions)])

    def action_copy(self) -> None:
        """Copy the highlighted URL or caption, close the dialog without a result and show a status."""
        app_of(self).copy_to_clipboard((*self._captions, *self._urls)[self.highlighted_index])
        self.dismiss(None)
        app_services(self).show_status(tr(chat_strings.COPIED))


def _url_row(url: str) -> Content:
    """Return a row with host and decoded host, and a row with the URL."""
    host, decoded_host = parse_host(url)
    return Content.assemble(
        (host or "?", "bold $primary"),
        ("  " + tr("displayed as {host}", host=decoded_host) if decoded_host else "", "$warning"),
        "\n",
        (url, "$text-muted"),
    )


def open_link(url: str, app: App[Any]) -> str:
    """Open a `Hyperlink.url` in the local browser, or copy the address if there is no local display.

    Returns:
        Status text about the copy, empty after the start of a browser, whose success is not checked.
    """
    if has_local_display(os.environ):
        app.open_url(url)
        return ""
    app.copy_to_clipboard(url)
    return tr("Copied the link to {host}.", host=parse_host(url)[0])
