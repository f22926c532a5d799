"""State of the chat screen without a user interface.

Imports neither Textual nor a front end."""
