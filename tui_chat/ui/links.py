"""Opening a link that was clicked."""

import os
import sys
from typing import Any
from urllib.parse import urlsplit

from textual.app import App

from tui_chat.session import words


def open_link(url: str, app: App[Any]) -> str:
    """Open a link in the browser of this machine, or copy it where there is none.

    A terminal reached over SSH has no browser, or one that would draw over the screen.

    Args:
        url: `http`, `https` or `mailto`, printable ASCII.
        app: What opens or copies it.

    Returns:
        A word about what was done, empty when it can be seen.
    """
    windowed = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if windowed and "SSH_CONNECTION" not in os.environ:
        app.open_url(url)
        return ""
    app.copy_to_clipboard(url)
    parts = urlsplit(url)
    return words.link_copied(parts.hostname or parts.path)
