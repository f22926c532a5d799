"""chat-server with a wrong clock: its wall clock differs by the milliseconds in the environment variable CLOCK_OFFSET.

Accepts the flags of `chat-server`. The monotonic clock stays correct.
"""

import os
import time
from unittest.mock import patch

_OFFSET = int(os.environ["CLOCK_OFFSET"])

_read_seconds, _read_nanoseconds = time.time, time.time_ns

if __name__ == "__main__":
    with (
        patch("time.time", lambda: _read_seconds() + _OFFSET / 1000),
        patch("time.time_ns", lambda: _read_nanoseconds() + _OFFSET * 1_000_000),
    ):
        from server import cli  # modules may import the functions above

        cli.main()
