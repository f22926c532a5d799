"""Replacing a small file whole, so that a crash leaves the old or the new one."""

import os
import tempfile
from pathlib import Path


def atomic_write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file beside the old one, then let it take its place.

    Args:
        path: The file, in a folder that is there.
        content: All of it.
        mode: Its permissions.

    Raises:
        OSError: It could not be written; the old one stands, and nothing is left beside it.
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
