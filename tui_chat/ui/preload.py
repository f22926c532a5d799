"""Loading what joining needs, while the person fills in the form."""

import importlib
import sys


def load() -> None:
    """Import it; meant for a thread of its own."""
    # The screen gets its turn ten times as often meanwhile: a key still shows at once.
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 10)
    importlib.import_module("tui_chat.ui.visit")
    importlib.import_module("tui_chat.ui.screens.chat")
    importlib.import_module("tui_chat.client.chat")
    sys.setswitchinterval(usual)
