"""Files of one room: uploads for messages and downloads (docs/protocol.md, "Attachments").

- Memory: files are streamed in both directions.
- Retries: `upload` makes one attempt. `deliver` repeats the upload after temporary errors and connection losses.
- Downloads: a file appears complete or not at all, and replaces no existing file.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from tui_chat.client import sanitize
from tui_chat.client.outbox.retry_policy import RetryPolicy
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.room_context import RoomContext
from tui_chat.protocol.errors import DECODE_ERRORS, ChatError, InternalError, Unavailable
from tui_chat.protocol.events import Attachment

TRANSFER_TIMEOUT = 1800.0
"""Default time limit of an upload or a download, in seconds."""

READ_TIMEOUT = 30.0
"""Default time limit of `RoomFiles.read`, in seconds."""

_FINAL_REASONS = frozenset({"upload_quota_exceeded", "uploads_full"})
"""Reasons of temporary errors that last for hours, so that a retry is left to the user."""

FileSource = str | Path | Attachment | OutboxFile
"""File on this computer, upload of the user, or file for the outbox."""

Progress = Callable[[int], None]
"""Receiver of the number of transferred bytes."""


class RoomFiles:
    """Uploads and downloads of one room.

    `upload`, `download` and `read` make one attempt, even without a joined connection. They raise `Unreachable` without
    a response in time, `UnsupportedByServer` if the server accepts no files, `InternalError` for an invalid response,
    `OSError` for a local file, and otherwise the `ChatError` of the server, such as `TooLong` for a large file.
    """

    def __init__(self, context: RoomContext) -> None:
        self._context = context

    async def upload(
        self,
        path: str | Path | OutboxFile,
        *,
        on_progress: Progress | None = None,
        timeout: float = TRANSFER_TIMEOUT,
    ) -> Attachment:
        """Upload a file for one or more messages of the room (`Room.send`, `Room.post`).

        Args:
            path: Local file; an `OutboxFile` that changed since its selection raises `FileChanged`.
            on_progress: Called with the number of uploaded bytes so far.
            timeout: Total time limit in seconds.
        """
        file_transfer = await asyncio.to_thread(_import_file_transfer)
        file = path if isinstance(path, OutboxFile) else await asyncio.to_thread(OutboxFile.from_path, path)
        query = f"room={quote(self._context.name, safe='')}&name={quote(file.name, safe='')}"
        body = await file_transfer.upload(
            self._context.client.url,
            f"/api/uploads?{query}",
            file,
            authorization=self._authorization,
            ca_file=self._context.client.connector.ca_file,
            on_progress=on_progress,
            timeout=timeout,
        )
        try:
            return sanitize.received(msgspec.json.decode(body, type=Attachment))
        except DECODE_ERRORS:
            raise InternalError("response_invalid") from None

    async def deliver(
        self,
        file: OutboxFile,
        *,
        on_progress: Progress | None = None,
        stall_timeout: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> str:
        """Upload a file across temporary errors and connection losses, and return the id of the upload.

        Each attempt waits for the joined connection and starts at the first byte. `RetryPolicy` defines the temporary
        errors, but a full server and a used-up daily quota are final errors.

        Args:
            file: File to upload; for an upload, its id is returned without a request.
            on_progress: As for `upload`; the number starts again with each attempt.
            stall_timeout: Maximum time in seconds without a new highest number of uploaded bytes, None for no limit.
            sleep: Function that waits for a number of seconds.

        Raises:
            ChatError: The server rejected the file, or the room is closed. After the time limit, and if the next
                attempt would start later, the last temporary error, `Unavailable` without one.
            OSError: The file is not readable, or has changed (`FileChanged`).
        """
        if file.upload_id is not None:
            return file.upload_id
        loop, retry_policy, attempts_id = asyncio.get_running_loop(), RetryPolicy(), self._context.client.new_id()
        deadline = None if stall_timeout is None else loop.time() + stall_timeout
        most_uploaded = 0

        async def attempt() -> str:
            async with asyncio.timeout_at(deadline) as limit:

                def report(count: int) -> None:
                    nonlocal deadline, most_uploaded
                    if stall_timeout is not None and count > most_uploaded and not limit.expired():
                        most_uploaded, deadline = count, loop.time() + stall_timeout
                        limit.reschedule(deadline)
                    if on_progress is not None:
                        on_progress(count)

                return (await self.upload(file, on_progress=report)).id

        error: ChatError = Unavailable("no_response")
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._context.gate.wait()
            except TimeoutError:
                raise error from None
            try:
                return await attempt()
            except TimeoutError:
                raise error from None
            except ChatError as upload_error:
                error = upload_error
            delay = retry_policy.next_delay(attempts_id, error)
            is_late = deadline is not None and loop.time() + (delay or 0.0) > deadline
            if delay is None or error.reason in _FINAL_REASONS or is_late:
                raise error
            await sleep(delay)

    async def deliver_all(self, sources: Sequence[FileSource], stall_timeout: float) -> list[str]:
        """Upload files one after the other, and return the ids of the uploads; arguments and errors as for `deliver`.

        All paths are checked before the first upload.
        """
        files = [await asyncio.to_thread(to_outbox_file, source) for source in sources]
        return [await self.deliver(file, stall_timeout=stall_timeout) for file in files]

    async def download(
        self,
        attachment: Attachment,
        target: str | Path,
        *,
        on_progress: Progress | None = None,
        timeout: float = TRANSFER_TIMEOUT,
    ) -> Path:
        """Download a file of a message with mode 0600, and return its path; a failure leaves no file.

        Args:
            attachment: File of a message.
            target: New file, or an existing directory for a file with the name of the attachment and, if the name is
                taken, a number.
            on_progress: Called with the number of received bytes so far.
            timeout: Total time limit in seconds.

        Raises:
            FileExistsError: The target is an existing file, which is found only after the transfer.
            TooLong: The file is larger than the size of the attachment.
        """
        file_transfer = await asyncio.to_thread(_import_file_transfer)
        return await file_transfer.download(
            self._context.client.url,
            attachment.path,
            Path(target),
            attachment.name,
            attachment.size,
            authorization=self._authorization,
            ca_file=self._context.client.connector.ca_file,
            on_progress=on_progress,
            timeout=timeout,
        )

    async def read(self, path: str, max_bytes: int, *, timeout: float = READ_TIMEOUT) -> bytes:
        """Return the bytes of a file of a message, or of its preview.

        Args:
            path: `path`, `preview` or `poster` of an `Attachment`.
            max_bytes: Size above which the file raises `TooLong`.
            timeout: Total time limit in seconds.
        """
        file_transfer = await asyncio.to_thread(_import_file_transfer)
        return await file_transfer.read(
            self._context.client.url,
            path,
            max_bytes,
            authorization=self._authorization,
            ca_file=self._context.client.connector.ca_file,
            timeout=timeout,
        )

    @property
    def _authorization(self) -> str | None:
        """Header `Authorization`: `Bearer` with the account token, otherwise `Guest` with the guest key, or None."""
        client = self._context.client
        if client.connector.token is not None:
            return f"Bearer {client.connector.token}"
        return None if client.guest_key is None else f"Guest {client.guest_key}"


def to_outbox_file(source: FileSource) -> OutboxFile:
    """Return the file of a source; raise `OSError` for a path that is inaccessible or no regular file."""
    match source:
        case OutboxFile():
            return source
        case Attachment():
            return OutboxFile.from_upload(source)
        case _:
            return OutboxFile.from_path(source)


def _import_file_transfer() -> Any:
    # The import of aiohttp takes 100 ms; a thread keeps the event loop responsive.
    from tui_chat.client.net import file_transfer  # noqa: PLC0415

    return file_transfer
