"""TCP connections whose unread data soon waits in the server, because the kernel stores little of it."""

import socket
from typing import Any

from aiohttp import TCPConnector

RECEIVE_BUFFER = 4_096
"""Receive buffer in bytes."""

SEGMENT_SIZE = 536
"""Maximum size of a TCP segment in bytes. Linux sizes the send buffer of the server by that of its segments."""


def create_slow_connector() -> TCPConnector:
    """Return a connector for a session with a client that does not read."""
    return TCPConnector(socket_factory=_create_socket)


def _create_socket(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol = address[:3]
    connection = socket.socket(family, kind, protocol)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_SIZE)
    return connection
