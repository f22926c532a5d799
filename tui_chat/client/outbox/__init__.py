"""Durable send queue for messages and changes without an acknowledgement."""
