"""Entry point of `python -m server`, equivalent to `chat-server`."""

from server.cli import main

main()
