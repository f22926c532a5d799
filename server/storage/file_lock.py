"""Exclusive use of a SQLite file by one server process.

Two servers on the same file would each announce only their own members. The lock is a separate file next to the
database; the kernel releases the lock at process exit, also after a crash.
"""

import os
from pathlib import Path

from server.storage.errors import StorageError

try:
    import fcntl
except ImportError:  # Windows has no flock; a second server is not detected there
    fcntl = None


class DatabaseLock:
    """Exclusive lock on a database file, held until `release`.

    The lock file is never deleted. If the lock file cannot be opened, or on Windows, the object holds no lock and
    raises nothing.

    Args:
        path: Path of the database file; the lock file has the suffix `.lock`.

    Raises:
        StorageError: Another server holds the lock.
    """

    def __init__(self, path: Path) -> None:
        self._fd = -1
        try:
            self._fd = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return  # the database itself is not writable either; opening the file reports the exact reason
        if fcntl is not None:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                raise StorageError("in use by another chat-server") from None

    def release(self) -> None:
        """Release the lock; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
