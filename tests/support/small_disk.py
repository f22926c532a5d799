"""A disk that is small, or that can be made so: for a server that runs out of space."""

import resource
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

UNLIMITED = resource.RLIM_INFINITY


@contextmanager
def small_disk(directory: Path, size: int) -> Generator[Path]:
    """A file system of so many bytes, in memory; skips the test where none may be mounted."""
    mount_point = directory / "small disk"
    mount_point.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount_point)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        yield mount_point
    finally:
        subprocess.run(["umount", "--lazy", str(mount_point)], check=True)


def limit_file_size(pid: int, size: int) -> None:
    """From now on no file of the process may grow beyond so many bytes (`ENDLESS`: any size)."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))
