"""Uploads of the files of outbox items in one room.

- Order: one file at a time, in send order.
- Later items: an upload delays them for at most `HEAD_START` seconds, so that a large file does not block a
  conversation.
- Retries: temporary errors and connection losses are retried without a time limit (`RoomFiles.deliver`). Any other
  error, and a file that changed or is unreadable, fails the item.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace as with_fields

from tui_chat.client.outbox_file import OutboxFile, file_error
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.client.room_context import RoomContext
from tui_chat.protocol.errors import ChatError, InternalError

HEAD_START = 3.0
"""Maximum delay of later items by an upload, in seconds."""


class DeliverFile(Protocol):
    """Function that uploads a file and returns the id of the upload, `RoomFiles.deliver`."""

    def __call__(self, file: OutboxFile, *, on_progress: Callable[[int], None]) -> Awaitable[str]: ...  # noqa: D102


class OutboxUploads:
    """Upload queue of one room.

    Args:
        deliver: Function that uploads a file.
        next_item: Returns the first pending item with a file to upload, None without one.
        on_changed: Called with the new state of an item, after progress and after each upload.
        on_failed: Called with the id of an item and the cause.
    """

    def __init__(
        self,
        context: RoomContext,
        deliver: DeliverFile,
        *,
        next_item: Callable[[], OutboxItem | None],
        on_changed: Callable[[OutboxItem], None],
        on_failed: Callable[[UUID, ChatError], Awaitable[None]],
    ) -> None:
        self._context = context
        self._deliver = deliver
        self._next_item = next_item
        self._on_changed = on_changed
        self._on_failed = on_failed
        self._queue_task: asyncio.Task[None] | None = None
        self._upload_task: asyncio.Task[None] | None = None
        self._current_id: UUID | None = None
        self._finished = asyncio.Event()  # set at the end of the uploads of one item, then replaced
        self._overtaken: set[UUID] = set()

    def start(self) -> None:
        """Upload the files of all pending items in the background; no effect while uploads run."""
        if (self._queue_task is None or self._queue_task.done()) and self._next_item() is not None:
            self._queue_task = self._context.client.tasks.supervise(self._upload_all, "uploads")

    def discard(self, client_id: UUID) -> None:
        """Forget an item that was sent or dropped, and cancel its running upload; the next upload follows."""
        self._overtaken.discard(client_id)
        if client_id == self._current_id and self._upload_task is not None:
            self._upload_task.cancel()

    def delays(self, item: OutboxItem) -> bool:
        """Return whether later items wait for the uploads of an item."""
        return item.needs_upload and item.client_id not in self._overtaken

    def is_overtaken(self, item: OutboxItem) -> bool:
        """Return whether an item waits for its uploads, while later items are sent."""
        return item.needs_upload and item.client_id in self._overtaken

    async def wait(self, item: OutboxItem) -> None:
        """Wait until the uploads of the current item end; after `HEAD_START` seconds, let later items overtake `item`.

        The current item may be an earlier one that was overtaken.
        """
        self.start()
        finished = self._finished
        with suppress(TimeoutError):
            async with asyncio.timeout(HEAD_START):
                await finished.wait()
                return
        self._overtaken.add(item.client_id)

    async def _upload_all(self) -> None:
        """Upload the files of one item after the other until none remains, the room closes or the token is rejected."""
        while (item := self._next_item()) is not None and not self._context.gate.has_error:
            self._current_id = item.client_id
            task = self._upload_task = self._context.client.tasks.start(self._upload(item), "upload")
            try:
                await asyncio.wait({task})
            finally:
                self._current_id = None
                self._finished.set()
                self._finished = asyncio.Event()

    async def _upload(self, item: OutboxItem) -> None:
        """Upload the files of an item in order, and call `on_changed` after each one; `on_failed` at the first error.

        After a `ChatError` in a closed room or with a rejected token, neither is called.
        """
        files = list(item.files)
        for index, file in enumerate(files):
            try:
                upload_id = await self._deliver(file, on_progress=self._progress_receiver(item, tuple(files), file))
            except OSError as error:
                await self._on_failed(item.client_id, file_error(file.path, error))
                return
            except ChatError as error:
                if not self._context.gate.has_error:  # otherwise, the item waits for the next join
                    await self._on_failed(item.client_id, error)
                return
            except Exception as error:  # otherwise, the item would be uploaded again without a pause
                self._context.client.tasks.report("upload", error)
                await self._on_failed(item.client_id, InternalError("client_error"))
                return
            files[index] = with_fields(file, upload_id=upload_id)
            self._on_changed(replace(item, files=tuple(files), uploaded=0))

    def _progress_receiver(
        self, item: OutboxItem, files: tuple[OutboxFile, ...], file: OutboxFile
    ) -> Callable[[int], None]:
        """Return a receiver of uploaded bytes that calls `on_changed` for each percentage, until the uploads end."""
        last_percent = 0

        def report(uploaded: int) -> None:
            nonlocal last_percent
            percent = 100 * uploaded // max(file.size, 1)
            if percent != last_percent and self._current_id == item.client_id:
                last_percent = percent
                self._on_changed(replace(item, files=files, uploaded=uploaded))

        return report
