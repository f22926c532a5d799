"""Which running program a row of the outbox belongs to.

Rule 1  Each program has an id of its own that is never used again, and holds an OS
        lock on the file of that name for as long as it lives. The kernel lets the
        lock go when the program ends, however it ends.
Rule 2  An owner whose lock can be had, or whose file is gone, is dead.
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
    """This program's own mark among the owners.

    Args:
        folder: Where the lock files are; made if it is not there.
        name: An id that nobody had before.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self._directory = directory
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock; again does nothing.

        Raises:
            OSError: It cannot be had.
        """
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
        """Whether another owner lives no more."""
        try:
            fd = os.open(self._path(name), os.O_RDWR)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            _lock_file(fd)
        except OSError:
            return False
        finally:
            os.close(fd)
        return True

    def remove_stale(self, name: str) -> None:
        """Take away the file of a dead owner that has nothing left."""
        with suppress(OSError):
            self._path(name).unlink()

    def release(self) -> None:
        """Give the lock up: what is left is for the next program."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self.remove_stale(self.name)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.lock"


def _lock_file(fd: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
