"""The version of the wire that this code speaks (docs/protocol.md)."""

PROTOCOL_VERSION = 1
"""Grows by one when a change would break a client that follows the document."""
