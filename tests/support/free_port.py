"""Free TCP ports of the loopback interface."""

import socket


def find_free_port() -> int:
    """Return a port without a listener, for a program that needs a fixed port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
