"""A small database file of one user, worked on in a thread of its own.

Rule 1  Everything asked of it is done in the order it was asked, in one thread: the
        event loop never waits for a disk.
Rule 2  The file is only its owner's to read (0600), whatever the umask says.
Rule 3  A file that is damaged, or is no file of this program, is renamed to
        `<name>.damaged-<time>`, never overwritten, and a new one takes its place.
Rule 4  A file of a newer version is left alone, and nothing is kept.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

log = logging.getLogger("chat.client")

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long one program waits for another that writes the same file."""
BUSY_STEP = 0.02

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BESIDE = ("-wal", "-shm", "-journal")


class StorageFault(Exception):
    """The file cannot be used now.

    Attributes:
        reason: One sentence for a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Damaged(Exception):
    """What is in the file cannot be right."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file holds.

    Attributes:
        application: The number by which such a file is known (SQLite's `application_id`).
        version: Of the tables.
        tables: The statements that make them.
        durable: What was written survives a power cut, not only the end of the program.
    """

    application: int
    version: int
    tables: str
    durable: bool


class SqliteFile:
    """One file; it is opened when it is first needed.

    Args:
        path: Where it is; the folder is made if it is not there.
        layout: What it holds.
        on_damaged: Told the name under which a damaged file was set aside.
        now: Seconds since the epoch.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        on_damaged: Callable[[Path], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._layout = layout
        self._on_damaged = on_damaged
        self._now = now
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._thread = ThreadPoolExecutor(1, f"chat {path.name}")
        self._closed = False

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do some work in the thread.

        Args:
            work: Gets the connection, which is in no transaction (see `transaction`).

        Raises:
            StorageFault: It could not be done; nothing of it is in the file.
        """
        if self._closed:
            raise StorageFault("the file is closed")
        loop = asyncio.get_running_loop()
        result, aside = await loop.run_in_executor(self._thread, self._do, work)
        if aside is not None:
            log.warning("%s was damaged and set aside", self.path.name)
            self._on_damaged(aside)
        if isinstance(result, StorageFault):
            raise result
        return result

    async def close(self) -> None:
        """Finish what was asked, and let the file go."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
            self._thread.shutdown(wait=False)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> tuple[T | StorageFault, Path | None]:
        aside: Path | None = None
        was_damaged = False
        while True:
            try:
                if self._connection is None:
                    self._connection = self._open()
                return work(self._connection), aside
            except StorageFault as fault:
                return fault, aside
            except (sqlite3.Error, Damaged, OSError) as fault:
                if was_damaged or not (isinstance(fault, Damaged) or _code(fault) in _DAMAGED):
                    return StorageFault(_reason(fault)), aside
                was_damaged = True
            try:
                aside = self._set_aside()
            except OSError as fault:
                return StorageFault(f"the file is damaged and cannot be set aside ({_reason(fault)})"), None

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._inode = os.fstat(file).st_ino
        os.close(file)
        if os.name == "posix":
            self.path.chmod(0o600)
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        deadline = time.monotonic() + BUSY_SECONDS
        try:
            while True:
                try:
                    self._prepare(connection)
                    return connection
                except sqlite3.OperationalError as fault:
                    # SQLite does not wait for another that changes to WAL at the same moment.
                    if _code(fault) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(BUSY_STEP)
        except BaseException:
            connection.close()
            raise

    def _prepare(self, connection: sqlite3.Connection) -> None:
        layout = self._layout
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute(f"PRAGMA synchronous = {'FULL' if layout.durable else 'NORMAL'}")
        with transaction(connection):
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if application == layout.application and version > layout.version:
                raise StorageFault(f"{self.path.name} was made by a newer version")
            if not tables:
                for statement in layout.tables.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {layout.application}")
                connection.execute(f"PRAGMA user_version = {layout.version}")
            elif application != layout.application or version != layout.version:
                raise Damaged("this is no file of this program")

    def _set_aside(self) -> Path | None:
        """Rename the file that was opened; None when another program has done so already."""
        self._let_go()
        if self.path.stat().st_ino != self._inode:
            return None
        aside = self.path.with_name(f"{self.path.name}.damaged-{int(self._now())}")
        self.path.replace(aside)
        for ending in _BESIDE:
            with suppress(OSError):
                Path(f"{self.path}{ending}").replace(f"{aside}{ending}")
        return aside

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """All of it or nothing, with nobody else writing meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Generator[None]:
    """Several reads that see one state, whoever writes meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _code(fault: BaseException) -> int:
    """SQLite's primary result code, 0 for an error that is not SQLite's."""
    return getattr(fault, "sqlite_errorcode", 0) & 0xFF


def _reason(fault: BaseException) -> str:
    if isinstance(fault, OSError):
        return fault.strerror or "the file cannot be used"
    return str(fault)
