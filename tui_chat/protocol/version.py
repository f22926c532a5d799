"""Version of the wire protocol (docs/protocol.md)."""

PROTOCOL_VERSION = 1
"""Incremented by changes that are incompatible with clients of the documented protocol."""
