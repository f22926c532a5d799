"""Requests for membership, messages, history and room lists, one struct per event (docs/protocol.md, "Requests").

`tui_chat.protocol.request_base` defines the validation of all requests.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta, field
from msgspec.structs import force_setattr

from tui_chat.protocol.errors import BadRequest
from tui_chat.protocol.limits import (
    ATTACHMENTS_PER_MESSAGE,
    HISTORY_DEFAULT,
    HISTORY_PAGE,
    MEMBER_PAGE,
    PATH_CHARACTERS,
    ROOM_LIST_PAGE,
    SEARCH_PAGE,
    SIGNED_PATHS,
)
from tui_chat.protocol.names import validate_room_name
from tui_chat.protocol.reactions import validate_reaction
from tui_chat.protocol.request_base import IdempotentRequest, NonNegative, Request, RoomRequest, Seq, ValidatedStruct
from tui_chat.protocol.sanitize import is_blank
from tui_chat.protocol.wire_struct import OpaqueString


class JoinRoom(Request, frozen=True):
    """Join a room, or rejoin it after a lost connection.

    Attributes:
        since: `seq` of the newest known entry; the response contains only newer ones.
        guest_key: Guest key of an earlier join, to keep the member id; an empty or invalid key is ignored.
    """

    event: ClassVar[str] = "joinRoom"
    rate_class: ClassVar[str] = "joins"
    room_name: str
    nick_name: str
    since: NonNegative | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_PAGE)] = HISTORY_DEFAULT
    guest_key: OpaqueString | None = None
    invite: OpaqueString | None = None


class LeaveRoom(RoomRequest, frozen=True):
    """Leave a room on this connection.

    Attributes:
        forget: End the durable membership too.
    """

    event: ClassVar[str] = "leaveRoom"
    forget: bool = False


class Observe(RoomRequest, frozen=True):
    """Fetch the state of a room, then receive its pushes without membership.

    Attributes:
        since: `seq` of the newest known entry; the response contains only newer ones.
    """

    event: ClassVar[str] = "observe"
    rate_class: ClassVar[str] = "joins"
    since: NonNegative | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_PAGE)] = HISTORY_DEFAULT


class Unobserve(RoomRequest, frozen=True):
    """End an observation."""

    event: ClassVar[str] = "unobserve"


class ListMembers(RoomRequest, frozen=True):
    """Request a page of the present members, in order of their ids.

    Attributes:
        after: Member id at the end of the previous page.
        query: Part of the nickname; None or an empty query selects all members.
    """

    event: ClassVar[str] = "listMembers"
    rate_class: ClassVar[str] = "searches"
    after: OpaqueString = ""
    limit: Annotated[int, Meta(ge=1, le=MEMBER_PAGE)] = MEMBER_PAGE
    query: str | None = None


class TemporaryAuthor(ValidatedStruct, frozen=True):
    """Author of one message without a membership.

    Attributes:
        guest_key: Guest key of an earlier join or message of the author; None for a new guest.
    """

    nick_name: str
    guest_key: OpaqueString | None = None


class SendMessage(RoomRequest, frozen=True):
    """Send a message.

    Attributes:
        message: Message body; a blank one is permitted in a message with files, and becomes empty.
        client_id: Idempotency key chosen by the client; a repeat returns the original message. None permits duplicates.
        reply_to: `seq` of the message to which this one replies.
        author: Author of a message on a connection that is in no room; None for the member. The wire name is `as`.
        attachments: Ids of uploads of the author.
    """

    event: ClassVar[str] = "sendMessage"
    rate_class: ClassVar[str] = "messages"
    message: str
    client_id: UUID | None = None
    reply_to: Seq | None = None
    author: TemporaryAuthor | None = field(default=None, name="as")
    attachments: Annotated[list[OpaqueString], Meta(max_length=ATTACHMENTS_PER_MESSAGE)] | None = None

    def __post_init__(self) -> None:
        if self.attachments and is_blank(self.message):
            force_setattr(self, "room", validate_room_name(self.room))
            force_setattr(self, "message", "")
        else:
            super().__post_init__()


class SignAttachments(Request, frozen=True):
    """Request addresses of files that need no credentials for at least an hour.

    Attributes:
        paths: Paths of attachments, previews and posters.
    """

    event: ClassVar[str] = "signAttachments"
    paths: Annotated[list[Annotated[str, Meta(max_length=PATH_CHARACTERS)]], Meta(max_length=SIGNED_PATHS)]


class History(RoomRequest, frozen=True):
    """Request a page of a room log; the construction raises `BadRequest` unless exactly one of four positions is given.

    Attributes:
        before: Entries directly before this `seq`.
        after: Entries directly after this `seq`.
        around: Entries on both sides of this `seq`.
        at: Entries around the first entry at or after this time, in milliseconds since the epoch.
    """

    event: ClassVar[str] = "history"
    before: Seq | None = None
    after: NonNegative | None = None
    around: Seq | None = None
    at: NonNegative | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_PAGE)] = HISTORY_DEFAULT

    def __post_init__(self) -> None:
        if sum(anchor is not None for anchor in (self.before, self.after, self.around, self.at)) != 1:
            raise BadRequest("history_position")
        super().__post_init__()


class EditMessage(IdempotentRequest, frozen=True):
    """Replace the text of message `seq`; an equal text is a no-op."""

    event: ClassVar[str] = "editMessage"
    rate_class: ClassVar[str] = "messages"
    seq: Seq
    message: str


class DeleteMessage(IdempotentRequest, frozen=True):
    """Delete message `seq`; a second deletion is a no-op."""

    event: ClassVar[str] = "deleteMessage"
    rate_class: ClassVar[str] = "messages"
    seq: Seq


class React(IdempotentRequest, frozen=True):
    """Add (`on`) or remove the member's reaction on message `seq`; a change to the current state is a no-op.

    `emoji` is in the form of `validate_reaction`.
    """

    event: ClassVar[str] = "react"
    rate_class: ClassVar[str] = "messages"
    seq: Seq
    emoji: str
    on: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "emoji", validate_reaction(self.emoji, on=self.on))


class Typing(RoomRequest, frozen=True):
    """Show (`on`) or clear the typing indicator of the member."""

    event: ClassVar[str] = "typing"
    on: bool


class Search(Request, frozen=True):
    """Search one room, or all public and joined rooms and those with a durable membership.

    Attributes:
        query: Query text; the construction raises `BadRequest` for a blank one.
        room: Room to search, None for all of these rooms.
        cursor: `next` of the previous page of the same query and room, None for the first page.
    """

    event: ClassVar[str] = "search"
    rate_class: ClassVar[str] = "searches"
    query: str
    room: str | None = None
    cursor: OpaqueString | None = None
    limit: Annotated[int, Meta(ge=1, le=SEARCH_PAGE)] = HISTORY_DEFAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.query:
            raise BadRequest("query_empty")


class ListRooms(Request, frozen=True):
    """List public rooms, stored ones and those with present members.

    Attributes:
        query: Part of the name or of the topic; None or an empty query selects all rooms.
    """

    event: ClassVar[str] = "listRooms"
    query: str | None = None
    limit: Annotated[int, Meta(ge=1, le=ROOM_LIST_PAGE)] = ROOM_LIST_PAGE


class ChangeNick(Request, frozen=True):
    """Change the nickname of an account, or of a guest in one room or, if `room` is None, in all joined rooms.

    A nickname of a guest that is in use or reserved receives a suffix; that of another account is an error for an
    account. Without joined rooms, the request of a guest has no effect.
    """

    event: ClassVar[str] = "changeNick"
    rate_class: ClassVar[str] = "joins"
    nick_name: str
    room: str | None = None


class SetStatus(Request, frozen=True):
    """Set the status of the member in all rooms; without joined rooms, the request has no effect.

    Attributes:
        away: The member is away.
        status_text: Text for the other members, possibly empty; ignored unless `away`. The wire name is `text`.
    """

    event: ClassVar[str] = "setStatus"
    rate_class: ClassVar[str] = "joins"
    away: bool
    status_text: str = field(default="", name="text")


class SetTopic(IdempotentRequest, frozen=True):
    """Set the room topic; an empty topic removes the current one. An equal topic creates an entry too."""

    event: ClassVar[str] = "setTopic"
    rate_class: ClassVar[str] = "messages"
    topic: str


REQUEST_TYPES: tuple[type[Request], ...] = (
    JoinRoom,
    LeaveRoom,
    Observe,
    Unobserve,
    ListMembers,
    SendMessage,
    SignAttachments,
    History,
    EditMessage,
    DeleteMessage,
    React,
    Typing,
    Search,
    ListRooms,
    ChangeNick,
    SetStatus,
    SetTopic,
)
"""Requests of this module."""
