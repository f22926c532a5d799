"""Texts of the join form, the exit and internal errors. The imports of other texts would delay the first screen."""

from tui_chat.session.i18n import mark

# Join form.
TITLE = "chat"
JOIN_HINT = mark("Enter a room and a nickname to join.")
LABEL_ROOM = mark("Room")
LABEL_NICK = mark("Nickname")
LABEL_SERVER = mark("Server")
LABEL_ACCOUNT = mark("Account")
BUTTON_JOIN = mark("Join")
BUTTON_START_SERVER = mark("Start a local server")
CONNECTING_TO = mark("Connecting to {server}…")

# Exit and internal errors.
INTERNAL_ERROR = mark("Internal error. See the log for details.")
SERVER_STOPPED = mark("Server stopped.")
CONFIRM_QUIT = mark("Press {key} again to quit.")
