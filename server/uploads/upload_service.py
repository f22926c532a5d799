"""Reception, reading and removal of uploads.

- Order: an upload has a row in the database before its bytes are in the object store, so that the bytes of an
  interrupted upload are found and removed.
- Quotas: bytes of running uploads count, so that parallel uploads do not exceed a quota.
- Removal: a background task removes the bytes of unused uploads (`server.storage.upload_repository`).
"""

import asyncio
import logging
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import IO

from msgspec import Struct
from msgspec.structs import replace

from server.domain.uploads import URL_LIFETIME_MS, FilePath, SignedUrls, Upload, Uploader
from server.observability.supervision import Supervisor
from server.storage.job_permit import JobPermit
from server.storage.upload_repository import FoundUpload, UploadRepository
from server.uploads.image_processor import ImageProcessor
from server.uploads.media_types import IMAGE_TYPES, detect_type
from server.uploads.object_store import STORE_ERRORS, UploadStore
from server.uploads.spool_file import SpoolFile
from tui_chat.protocol import errors, responses
from tui_chat.protocol.sanitize import validate_file_name

MAX_PARALLEL = 3
"""Maximum number of running uploads per owner of a quota."""

CLEANUP_INTERVAL = 60.0
"""Seconds between two removals of unused uploads."""

_ID_BYTES = 16
_RETRY_AFTER = 5.0  # seconds
_QUOTA_RETRY_AFTER = 3600.0  # seconds

log = logging.getLogger("chat.uploads")


class UploadLimits(Struct, frozen=True, kw_only=True):
    """Limits of uploads in bytes; 0 for no limit.

    Attributes:
        file: Maximum size of a file; 0 rejects all files.
        daily: Maximum sum of the sizes of one owner within a day.
        total: Maximum sum of the sizes of all uploads.
        min_free: Free space of the file system that uploads leave.
    """

    file: int
    daily: int
    total: int
    min_free: int


