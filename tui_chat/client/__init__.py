"""SDK: connection, room logs and outbox.

- Dependencies: imports neither `tui_chat.session` nor Textual.
"""
