"""Loading what joining needs, while the person fills in the form."""

import importlib


def import_chat_modules() -> None:
    """Import it; meant for a thread of its own."""
    importlib.import_module("tui_chat.ui.session_controller")
    importlib.import_module("tui_chat.ui.screens.chat")
    importlib.import_module("tui_chat.client.client")
