"""Something that was written, on its way to the server."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from tui_chat.protocol.requests import DeleteMessage, EditMessage, React, SendMessage

OutboxRequest = SendMessage | EditMessage | DeleteMessage | React
"""What can wait for a connection."""


UNCONFIRMED_REASON = "nothing came back, so nobody knows whether it was said"
"""The problem of one that left for a plain server and did not come back."""


class OutboxItemState(Enum):
    """How far it has come."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One thing that was written into a room, as it is now.

    Attributes:
        room: The room's name.
        client_id: Its own, unique; for a message also what the wire calls `clientId`.
        request: What the server is asked for.
        ts: When it was written, milliseconds since the epoch.
        state: How far it has come.
        kept: It is on this computer's disk, and would survive the end of the program.
        problem: Why it failed, one sentence; empty otherwise.
        seq: Its entry in the room's log, once it was sent (of a message its own `seq`, of a change that of the change).
        said_at: The server's time of a message that was sent, milliseconds since the epoch.
    """

    room: str
    client_id: UUID
    request: OutboxRequest
    ts: int
    state: OutboxItemState = OutboxItemState.PENDING
    persisted: bool = False
    problem: str = ""
    seq: int | None = None
    server_ts: int | None = None

    @property
    def unconfirmed(self) -> bool:
        """It left for a plain server, and may have been said."""
        return self.problem == UNCONFIRMED_REASON

    @property
    def text(self) -> str:
        """What it says; empty for a deletion."""
        match self.request:
            case SendMessage(message=text) | EditMessage(message=text):
                return text
            case React(emoji=emoji):
                return emoji
            case DeleteMessage():
                return ""

    @property
    def reply_to(self) -> int | None:
        """The `seq` of the message that it answers."""
        return self.request.reply_to if isinstance(self.request, SendMessage) else None
