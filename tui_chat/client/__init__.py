"""SDK: connection, room logs and outbox.

Imports neither `tui_chat.session` nor Textual."""
