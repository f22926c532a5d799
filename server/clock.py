"""Wall clock of the server."""

import time


def read_wall_clock() -> int:
    """Return the Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
