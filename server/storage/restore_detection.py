"""Detection of a database file whose content was replaced, for example by a restored backup.

- Generation: the database and the marker file beside it hold the same random generation, which changes at each start
  and each orderly close. The marker also holds the inode number of the database.
- Start: a database whose generation or inode number the marker does not contain is not the one that this server wrote
  last. Every room then gets a new `log_id`, so that clients discard the entries of the replaced log.
- Crash safety: before the commit the marker holds the old and the new generation, afterwards the new one. The old
  generation of a replaced database is missing, so that a start after a crash before the commit assigns new log ids.
"""

import logging
import os
import secrets
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, func, literal, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from server.storage.errors import StorageError, describe_error
from server.storage.executor import Executor
from server.storage.tables import LOG_ID_CHARACTERS, rooms, settings

log = logging.getLogger("chat.storage")

GENERATION_KEY = "generation"
"""Key of the generation in the table of settings."""


def replace_generation(copy: sqlite3.Connection) -> None:
    """Write a new generation to a copy of a database, so that no marker file contains the generation of the copy.

    Args:
        copy: Connection to the copy, outside of a transaction.
    """
    generation = secrets.token_hex(16).encode()
    copy.execute("UPDATE settings SET value = ? WHERE key = ?", (generation, GENERATION_KEY))


def read_generation(connection: Connection) -> str:
    """Return the generation of a database, "" before its first start."""
    select_generation = select(settings.c.value).where(settings.c.key == GENERATION_KEY)
    stored: bytes | None = connection.execute(select_generation).scalar_one_or_none()
    return "" if stored is None else stored.decode()


class RestoreDetector:
    """Detector of a replaced database file, based on its generations.

    Args:
        path: Path of the database file; the marker file has the suffix `.generation`, beside the target of a link.
    """

    def __init__(self, path: Path, writer: Executor) -> None:
        resolved = path.resolve()
        self._path, self._marker = resolved, resolved.with_name(f"{resolved.name}.generation")
        self._writer = writer

    async def rotate(self) -> None:
        """Write a new generation to the database and the marker file.

        In a replaced database, or one whose marker file is missing or damaged, each room first receives a new `log_id`:
        the first 12 characters of the old one and a random suffix. A database without a generation keeps its log ids.

        Raises:
            OSError: The marker file is not writable.
            SQLAlchemyError, StorageError: The database is not writable.
        """
        self._write_marker(await self._writer.run(self._rotate))

    async def rotate_if_replaced(self) -> None:
        """Rotate the generation of a replaced database (`rotate`), and leave any other database unchanged.

        Raises:
            OSError, SQLAlchemyError, StorageError: As `rotate`.
        """
        if await self._writer.run(self._is_replaced):
            await self.rotate()

    async def close(self) -> None:
        """Replace the generation (`rotate`); a failure is only logged.

        After a failure, the next start does not detect a backup of this run in the same file.
        """
        try:
            await self.rotate()
        except (StorageError, SQLAlchemyError, OSError) as error:
            log.warning("write of the database generation failed: %s", describe_error(error))

    def _rotate(self, connection: Connection) -> str:
        """Store a new generation in the database, and return it; assign new log ids if replaced (`_is_replaced`)."""
        new = secrets.token_hex(16)
        if self._is_replaced(connection):
            unique_part = func.substr(rooms.c.log_id, 1, LOG_ID_CHARACTERS)
            connection.execute(update(rooms).values(log_id=unique_part + literal(secrets.token_urlsafe(9))))
            self._write_marker(new)
        else:
            self._write_marker(read_generation(connection), new)
        insert_generation = insert(settings).values(key=GENERATION_KEY, value=new.encode())
        connection.execute(insert_generation.on_conflict_do_update([settings.c.key], set_={"value": new.encode()}))
        return new

    def _is_replaced(self, connection: Connection) -> bool:
        """Return whether the marker file lacks the generation of the database with its current inode number.

        True without a marker file and for a copied database file; False for a database without a generation.
        """
        generation = read_generation(connection)
        return bool(generation) and self._format_line(generation) not in self._read_marker()

    def _format_line(self, generation: str) -> str:
        """Return the line of a generation in the marker file, with the inode number of the database."""
        return f"{generation} {self._path.stat().st_ino}"

    def _read_marker(self) -> list[str]:
        return self._marker.read_text(errors="replace").splitlines() if self._marker.exists() else []

    def _write_marker(self, *generations: str) -> None:
        """Replace the content of the marker file atomically; the content is on disk afterwards."""
        new_marker = self._marker.with_name(f"{self._marker.name}.new")
        with os.fdopen(os.open(new_marker, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("".join(f"{self._format_line(generation)}\n" for generation in generations))
            file.flush()
            os.fsync(file.fileno())
        new_marker.replace(self._marker)
