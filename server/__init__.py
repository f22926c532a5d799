"""Chat server: Socket.IO gateway, room log and web page.

Imports `tui_chat.protocol` and nothing else of `tui_chat`."""
