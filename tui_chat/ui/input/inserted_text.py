"""Text that keys and pastes insert, the same for all input fields."""

from unicodedata import category

from textual.events import Key, Paste

from tui_chat.protocol import sanitize


def typed_text(key: Key) -> str:
    """Return the sanitized text of a key, empty for control keys, Alt with a key and other keys without text.

    `Key.is_printable` is no test for text, because joiners, most spaces and private use are excluded.
    """
    character = key.character
    if not character or key.key.startswith("alt+") or category(character[0]) in ("Cc", "Cs"):
        return ""
    return sanitize.sanitize_body(character)


def pasted_text(paste: Paste) -> str:
    """Return the sanitized text of a paste, with newlines and without escape sequences."""
    return sanitize.sanitize_body(sanitize.remove_escape_sequences(paste.text))
