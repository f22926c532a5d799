"""Finished WebSocket frames: an event is encoded once, however many read it."""


class Frame:
    """One Engine.IO packet, ready for both transports.

    Attributes:
        payload: The packet as UTF-8, as a polling client reads it.
        wire: The same as an unmasked, unfragmented text frame (RFC 6455, section 5.2).

    Args:
        payload: The packet.
        wire: What a WebSocket gets in place of that text frame.
    """

    __slots__ = ("payload", "wire")

    def __init__(self, payload: bytes, wire: bytes | None = None) -> None:
        self.payload = payload
        self.wire = _header(len(payload)) + payload if wire is None else wire


def _header(length: int) -> bytes:
    if length < 126:
        return bytes((0x81, length))
    if length < 0x10000:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
