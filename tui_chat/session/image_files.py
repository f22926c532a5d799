"""Files of images, from memory, the local cache or the server.

- Memory: at most `MEMORY_BYTES` of files.
- Cache directory: at most `CACHE_BYTES`, files of mode 0600. The least recently used are removed first. A file name is
  a hash of server and path.
- A deleted image is removed from both (`forget`). A load that any deletion overlaps is not stored.
"""

import asyncio
import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tui_chat.session.file_captions import MAX_IMAGE_BYTES
from tui_chat.session.store.atomic_write import atomic_write

MEMORY_BYTES = 16 * 2**20
"""Maximum size of the files in memory."""

CACHE_BYTES = 64 * 2**20
"""Maximum size of the files in the cache directory."""

log = logging.getLogger("chat.session")


class ImageFiles:
    """Files of the images of one server.

    Args:
        fetch: Returns a file of the server by path and maximum size, and raises as `RoomFiles.read`.
        cache_dir: Directory of all caches, None for a cache in memory only.

    Attributes:
        on_deleted: Called with the paths of deleted images.
    """

    def __init__(self, url: str, fetch: Callable[[str, int], Awaitable[bytes]], cache_dir: Path | None) -> None:
        self._url = url
        self._fetch = fetch
        self._directory = cache_dir / "images" if cache_dir is not None else None
        self._memory: OrderedDict[str, bytes] = OrderedDict()  # by path, least recently used first
        self._memory_bytes = 0
        self._deletion_count = 0
        self.on_deleted: Callable[[list[str]], object] = lambda paths: None

    async def read(self, path: str) -> bytes:
        """Return a file from memory, the cache directory or the server, and store the file in both caches.

        Raises as `fetch`. A file of the server has at most `MAX_IMAGE_BYTES`. Simultaneous calls for one path request
        the file several times. An error of the cache directory is not raised.
        """
        if path in self._memory:
            self._memory.move_to_end(path)
            return self._memory[path]
        deletion_count = self._deletion_count
        content = await asyncio.to_thread(self._load, path)
        if content is None:
            content = await self._fetch(path, MAX_IMAGE_BYTES)
            await asyncio.to_thread(self._save, path, content)
        if deletion_count != self._deletion_count:
            self._remove(path)
            return content
        if path not in self._memory:
            self._memory[path] = content
            self._memory_bytes += len(content)
        while self._memory_bytes > MEMORY_BYTES:
            self._memory_bytes -= len(self._memory.popitem(last=False)[1])
        return content

    def forget(self, paths: list[str]) -> None:
        """Call `on_deleted`, and remove the files of deleted images from memory and the cache directory, if present."""
        self._deletion_count += 1
        self.on_deleted(paths)
        for path in paths:
            self._remove(path)

    def _remove(self, path: str) -> None:
        self._memory_bytes -= len(self._memory.pop(path, b""))
        if self._directory is not None:
            with suppress(OSError):
                self._cache_file(self._directory, path).unlink(missing_ok=True)

    def _load(self, path: str) -> bytes | None:
        """Return a file of the cache directory and mark the file as used, None without a readable one."""
        if self._directory is None:
            return None
        file = self._cache_file(self._directory, path)
        try:
            content = file.read_bytes()
            os.utime(file)
        except OSError:
            return None
        return content

    def _save(self, path: str, content: bytes) -> None:
        """Write a file to the cache directory, remove the least recently used ones above `CACHE_BYTES`, log errors."""
        if self._directory is None:
            return
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic_write(self._cache_file(self._directory, path), content, is_durable=False)
            _remove_oldest(self._directory)
        except OSError as error:
            log.info("image not cached: %s", error.strerror)

    def _cache_file(self, directory: Path, path: str) -> Path:
        return directory / hashlib.sha256(f"{self._url}\n{path}".encode()).hexdigest()


def _remove_oldest(directory: Path) -> None:
    """Remove the least recently used files, until at most `CACHE_BYTES` remain."""
    files: list[tuple[float, int, Path]] = []
    for file in directory.iterdir():
        with suppress(FileNotFoundError):  # removed by another process
            status = file.stat()
            files.append((status.st_mtime, status.st_size, file))
    surplus = sum(size for _, size, _ in files) - CACHE_BYTES
    for _, size, file in sorted(files):
        if surplus <= 0:
            break
        file.unlink(missing_ok=True)
        surplus -= size
