"""Temporary files in memory, so that tests and measurements do not wait for the writes of a disk."""

import os
import shutil
import tempfile

MIN_FREE_MEMORY = 2**30
"""Free bytes of a file system in memory that stores the temporary files of a process."""


def find_memory_directory() -> str | None:
    """Return the directory of the file system in memory, or None if it is missing, read-only or too small."""
    directory = "/dev/shm"
    if os.access(directory, os.W_OK) and shutil.disk_usage(directory).free >= MIN_FREE_MEMORY:
        return directory
    return None


def store_temporary_files_in_memory() -> None:
    """Store the temporary files of this process and its children in memory, unless `TMPDIR` selects a directory.

    Without a file system in memory, the default directory remains.
    """
    directory = find_memory_directory()
    if "TMPDIR" not in os.environ and directory is not None:
        os.environ["TMPDIR"] = tempfile.tempdir = directory
