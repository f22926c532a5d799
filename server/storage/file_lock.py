"""Exclusive use of a SQLite file by one server process.

Two servers on the same file would each announce only their own members. The lock is a separate file next to the
database; the kernel releases the lock at process exit, also after a crash.
"""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from server.storage.errors import StorageError

try:
    import fcntl
except ImportError:  # Windows has no flock; a second server is not detected there
    fcntl = None


@contextmanager
def lock_database(path: Path) -> Generator[None]:
    """Hold an exclusive lock on a database file within the context.

    The lock file is never deleted. Without access to the lock file or without support by the system, the context holds
    no lock.

    Args:
        path: Path of the database file; the lock file has the suffix `.lock`.

    Raises:
        StorageError: Another server holds the lock.
    """
    with ExitStack() as stack:
        with suppress(OSError):  # the database itself is not writable either; opening the file reports the exact reason
            fd = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, fd)
            try:
                if fcntl is not None:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StorageError("in use by another chat-server") from None
        yield
