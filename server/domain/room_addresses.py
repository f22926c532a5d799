"""Addresses of private and direct rooms (`tui_chat.protocol.names.is_room_address`)."""

import secrets
from base64 import b32encode

_ADDRESS_BYTES = 10  # 16 characters in base32


def generate_room_address() -> str:
    """Return a random address: `~` and 16 characters in base32 (80 bits)."""
    return "~" + b32encode(secrets.token_bytes(_ADDRESS_BYTES)).decode().lower()
