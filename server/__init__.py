"""Chat server: Socket.IO gateway, room log and web page.

Dependency rule: `tui_chat.protocol` is the only import from `tui_chat`.
"""
