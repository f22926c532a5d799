"""Rooms, presence, rate limits and log commands as pure state.

Performs no I/O and reads no clock. Imports `tui_chat.protocol` only."""
