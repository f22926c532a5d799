"""Atomic replacement of a small file."""

import os
import tempfile
from pathlib import Path


def atomic_write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a temporary file in the same directory and rename it to `path`.

    An existing target is replaced, also if the target is a symbolic link.

    Args:
        path: Target file in an existing directory.
        content: Complete content.
        mode: Permissions of the new file.

    Raises:
        OSError: The write failed; the target is unchanged and the temporary file removed.
    """
    descriptor, temp_path = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temp_path).chmod(mode)
        Path(temp_path).replace(path)
    except OSError:
        Path(temp_path).unlink(missing_ok=True)
        raise
