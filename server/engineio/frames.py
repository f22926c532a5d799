"""Encoded frames, shared by all recipients of an event."""


class Frame:
    """Encoded Engine.IO packet for polling and WebSocket.

    Args:
        polling_bytes: The packet as UTF-8.
        ws_bytes: WebSocket frame to send instead of a text frame with the packet.

    Attributes:
        polling_bytes: The packet in a polling payload.
        ws_bytes: Unmasked, unfragmented WebSocket frame (RFC 6455, section 5.2).
    """

    __slots__ = ("polling_bytes", "ws_bytes")

    def __init__(self, polling_bytes: bytes, ws_bytes: bytes | None = None) -> None:
        self.polling_bytes = polling_bytes
        self.ws_bytes = _encode_ws_header(len(polling_bytes)) + polling_bytes if ws_bytes is None else ws_bytes


def _encode_ws_header(length: int) -> bytes:
    if length < 126:
        return bytes((0x81, length))
    if length < 0x10000:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
