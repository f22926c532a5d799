"""Persistent queue of unacknowledged messages."""
