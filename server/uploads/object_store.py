"""Bytes of uploads in an object store: a local directory, or a store by URL such as `s3://bucket/prefix`.

- Objects: `<upload id>/file`, and `<upload id>/preview` for images with a preview.
- Atomic: an object appears complete or not at all.
- Credentials: a store by URL reads its credentials from the usual environment variables, never from the URL.
"""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import IO

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

READ_CHUNK_BYTES = 256 * 1024
"""Minimum size of the parts of a read object, except the last one."""

_PART_BYTES = 5 * 1024 * 1024  # minimum size of a part in S3
_MAX_RETRIES = 3  # of a request to a store by URL
_RETRY_SECONDS = 10.0  # time after the start of a request within which it is repeated
_MAX_PARTS_IN_FLIGHT = 2  # bounds the memory of a write

STORE_ERRORS: tuple[type[Exception], ...] = (BaseError, OSError)
"""Exceptions of all operations."""


class UploadStore:
    """Object store of a server.

    Args:
        location: Path of a directory, created with mode 0700, or URL of a store.

    Attributes:
        directory: Local directory, None for a store by URL.

    Raises:
        ValueError: The URL is invalid.
        OSError: The directory cannot be created.
    """

    def __init__(self, location: str) -> None:
        self.directory = None if "://" in location else Path(location)
        if self.directory is not None:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store = LocalStore(self.directory, automatic_cleanup=True)
            return
        try:
            self._store = from_url(
                location, retry_config={"max_retries": _MAX_RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)}
            )
        except (BaseError, ValueError) as error:
            raise ValueError(str(error).splitlines()[0]) from None

    async def write(self, upload_id: str, content: IO[bytes], preview: bytes | None) -> None:
        """Store the preview, if any, and then a file from its current position.

        Raises:
            BaseError, OSError: The store or the file fails; the preview may be stored.
        """
        if preview is not None:
            await obstore.put_async(self._store, f"{upload_id}/preview", preview)
        await obstore.put_async(
            self._store,
            f"{upload_id}/file",
            content,
            chunk_size=_PART_BYTES,
            max_concurrency=_MAX_PARTS_IN_FLIGHT,
        )

    async def read(
        self, upload_id: str, *, is_preview: bool = False, byte_range: tuple[int, int] | None = None
    ) -> tuple[int, AsyncIterator[bytes]]:
        """Return the size of the whole object in bytes, and the content of the object or of `byte_range` in parts.

        Args:
            upload_id: Identifier of the upload.
            is_preview: Read the preview.
            byte_range: First byte and end of the part to read, within the object; None for the whole object.

        Raises:
            FileNotFoundError: The object does not exist.
            BaseError, OSError: The store is not readable; the iteration of the content raises these errors too.
        """
        path = f"{upload_id}/{'preview' if is_preview else 'file'}"
        found = await obstore.get_async(self._store, path, options={"range": byte_range} if byte_range else None)
        return found.meta["size"], found.stream(READ_CHUNK_BYTES).__aiter__()

    async def delete(self, upload_id: str) -> None:
        """Delete the objects of an upload; absent ones are ignored.

        In a local directory, the parts of interrupted writes are deleted as well; errors of this step are ignored.

        Raises:
            BaseError, OSError: The store is not writable.
        """
        for name in ("file", "preview"):
            try:
                await obstore.delete_async(self._store, f"{upload_id}/{name}")
            except FileNotFoundError:
                continue
        if self.directory is not None:
            shutil.rmtree(self.directory / upload_id, ignore_errors=True)
