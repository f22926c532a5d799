"""Outbox item types."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from tui_chat.client.outbox_file import OutboxFile
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import DeleteMessage, EditMessage, React, SendMessage

OutboxRequest = SendMessage | EditMessage | DeleteMessage | React
"""Requests that the outbox can queue."""

UNCONFIRMED = "unconfirmed"
"""`ChatError.reason` of a message to a basic server that was sent but not echoed, so its delivery is unknown."""


class OutboxItemState(Enum):
    """Delivery state of an outbox item.

    - `PENDING`: queued or in flight; sent again after temporary errors and restarts.
    - `SENT`: acknowledged by the server, and no longer in the outbox.
    - `FAILED`: rejected, or unconfirmed by a basic server; remains in the outbox until `Room.retry` or `Room.drop`.
    - `DROPPED`: removed from the outbox by `Room.drop`, or replaced by a new item (`Room.retry`).
    """

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """Immutable state of one outbox item.

    Attributes:
        room: Room name.
        client_id: Unique id of the item, the `clientId` of its request.
        request: Request to send.
        ts: Time of creation, milliseconds since the epoch.
        state: Delivery state.
        persisted: True once the item is on the local disk.
        error: Cause of a failure, None otherwise.
        seq: `seq` of the resulting log entry, or the newest `seq` after a no-op change; None if not acknowledged.
        server_ts: Server time of a sent message in milliseconds since the epoch, None otherwise.
        files: Files of a message.
        uploaded: Sent bytes of the first file that is not uploaded yet.
    """

    room: str
    client_id: UUID
    request: OutboxRequest
    ts: int
    state: OutboxItemState = OutboxItemState.PENDING
    persisted: bool = False
    error: ChatError | None = None
    seq: int | None = None
    server_ts: int | None = None
    files: tuple[OutboxFile, ...] = ()
    uploaded: int = 0

    @property
    def needs_upload(self) -> bool:
        """True if a file is not uploaded yet."""
        return any(file.upload_id is None for file in self.files)

    @property
    def unconfirmed(self) -> bool:
        """True if the delivery of a message to a basic server is unknown."""
        return self.error is not None and self.error.reason == UNCONFIRMED

    @property
    def text(self) -> str:
        """Text or emoji of the request, empty for a deletion."""
        match self.request:
            case SendMessage(message=text) | EditMessage(message=text):
                return text
            case React(emoji=emoji):
                return emoji
            case DeleteMessage():
                return ""

    @property
    def reply_to(self) -> int | None:
        """`seq` of the message that is replied to; None without a reply, and for changes."""
        return self.request.reply_to if isinstance(self.request, SendMessage) else None
