"""A disk that is small, or that can be made so: for a server that runs out of space."""

import resource
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

ENDLESS = resource.RLIM_INFINITY


@contextmanager
def small_disk(folder: Path, size: int) -> Generator[Path]:
    """A file system of so many bytes, in memory; skips the test where none may be mounted."""
    place = folder / "small disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def limit_files(pid: int, size: int) -> None:
    """From now on no file of the process may grow beyond so many bytes (`ENDLESS`: any size)."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, ENDLESS))
