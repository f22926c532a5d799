"""Pipe without free space and without a reader, as of a stopped log collector."""

import os
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def full_pipe() -> Generator[int]:
    """Provide the write end of a full pipe, whose read end stays open unread."""
    read_end, write_end = os.pipe()
    try:
        os.set_blocking(write_end, False)
        try:
            while True:
                os.write(write_end, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(write_end, True)
        yield write_end
    finally:
        os.close(read_end)
        os.close(write_end)
