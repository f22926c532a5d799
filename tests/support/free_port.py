"""Free TCP ports of the loopback interface."""

import socket
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Generator[int]:
    """Reserve a free port for the servers of this block, which listen on the port one after another.

    A bound socket without a listener keeps other programs from the port, and admits servers with `SO_REUSEADDR`.
    """
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind(("127.0.0.1", 0))
        yield int(reservation.getsockname()[1])
