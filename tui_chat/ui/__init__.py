"""Textual front end.

The only package that imports Textual and Rich. Reaches the server through `tui_chat.local_server`."""
