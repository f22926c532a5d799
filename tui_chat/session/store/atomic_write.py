"""Atomic replacement of a small file."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def atomic_write(path: Path, content: bytes, mode: int = 0o600, *, is_durable: bool = True) -> None:
    """Write a temporary file with these permissions in the same directory, and rename the file to `path`.

    An existing target is replaced, even if the target is a symbolic link. If durable, the content and the name are on
    disk at the return, so that a power failure does not revert the write.

    Raises:
        OSError: The write failed; the target is unchanged and the temporary file removed.
    """
    descriptor, temp_path = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        Path(temp_path).chmod(mode)
        Path(temp_path).replace(path)
    except OSError:
        Path(temp_path).unlink(missing_ok=True)
        raise
    if is_durable:
        _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Write the names in a directory to the disk; without effect where the system cannot do this."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
