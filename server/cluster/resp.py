"""Redis serialization protocol, version 3 (redis.io/docs/latest/develop/reference/protocol-spec); performs no I/O."""

from dataclasses import dataclass
from typing import Any

_LINE_END = b"\r\n"
_BLOBS = frozenset(b"$!=")
_ARRAYS = frozenset(b"*>~")
_MAP = ord("%")


class _IncompleteValueError(Exception):
    """The buffer ends before the value."""


@dataclass(frozen=True, slots=True)
class RespValue:
    """Value of the server.

    Attributes:
        kind: First byte of the value, such as `>` for a message and `-` for an error.
        content: Bytes of a single value, or a list of the contents of its parts.
    """

    kind: bytes
    content: Any

    @property
    def error(self) -> str | None:
        """Text of an error, None for any other value."""
        return self.content.decode(errors="replace") if self.kind in (b"-", b"!") else None


class RespParser:
    """Incremental parser of the values of the server."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[RespValue]:
        """Return the values that are complete with further data.

        Raises:
            ValueError: The data is no value of the protocol.
        """
        data = self._rest + data
        values: list[RespValue] = []
        position = 0
        try:
            while position < len(data):
                content, end = _parse_content(data, position)
                values.append(RespValue(data[position : position + 1], content))
                position = end
        except _IncompleteValueError:
            pass
        self._rest = data[position:]
        return values


def encode_command(*parts: str | bytes) -> bytes:
    """Return the bytes of a command with its arguments."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in encoded)


def _parse_content(data: bytes, start: int) -> tuple[Any, int]:
    """Return the content of the value at an offset, and the offset of its end.

    Raises:
        _IncompleteValueError: The data ends before the value.
        ValueError: A length is no number.
    """
    line_end = data.find(_LINE_END, start)
    if line_end < 0:
        raise _IncompleteValueError
    kind, head, position = data[start], data[start + 1 : line_end], line_end + len(_LINE_END)
    if kind in _BLOBS:
        end = position + int(head)
        if len(data) < end + len(_LINE_END):
            raise _IncompleteValueError
        return data[position:end], end + len(_LINE_END)
    if kind in _ARRAYS or kind == _MAP:
        parts: list[Any] = []
        for _ in range(int(head) * (2 if kind == _MAP else 1)):
            part, position = _parse_content(data, position)
            parts.append(part)
        return parts, position
    return head, position
