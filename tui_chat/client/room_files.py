"""Files of one room: uploads for messages and downloads (docs/protocol.md, "Attachments").

- Memory: files are streamed in both directions.
- Repetition: an upload is not repeated after a connection loss; the server removes one that no message uses.
- Downloads: appear complete or not at all, and replace no existing file.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from tui_chat.client import sanitize
from tui_chat.client.room_context import RoomContext
from tui_chat.protocol.errors import InternalError
from tui_chat.protocol.events import Attachment

TRANSFER_TIMEOUT = 1800.0
"""Default time limit of an upload or a download, in seconds."""

FileSource = str | Path | Attachment
"""Local file, or own upload."""

Progress = Callable[[int], None]
"""Receiver of the number of transferred bytes."""


class RoomFiles:
    """Uploads and downloads of one room.

    Both methods raise `Unreachable` without a response in time, `UnsupportedByServer` if the server accepts no files,
    `OSError` for the local file, and otherwise the `ChatError` of the server, such as `TooLong` for a large file.

    Args:
        context: Identity and connection of the room.
    """

    def __init__(self, context: RoomContext) -> None:
        self._context = context

    async def upload(
        self, path: str | Path, *, on_progress: Progress | None = None, timeout: float = TRANSFER_TIMEOUT
    ) -> Attachment:
        """Upload a file for one or more messages of the room (`Room.send`, `Room.post`).

        Args:
            path: Local file.
            on_progress: Called with the number of uploaded bytes so far.
            timeout: Total time limit in seconds.
        """
        file_transfer = await asyncio.to_thread(_import_file_transfer)
        path = Path(path)
        query = f"room={quote(self._context.name, safe='')}&name={quote(path.name, safe='')}"
        body = await file_transfer.upload(
            self._context.client.url,
            f"/api/uploads?{query}",
            path,
            authorization=self._authorization,
            ca_file=self._context.client.connector.ca_file,
            on_progress=on_progress,
            timeout=timeout,
        )
        try:
            return sanitize.received(msgspec.json.decode(body, type=Attachment))
        except (msgspec.MsgspecError, RecursionError):
            raise InternalError("response_invalid") from None

    async def resolve(self, source: FileSource) -> Attachment:
        """Return an upload unchanged, and upload a local file."""
        return source if isinstance(source, Attachment) else await self.upload(source)

    async def download(
        self,
        attachment: Attachment,
        target: str | Path,
        *,
        on_progress: Progress | None = None,
        timeout: float = TRANSFER_TIMEOUT,
    ) -> Path:
        """Download a file of a message, and return its path.

        Args:
            attachment: File of a message.
            target: New file, or an existing directory for a file with the name of the attachment and, if the name is
                taken, a number.
            on_progress: Called with the number of received bytes so far.
            timeout: Total time limit in seconds.

        Raises:
            FileExistsError: The target is an existing file.
        """
        file_transfer = await asyncio.to_thread(_import_file_transfer)
        return await file_transfer.download(
            self._context.client.url,
            attachment.path,
            Path(target),
            attachment.name,
            authorization=self._authorization,
            ca_file=self._context.client.connector.ca_file,
            on_progress=on_progress,
            timeout=timeout,
        )

    @property
    def _authorization(self) -> str | None:
        client = self._context.client
        if client.connector.token is not None:
            return f"Bearer {client.connector.token}"
        return None if client.guest_key is None else f"Guest {client.guest_key}"


def _import_file_transfer() -> Any:
    # The import of aiohttp takes 100 ms; a thread keeps the event loop responsive.
    from tui_chat.client.net import file_transfer  # noqa: PLC0415

    return file_transfer
