"""Text that input events insert, the same for all input fields."""

from textual.events import Paste

from tui_chat.protocol import sanitize


def pasted_text(paste: Paste) -> str:
    """Return the sanitised text of a paste, with newlines and without escape sequences."""
    return sanitize.sanitize_body(sanitize.remove_escape_sequences(paste.text))
