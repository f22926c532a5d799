"""Opening a link, once the person has seen where it leads."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from textual.app import App

from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.timeline.hyperlinks import parse_host


def has_browser(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether there is a browser that would not draw over the screen; over SSH there is none here."""
    has_display = platform in {"darwin", "win32"} or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return bool(has_display) and "SSH_CONNECTION" not in environ


def open_link(url: str, app: App[Any]) -> str:
    """Open a link in the browser of this machine, or copy it where there is none.

    Args:
        url: `http`, `https` or `mailto`, printable ASCII.
        app: What opens or copies it.

    Returns:
        A word about what was done, empty when it can be seen.
    """
    if has_browser(os.environ):
        app.open_url(url)
        return ""
    app.copy_to_clipboard(url)
    return chat_strings.link_copied(parse_host(url)[0])
