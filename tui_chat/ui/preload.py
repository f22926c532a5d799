"""Background import of modules that the join form does not need."""

import importlib


def import_chat_modules() -> None:
    """Import the modules of the chat screen, for a worker thread."""
    importlib.import_module("tui_chat.ui.screens.chat")
    importlib.import_module("tui_chat.client.client")
