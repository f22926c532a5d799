"""Replacing a small file whole, so that a crash leaves the old or the new one."""

import os
import tempfile
from pathlib import Path


def replace_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file beside the old one, then let it take its place.

    Args:
        path: The file, in a folder that is there.
        content: All of it.
        mode: Its permissions.

    Raises:
        OSError: It could not be written; the old one stands, and nothing is left beside it.
    """
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).chmod(mode)
        Path(beside).replace(path)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise
