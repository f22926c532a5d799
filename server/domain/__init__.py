"""Pure state of the chat: rooms, presence, rate limits and log commands.

Dependency rule: no clock, no I/O except the table of `confusables`, and no project import besides `tui_chat.protocol`.
"""
