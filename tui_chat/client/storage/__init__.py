"""SQLite cache of room logs on the local disk."""
