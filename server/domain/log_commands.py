"""What waits to be written into a room's log: allowed, cleaned, not yet an entry."""

from uuid import UUID

from msgspec import Struct


class Author(Struct, frozen=True, kw_only=True):
    """Who writes.

    Attributes:
        member_id: Stable; what may be edited later is decided by it.
        moderates: May change what others said.
    """

    member_id: str
    nick_name: str
    account: str | None = None
    is_moderator: bool = False


class RoomRef(Struct, frozen=True, kw_only=True):
    """A room, whether or not anything was ever written in it.

    Attributes:
        key: What tells rooms apart (`tui_chat.protocol.names.key`).
        name: As it is shown; kept from the room's first entry.
    """

    key: str
    name: str


class AppendMessage(Struct, frozen=True, kw_only=True):
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


class AppendEdit(Struct, frozen=True, kw_only=True):
    """Message `target` shall read `message`."""

    room: RoomRef
    author: Author
    target: int
    message: str


class AppendDeletion(Struct, frozen=True, kw_only=True):
    """Message `target` shall be gone."""

    room: RoomRef
    author: Author
    target: int


class AppendReaction(Struct, frozen=True, kw_only=True):
    """The author puts `emoji` under message `target`, or takes it away."""

    room: RoomRef
    author: Author
    target: int
    emoji: str
    on: bool


class AppendTopic(Struct, frozen=True, kw_only=True):
    """The room shall be about `topic`; empty takes it away."""

    room: RoomRef
    author: Author
    topic: str


LogCommand = AppendMessage | AppendEdit | AppendDeletion | AppendReaction | AppendTopic
