"""Temporary file of an upload in progress.

- Memory: at most `WRITE_BYTES` and one chunk of an upload are in memory, besides its first `SNIFF_BYTES`.
- Event loop: a thread writes and hashes the bytes.
- Crashes: the file has no name, so that nothing remains after a crash.
"""

import asyncio
import hashlib
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from server.uploads.media_types import SNIFF_BYTES

WRITE_BYTES = 256 * 1024
"""Minimum number of bytes per write, except for the last one."""


class SpoolFile:
    """Temporary file, deleted at the end of the context.

    Args:
        directory: Directory of the file; None for the directory of temporary files.

    Attributes:
        file: Open file; its position is undefined until `finish`.
        size: Number of written bytes, including buffered ones.
        head: First `SNIFF_BYTES` of the file. Empty until `WRITE_BYTES` are written or the file is finished.

    Raises:
        OSError: The file cannot be created.
    """

    def __init__(self, directory: Path | None) -> None:
        self.file: Any = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 (closed by the context)
        self.size = 0
        self.head = b""
        self._hash = hashlib.sha256()
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.file.close()

    async def write(self, chunk: bytes) -> None:
        """Append bytes to a buffer, which is written to the file as soon as it has `WRITE_BYTES`.

        Raises:
            OSError: The file system is full or not writable.
        """
        self._buffer += chunk
        self.size += len(chunk)
        if len(self._buffer) >= WRITE_BYTES:
            await self._flush()

    async def finish(self) -> bytes:
        """Write the buffered bytes, move to the start of the file, and return the SHA-256 of all bytes.

        Raises:
            OSError: The file system is full or not writable.
        """
        await self._flush()
        self.file.flush()
        self.file.seek(0)
        return self._hash.digest()

    async def _flush(self) -> None:
        """Write the buffered bytes in a thread, and record the head of the first block."""
        block, self._buffer = bytes(self._buffer), bytearray()
        self.head = self.head or block[:SNIFF_BYTES]
        await asyncio.to_thread(self._write_block, block)

    def _write_block(self, block: bytes) -> None:
        self.file.write(block)
        self._hash.update(block)
