"""Local SQLite cache of room logs."""
