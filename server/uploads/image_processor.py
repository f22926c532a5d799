"""Decoding and encoding of untrusted images in child processes (`server.uploads.image_worker`).

- Isolation: each process encodes one image, with limits of its own, an empty environment and low priority.
- Load: at most `MAX_PROCESSES` run at a time; above `MAX_WAITING` waiting images, further ones are rejected.
"""

import asyncio
import hashlib
import logging
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from server.uploads.image_worker import MAX_MEGAPIXELS, ImageResult
from server.uploads.media_types import IMAGE_TYPES
from server.uploads.spool_file import SpoolFile
from tui_chat.protocol import errors

MAX_PROCESSES = 2
"""Maximum number of processes at a time."""

MAX_WAITING = 20
"""Maximum number of images that wait for a process."""

TIMEOUT = 30.0
"""Maximum duration of a process in seconds."""

_RETRY_AFTER = 10.0  # seconds
_MAX_RESULT_BYTES = 64 * 1024  # also of warnings before the result

log = logging.getLogger("chat.uploads")


class ProcessedImage(NamedTuple):
    """New image in the target file, with its size in bytes and pixels.

    Attributes:
        size: Size of the image in bytes.
        width: Width in pixels.
        height: Height in pixels.
        preview: Smaller version as a WebP image; None for an image of at most `PREVIEW_PIXELS` per side.
        digest: SHA-256 of the image.
    """

    size: int
    width: int
    height: int
    preview: bytes | None
    digest: bytes


class ImageProcessor:
    """Pool of processes for images."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_PROCESSES)
        self._waiting = 0

    async def reencode(self, source: SpoolFile, media_type: str, target: SpoolFile) -> ProcessedImage:
        """Encode an image again without metadata.

        Args:
            source: Finished file with an image.
            media_type: Type of the image, a key of `IMAGE_TYPES`; the new image has the same type.
            target: Empty file for the new image, at its start after the call.

        Raises:
            BadRequest: The image is damaged, needs more time than permitted, or is too large after the encoding.
            TooLong: The image has too many pixels or frames, or needs more memory than permitted.
            Unavailable: `MAX_WAITING` images are waiting.
            OSError: The process cannot be started.
        """
        if self._waiting >= MAX_WAITING:
            raise errors.Unavailable("uploads_waiting", retry_after=_RETRY_AFTER)
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            result = await self._run(source, IMAGE_TYPES[media_type], target)
        finally:
            self._slots.release()
        if result.problem == "too_large":
            raise errors.TooLong("image_too_large", limit=MAX_MEGAPIXELS)
        if result.problem:
            raise errors.BadRequest("image_invalid")
        target.file.seek(result.size)
        preview: bytes = target.file.read(result.preview_size)
        target.file.truncate(result.size)
        target.file.seek(0)
        digest = (await asyncio.to_thread(hashlib.file_digest, target.file, "sha256")).digest()
        target.file.seek(0)
        return ProcessedImage(result.size, result.width, result.height, preview or None, digest)

    async def _run(self, source: SpoolFile, image_format: str, target: SpoolFile) -> ImageResult:
        """Run one process to its end, and return its result.

        A process without a result has the problem `invalid` and a log line; above `TIMEOUT`, it is killed first. A
        cancellation kills the process too.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "server.uploads.image_worker", image_format),
            stdin=source.file,
            stdout=target.file,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd=Path(sys.prefix).anchor,
        )
        try:
            async with asyncio.timeout(TIMEOUT):
                output = await _read_output(process)
        except TimeoutError:
            output = b""
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()  # wait() hangs on Python 3.11 while the pipe has unread output
        try:
            return msgspec.json.decode(output.strip().rpartition(b"\n")[2], type=ImageResult)
        except errors.DECODE_ERRORS:
            log.warning("image process ended with status %s and no result", process.returncode)
            return ImageResult("invalid")


async def _read_output(process: asyncio.subprocess.Process) -> bytes:
    """Return the standard error of a process after its end; empty as soon as it has `_MAX_RESULT_BYTES`."""
    assert process.stderr is not None
    try:
        await process.stderr.readexactly(_MAX_RESULT_BYTES)
    except asyncio.IncompleteReadError as error:
        await process.wait()
        return error.partial
    return b""
