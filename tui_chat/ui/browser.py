"""Link opening after the user has confirmed the destination."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from textual.app import App

from tui_chat.session.i18n import tr
from tui_chat.ui.timeline.hyperlinks import parse_host


def has_local_display(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Return whether the process has a local display, so that a graphical browser can open.

    Text browsers are excluded because they would overwrite the screen.

    Args:
        environ: Environment variables of the process.
        platform: Value of `sys.platform`.
    """
    has_display = platform in {"darwin", "win32"} or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return bool(has_display) and "SSH_CONNECTION" not in environ


def open_link(url: str, app: App[Any]) -> str:
    """Open `url` in the local browser, or copy the address if none is available.

    Args:
        url: URL with the scheme `http`, `https` or `mailto`, limited to printable ASCII.
        app: App that opens or copies the URL.

    Returns:
        Status text for the user, empty if the browser opened.
    """
    if has_local_display(os.environ):
        app.open_url(url)
        return ""
    app.copy_to_clipboard(url)
    return tr("Copied the link to {host}.", host=parse_host(url)[0])
