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
