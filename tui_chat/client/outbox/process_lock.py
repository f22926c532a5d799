"""Ownership of outbox rows by running processes.

- Identity: each process has a unique id and locks a file of that name. The kernel releases the
  lock at the end of the process, including crashes.
- Stale owner: an owner is stale if its lock file is missing or can be locked.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class ProcessLock:
    """Lock file of this process.

    Args:
        directory: Directory of the lock files; created on demand.

    Attributes:
        name: Unique id of this process.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self._directory = directory
        self._fd: int | None = None

    def acquire(self) -> None:
        """Acquire the lock; no effect if held. Raises `OSError` if the file cannot be created or locked."""
        if self._fd is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._path(self.name), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock_file(fd)
            except BaseException:
                os.close(fd)
                raise
            self._fd = fd

    def is_stale(self, name: str) -> bool:
        """Return whether the process with this id has ended; never raises.

        True for a missing lock file, False for an unreadable one. The file remains.
        """
        try:
            fd = os.open(self._path(name), os.O_RDWR)
        except OSError as error:
            return isinstance(error, FileNotFoundError)
        try:
            _lock_file(fd)
        except OSError:
            return False
        finally:
            os.close(fd)
        return True

    def remove_stale(self, name: str) -> None:
        """Delete the lock file of an ended process; ignore errors."""
        with suppress(OSError):
            self._path(name).unlink()

    def release(self) -> None:
        """Release the lock and delete the lock file; no effect if not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self.remove_stale(self.name)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.lock"


def _lock_file(fd: int) -> None:
    """Lock an open file without waiting; raise `OSError` if the lock is held."""
    if sys.platform == "win32":
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
