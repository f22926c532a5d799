"""Configuration of the complete test suite."""

import os
import sys

from hypothesis import HealthCheck, settings

# Many tests start the program as a subprocess, and without bytecode files each start would compile all modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Results must not depend on the speed of the machine.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_xdist_auto_num_workers() -> int:
    """Return the workers for `-n auto`: two per core, because tests wait about half of their time."""
    return 2 * (os.cpu_count() or 1)
