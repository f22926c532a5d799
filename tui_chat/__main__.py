"""Entry point of `python -m tui_chat`."""

from tui_chat.cli import main

main()
