"""Free TCP ports of the loopback interface."""

import socket
from collections.abc import Generator
from contextlib import contextmanager


def find_free_port() -> int:
    """Return a port without a listener, for a program that needs a fixed port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def reserved_port() -> Generator[int]:
    """Reserve a port for the servers of this block, which have it one after another.

    A bound socket that does not listen keeps the port from other programs. It admits servers with `SO_REUSEADDR`.
    """
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind(("127.0.0.1", 0))
        yield int(reservation.getsockname()[1])
