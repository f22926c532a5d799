"""Decoding of bus messages, and hashes of room keys in the names of channels."""

import hashlib
import logging
from functools import lru_cache
from typing import TypeVar

import msgspec

from tui_chat.protocol.errors import DECODE_ERRORS

log = logging.getLogger("chat.cluster")

MessageT = TypeVar("MessageT")


def decode_message(decoder: msgspec.json.Decoder[MessageT], body: bytes) -> MessageT | None:
    """Return a decoded message; log an invalid one, such as that of a node with another version, and return None."""
    try:
        return decoder.decode(body)
    except DECODE_ERRORS as error:
        log.warning("invalid message from another node ignored: %s", error)
        return None


@lru_cache(maxsize=4096)
def hash_key(key: str) -> str:
    """Return a hash of a canonical key for the name of a channel, which PostgreSQL limits to 63 bytes."""
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
