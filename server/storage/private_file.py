"""Files that appear complete or not at all, readable by their owner only."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from server.storage.errors import StorageError, describe_error


@contextmanager
def create_private_file(path: Path, *, overwrite: bool) -> Generator[Path]:
    """Create a file with mode 0600 within the context, and give it its name at the end of the context.

    Until then, the file is in a temporary directory beside `path`. After an exception, nothing remains. The content is
    on disk before the file receives its name.

    Args:
        path: Path of the new file; the target of a link is replaced.
        overwrite: Replace an existing regular file.

    Yields:
        The path of the temporary file, which is empty.

    Raises:
        StorageError: The path is unusable, or the content cannot be written; for `OSError` and `sqlite3.Error` within
            the context as well. The message is one line with the path.
    """
    try:
        resolved = path.resolve()
        _check_target(resolved, overwrite)
        with TemporaryDirectory(prefix=".chat-server-", dir=resolved.parent, ignore_cleanup_errors=True) as directory:
            temporary = Path(directory) / resolved.name
            temporary.touch(0o600)
            yield temporary
            with temporary.open("r+b") as file:  # Windows flushes only files that are open for writing
                os.fsync(file.fileno())
            _check_target(resolved, overwrite)
            temporary.replace(resolved)
    except (StorageError, OSError, sqlite3.Error) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else describe_error(error)
        raise StorageError(f"cannot write {path}: {reason}") from error


def _check_target(path: Path, overwrite: bool) -> None:
    """Raise `StorageError` unless a path is free in an existing directory, or with `overwrite` a regular file."""
    if not path.parent.is_dir():
        raise StorageError(f"{path.parent} is not a directory")
    if path.is_dir():
        raise StorageError("path is a directory; add a file name")
    if path.exists() and not path.is_file():
        raise StorageError("path is not a regular file")
    if path.exists() and not overwrite:
        raise StorageError("the file exists; replace it with --force")
