"""One server per database file: two would each hold half of every room's members.

The lock is on a file of its own beside the database. The kernel lets go of it
when the process ends, however it ends, so nothing has to be cleaned up.
"""

import os
from pathlib import Path

from server.storage.errors import StorageError

try:
    import fcntl
except ImportError:  # Windows has other locks; there two servers are not kept apart
    fcntl = None


class DatabaseLock:
    """Holds a database file for this server until `release`.

    Raises:
        StorageError: Another server holds it.
    """

    def __init__(self, path: Path) -> None:
        self._fd = -1
        try:
            self._fd = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return  # where no lock can be made no database can be written either, which opening it says better
        if fcntl is not None:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                raise StorageError("another chat-server is using it") from None

    def release(self) -> None:
        """Let the next one have it; releasing twice is releasing once."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
