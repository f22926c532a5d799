"""Pure state of the chat: rooms, presence, rate limits and log commands.

Dependency rule: no I/O, no clock, and no project import besides `tui_chat.protocol`.
"""