class UploadService:
    """Uploads of a server; a background task removes unused ones until `close`.

    Attributes:
        limits: Limits of uploads.
    """

    def __init__(
        self,
        repository: UploadRepository,
        store: UploadStore,
        limits: UploadLimits,
        urls: SignedUrls,
        *,
        now: Callable[[], int],
        supervisor: Supervisor,
        permit: JobPermit,
    ) -> None:
        self._repository = repository
        self._store = store
        self.limits = limits
        self._urls = urls
        self._now = now
        self._permit = permit
        self._images = ImageProcessor()
        self._running = Counter[str]()  # uploads by owner of a quota
        self._running_bytes = Counter[str]()
        self._task = supervisor.supervise("upload cleanup", self._run_cleanup)

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        uploader: Uploader,
        name: str,
        *,
        size: int | None = None,
        max_bytes: int | None = None,
        types: frozenset[str] | None = None,
        is_pinned: bool = False,
    ) -> Upload:
        """Store a file and return its upload in the state `ready`.

        An image is encoded again in its format. Nothing of a rejected file is stored; after a failure of the storage or
        the database, the bytes may remain until the cleanup.

        Args:
            chunks: Content of the file; errors of the iterator propagate, of `OSError` only `ConnectionError`.
            uploader: Author and owner of the quota.
            name: File name; directories are removed.
            size: Upper bound of the size in bytes, which the quotas count during the upload; None if unknown, for the
                limit of the file.
            max_bytes: Limit of this file in bytes, including an encoded image; at most that of all files, the default.
            types: Accepted media types by content; None for all.
            is_pinned: Keep the upload without a message; the caller unpins it (`unpin`).

        Raises:
            BadRequest: The name or the file is invalid, the file is empty, or its type is not accepted.
            TooLong: The file, its name or its image is too large.
            Forbidden: The server accepts no files.
            RateLimited: The quota of the owner is used up, or too many uploads of the owner are running.
            Unavailable: The server has no space, its storage or database fails, or too many images are waiting.
        """
        name = validate_file_name(name)
        max_bytes = min(self.limits.file, self.limits.file if max_bytes is None else max_bytes)
        if not self.limits.file:
            raise errors.Forbidden("uploads_disabled")
        if size is not None and size > max_bytes:
            raise errors.TooLong("file_too_large", limit=max_bytes)
        with self._reserve(uploader, max_bytes if size is None else size):
            try:
                await self._require_space(uploader)
                with SpoolFile(self._store.directory) as spool:
                    async for chunk in chunks:
                        await spool.write(chunk)
                        if spool.size > max_bytes:
                            raise errors.TooLong("file_too_large", limit=max_bytes)
                    return await self._complete(spool, uploader, name, types, max_bytes=max_bytes, is_pinned=is_pinned)
            except STORE_ERRORS as error:
                if isinstance(error, ConnectionError):
                    raise  # of the client
                log.error("storage of an upload failed: %s", error)
                raise errors.Unavailable("uploads_unwritable", retry_after=_RETRY_AFTER) from error

    async def find(self, upload_ids: Collection[str]) -> dict[str, FoundUpload]:
        """Return uploads with readable bytes by id, and the rooms of their messages; other ids are ignored.

        Raises:
            Unavailable: The database failed.
        """
        return await self._repository.find(upload_ids)

    async def read(
        self, upload: Upload, *, is_preview: bool = False, byte_range: tuple[int, int] | None = None
    ) -> tuple[int, AsyncIterator[bytes]]:
        """Return the size of the whole file in bytes, and the content of the file or of `byte_range` in parts.

        The keyword arguments are those of `UploadStore.read`.

        Raises:
            NotFound: The bytes do not exist.
            Unavailable: The store is not readable. A later failure raises one of `STORE_ERRORS` in the iteration.
        """
        try:
            return await self._store.read(upload.id, is_preview=is_preview, byte_range=byte_range)
        except FileNotFoundError:
            log.error("the bytes of upload %s are missing", upload.id)
            raise errors.NotFound("upload_not_found") from None
        except STORE_ERRORS as error:
            log.error("read of an upload failed: %s", error)
            raise errors.Unavailable("uploads_unreadable", retry_after=_RETRY_AFTER) from error

    def sign(self, path: str) -> str:
        """Return the path of a file with a signature, readable without credentials for at least an hour.

        Raises:
            ValueError: The path is not that of a file.
        """
        return self._urls.sign(path, self._now())

    def sign_all(self, paths: Sequence[str | None]) -> responses.SignedAddresses:
        """Return the signed URLs of paths in the same order, None for None.

        Raises:
            ValueError: A path is not that of a file.
        """
        now = self._now()
        return responses.SignedAddresses(
            urls=[None if path is None else self._urls.sign(path, now) for path in paths],
            expires_at=now + URL_LIFETIME_MS,
        )

    def verify(self, file_path: FilePath, expires: str, signature: str) -> bool:
        """Return whether the signature of a URL is valid and has not expired."""
        return self._urls.verify(file_path, expires, signature, self._now())

    async def unpin(self, upload_id: str) -> None:
        """Remove the pin of an upload; the cleanup removes its bytes, unless a message refers to the upload.

        Raises:
            Unavailable: The database failed.
        """
        await self._repository.unpin(upload_id)

    async def remove_unused(self) -> None:
        """Remove the bytes of all uploads that are not in use, and the rows that no longer count for a quota.

        An upload whose bytes cannot be removed remains for the next call. One log line contains the number of these
        uploads and the first error.

        Raises:
            Unavailable: The database failed.
        """
        while await self._repository.expire_unused():
            pass
        last_id, failures = "", list[str]()
        while expired := await self._repository.list_expired(last_id):
            for upload in expired:
                try:
                    await self._store.delete(upload.id)
                except STORE_ERRORS as error:
                    failures.append(f"upload {upload.id}: {error}")
                else:
                    await self._repository.set_state(upload.id, "removed")
            last_id = expired[-1].id
        if failures:
            log.error("removal of %d uploads failed, first: %s", len(failures), failures[0])
        await self._repository.delete_removed()

    async def close(self) -> None:
        """Stop the background task, and wait for its end."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run_cleanup(self) -> None:
        """Call `remove_unused` at an interval while this server has the permit; never returns."""
        while True:
            await asyncio.sleep(CLEANUP_INTERVAL)
            await self._permit.wait()
            with suppress(errors.Unavailable):  # the next round repeats the removal
                await self.remove_unused()

    async def _complete(
        self,
        spool: SpoolFile,
        uploader: Uploader,
        name: str,
        types: frozenset[str] | None,
        *,
        max_bytes: int,
        is_pinned: bool,
    ) -> Upload:
        """Detect the type of a received file, encode an image again, and store the upload (`receive`)."""
        digest = await spool.finish()
        if not spool.size:
            raise errors.BadRequest("upload_empty")
        media_type = detect_type(spool.head)
        if types is not None and media_type not in types:
            raise errors.BadRequest("file_type_refused")
        upload = Upload(
            id=secrets.token_urlsafe(_ID_BYTES),
            state="pending",
            member_id=uploader.member_id,
            name=name,
            type=media_type,
            size=spool.size,
            digest=digest,
            is_pinned=is_pinned,
            created_at=self._now(),
        )
        if media_type not in IMAGE_TYPES:
            return await self._store_bytes(upload, uploader, spool.file, None)
        with SpoolFile(self._store.directory) as target:
            image = await self._images.reencode(spool, media_type, target)
            if image.size > max_bytes:
                raise errors.TooLong("file_too_large", limit=max_bytes)
            upload = replace(
                upload,
                size=image.size,
                width=image.width,
                height=image.height,
                has_preview=image.preview is not None,
                digest=image.digest,
            )
            return await self._store_bytes(upload, uploader, target.file, image.preview)

    async def _store_bytes(self, upload: Upload, uploader: Uploader, file: IO[bytes], preview: bytes | None) -> Upload:
        """Create the row of an upload, store its bytes, and return the upload in the state `ready`.

        The upload expires if its bytes cannot be stored; the error is raised. After a failure of the database, the
        upload may stay in the state `pending`, which the cleanup ends.
        """
        await self._repository.create(upload, uploader.quota_key)
        try:
            await self._store.write(upload.id, file, preview)
        except BaseException:
            with suppress(errors.Unavailable):  # the upload expires anyway
                await self._repository.set_state(upload.id, "expired")
            raise
        await self._repository.set_state(upload.id, "ready")
        return replace(upload, state="ready")

    @contextmanager
    def _reserve(self, uploader: Uploader, size: int) -> Generator[None]:
        """Count a running upload and its bytes within the context.

        Raises:
            RateLimited: `MAX_PARALLEL` uploads of the owner are running.
        """
        if self._running[uploader.quota_key] >= MAX_PARALLEL:
            raise errors.RateLimited("too_many_uploads", retry_after=_RETRY_AFTER)
        self._running[uploader.quota_key] += 1
        self._running_bytes[uploader.quota_key] += size
        try:
            yield
        finally:
            self._running[uploader.quota_key] -= 1
            self._running_bytes[uploader.quota_key] -= size
            if not self._running[uploader.quota_key]:
                del self._running[uploader.quota_key], self._running_bytes[uploader.quota_key]

    async def _require_space(self, uploader: Uploader) -> None:
        """Check the quotas and the free space, with the reserved bytes of all running uploads.

        A rejection is logged, except that of the daily quota. The free space is that of the directory of the uploads,
        or of temporary files for a store by URL.

        Raises:
            OSError: The directory does not exist.
            RateLimited: The daily quota of the owner is exceeded.
            Unavailable: The quota of the server is exceeded, too little space is free, or the database failed.
        """
        usage = await self._repository.read_usage(uploader.quota_key)
        if self.limits.daily and usage.daily + self._running_bytes[uploader.quota_key] > self.limits.daily:
            raise errors.RateLimited("upload_quota_exceeded", retry_after=_QUOTA_RETRY_AFTER)
        if self.limits.total and usage.total + self._running_bytes.total() > self.limits.total:
            log.error("uploads have reached the limit of %d bytes", self.limits.total)
            raise errors.Unavailable("uploads_full")
        directory = self._store.directory or Path(gettempdir())
        free = (await asyncio.to_thread(shutil.disk_usage, directory)).free
        if free - self._running_bytes.total() < self.limits.min_free:
            log.error("uploads are rejected: %d bytes are free in %s", free, directory)
            raise errors.Unavailable("uploads_full")


@asynccontextmanager
async def run_uploads(
    repository: UploadRepository,
    store: UploadStore,
    limits: UploadLimits,
    secret: bytes,
    *,
    now: Callable[[], int],
    supervisor: Supervisor,
    permit: JobPermit,
) -> AsyncGenerator[UploadService]:
    """Provide the uploads of a server; `secret` signs their URLs."""
    service = UploadService(
        repository, store, limits, SignedUrls(secret), now=now, supervisor=supervisor, permit=permit
    )
    try:
        yield service
    finally:
        await service.close()
