"""What waits to be written into a room's log: allowed, cleaned, not yet an entry."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who writes.

    Attributes:
        member_id: Stable; what may be edited later is decided by it.
        moderates: May change what others said.
    """

    member_id: str
    nick_name: str
    account: str | None = None
    moderates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRef:
    """A room, whether or not anything was ever written in it.

    Attributes:
        key: What tells rooms apart (`server.protocol.names.key`).
        name: As it is shown; kept from the room's first entry.
    """

    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """Something to say.

    Attributes:
        client_id: The client's own id of it: unique in the room, so that a repeat is known.
        reply_to: The `seq` of the message that it answers; it must exist.
    """

    room: RoomRef
    author: Author
    message: str
    client_id: UUID | None = None
    reply_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditDraft:
    """Message `target` shall read `message`."""

    room: RoomRef
    author: Author
    target: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionDraft:
    """Message `target` shall be gone."""

    room: RoomRef
    author: Author
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionDraft:
    """The author puts `emoji` under message `target`, or takes it away."""

    room: RoomRef
    author: Author
    target: int
    emoji: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicDraft:
    """The room shall be about `topic`; empty takes it away."""

    room: RoomRef
    author: Author
    topic: str


Draft = MessageDraft | EditDraft | DeletionDraft | ReactionDraft | TopicDraft
