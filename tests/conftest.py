"""What holds for the whole suite."""

import os
import sys

# Two hundred tests start the program: each would compile all of it, where that is asked for.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers() -> int:
    """How many processes `-n auto` takes: two a core, since half of a test's time is waiting for others."""
    return 2 * (os.cpu_count() or 1)
