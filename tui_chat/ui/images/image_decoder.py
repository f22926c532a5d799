"""Decoding of untrusted images in a child process (`tui_chat.ui.images.image_worker`).

- Isolation: the child has limits of its own and an empty environment. The parent reads one status byte and a number of
  pixels that the request determines.
- Lifetime: the first image starts the child. A child that fails, needs more than `TIMEOUT`, or decodes a cancelled
  request is killed, and the next image starts another one. A rejected file does not end the child. After
  `MAX_IMAGES_PER_CHILD` images, the next image replaces the child.
- Order: one image at a time.
"""

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from tui_chat.ui.images.image_worker import DecodeRequest

TIMEOUT = 30.0
"""Maximum duration of a request in seconds."""

MAX_IMAGES_PER_CHILD = 200
"""Number of images after which the child is replaced."""

log = logging.getLogger("chat.ui")


class ImageRejected(Exception):
    """Rejection of a file: no image, an unsupported format, too many pixels, or a failure of the child."""


class ImageDecoder:
    """Decodes images in one child process; the owner calls `close`."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._image_count = 0

    @property
    def child_pid(self) -> int | None:
        """Process id of the child, None without one."""
        return self._child.pid if self._child is not None else None

    async def decode(self, content: bytes, request: DecodeRequest) -> bytes:
        """Return the pixels of an image file, `request.result_bytes` bytes.

        Raises:
            ImageRejected: The child rejected the file, failed, or needed more than `TIMEOUT`.
        """
        async with self._lock:
            if self._image_count >= MAX_IMAGES_PER_CHILD:
                await self.close()
            try:
                async with asyncio.timeout(TIMEOUT):
                    pixels = await self._request(content, request)
            except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
                log.warning("image not decoded: child process failed (%s)", type(error).__name__)
                await self.close()
                raise ImageRejected from None
            except asyncio.CancelledError:  # the response of the child would belong to the next request
                await self.close()
                raise
        if pixels is None:
            raise ImageRejected
        return pixels

    async def _request(self, content: bytes, request: DecodeRequest) -> bytes | None:
        """Send a request to the child, started if necessary, and return the pixels, None for a rejected file.

        After an error, the child is unusable.

        Raises:
            OSError: The child does not start, or its pipe is closed.
            IncompleteReadError: The child ended before the complete response.
        """
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-m", "tui_chat.ui.images.image_worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
                cwd=Path(sys.prefix).anchor,
                start_new_session=True,
            )
            self._image_count = 0
        self._image_count += 1
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(msgspec.json.encode(request) + b"\n" + content)
        await self._child.stdin.drain()
        is_success = await self._child.stdout.readexactly(1) == b"\1"
        return await self._child.stdout.readexactly(request.result_bytes) if is_success else None

    async def close(self) -> None:
        """Kill the child and wait for its end. No effect without a child.

        No other task may be in `decode`. A later `decode` starts another child.
        """
        if self._child is not None:
            child, self._child = self._child, None
            with suppress(ProcessLookupError):
                child.kill()
            await child.communicate()  # wait() hangs on Python 3.11 while the pipe has unread output
