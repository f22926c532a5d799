"""Requests of the client, one struct per event (docs/protocol.md, "Requests").

Construction sanitizes texts and validates names and text lengths; a violation raises the matching error of
`tui_chat.protocol.errors`. The decoder additionally checks types and numeric ranges. Client and server share the
structs.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from msgspec import Meta, field
from msgspec.structs import force_setattr

from tui_chat.protocol import names, sanitize
from tui_chat.protocol.errors import BadRequest
from tui_chat.protocol.events import OpaqueString, WireStruct
from tui_chat.protocol.limits import (
    HISTORY_DEFAULT,
    HISTORY_PAGE,
    MEMBER_PAGE,
    ROOM_LIST_PAGE,
    SEARCH_PAGE,
    SEQ_MAX,
)
from tui_chat.protocol.reactions import validate_reaction

Seq = Annotated[int, Meta(ge=1, le=SEQ_MAX)]
NonNegative = Annotated[int, Meta(ge=0, le=SEQ_MAX)]


_VALIDATORS: dict[str, Callable[[str], str]] = {
    "room": names.validate_room_name,
    "room_name": names.validate_room_name,
    "name": names.validate_room_name,
    "nick_name": names.validate_nickname,
    "message": sanitize.validate_message_body,
    "topic": sanitize.validate_topic,
    "query": sanitize.validate_query,
    "status_text": sanitize.validate_status,
}
"""Functions by field name that return the validated form of a text."""


class _ValidatedStruct(WireStruct, frozen=True):
    """Struct that validates its texts by field name."""

    def __post_init__(self) -> None:
        for name in _validated_fields(self.__struct_fields__):
            if (value := getattr(self, name)) is not None:
                force_setattr(self, name, _VALIDATORS[name](value))


@cache
def _validated_fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in fields if name in _VALIDATORS)


class Request(_ValidatedStruct, frozen=True):
    """Base of all requests; the name of a text field selects its validation.

    Attributes:
        event: Name of the Socket.IO event.
        rate_class: Token bucket of the connection that the request uses (`server.gateway.dispatcher`).
    """

    event: ClassVar[str]
    rate_class: ClassVar[str] = "default"


class RoomRequest(Request, frozen=True):
    """Request for one room."""

    room: str


class JoinRoom(Request, frozen=True):
    """Join a room, or rejoin it after a lost connection.

    Attributes:
        room_name: Name of the room.
        nick_name: Requested nickname.
        since: `seq` of the newest known entry; the response contains only newer ones.
        limit: Maximum number of entries in the response.
        guest_key: Guest key of an earlier join, to keep the member id; an empty or invalid key is ignored.
        invite: Invite code of a private room; ignored by the server.
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
    """Leave a room."""

    event: ClassVar[str] = "leaveRoom"


class Observe(RoomRequest, frozen=True):
    """Fetch the state of a room, then receive its pushes without membership until `Unobserve` or a disconnection.

    Attributes:
        since: `seq` of the newest known entry; the response contains only newer ones.
        limit: Maximum number of entries in the response.
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
        limit: Maximum number of members.
        query: Part of the nickname; None or an empty query selects all members.
    """

    event: ClassVar[str] = "listMembers"
    rate_class: ClassVar[str] = "searches"
    after: OpaqueString = ""
    limit: Annotated[int, Meta(ge=1, le=MEMBER_PAGE)] = MEMBER_PAGE
    query: str | None = None


class TemporaryAuthor(_ValidatedStruct, frozen=True):
    """Author of one message without a membership.

    Attributes:
        nick_name: Requested nickname.
        guest_key: Guest key, so that a repeat with the same `clientId` has the same author.
    """

    nick_name: str
    guest_key: OpaqueString | None = None


class SendMessage(RoomRequest, frozen=True):
    """Send a message.

    Attributes:
        message: Message body.
        client_id: Idempotency key chosen by the client; a repeat returns the original message. None permits duplicates.
        reply_to: `seq` of the message to which this one replies.
        author: Author of a message on a connection that is in no room; None for the member. The wire name is `as`.
    """

    event: ClassVar[str] = "sendMessage"
    rate_class: ClassVar[str] = "messages"
    message: str
    client_id: UUID | None = None
    reply_to: Seq | None = None
    author: TemporaryAuthor | None = field(default=None, name="as")


class History(RoomRequest, frozen=True):
    """Request a page of a room log; exactly one of the four positions is required.

    Attributes:
        before: Entries directly before this `seq`.
        after: Entries directly after this `seq`.
        around: Entries on both sides of this `seq`.
        at: Entries around the first entry at or after this time, in milliseconds since the epoch.
        limit: Maximum number of entries.
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


class IdempotentRequest(RoomRequest, frozen=True, kw_only=True):
    """Base of changes of a room log.

    Attributes:
        client_id: Idempotency key chosen by the client; a repeat receives the first response.
    """

    client_id: UUID | None = None


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
    """Add (`on`) or remove the member's reaction on message `seq`; a repeat and an absent reaction are no-ops."""

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


class MarkRead(RoomRequest, frozen=True):
    """Set the read marker of the member to `seq`; the server rejects the request with `bad_request`."""

    event: ClassVar[str] = "markRead"
    seq: NonNegative


class Search(Request, frozen=True):
    """Search one room, or all rooms visible to the member.

    Attributes:
        query: Query text.
        room: Room to search, None for all visible rooms.
        cursor: `next` of the previous page of the same query and room, None for the first page.
        limit: Maximum number of messages.
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
    """List public rooms and rooms with present members.

    `query` is a part of the name or of the topic; None or an empty query selects all rooms.
    """

    event: ClassVar[str] = "listRooms"
    query: str | None = None
    limit: Annotated[int, Meta(ge=1, le=ROOM_LIST_PAGE)] = ROOM_LIST_PAGE


class ChangeNick(Request, frozen=True):
    """Change the nickname in one room, or in all joined rooms if `room` is None.

    A nickname in use receives a suffix instead of an error. Without joined rooms, the request has no effect.
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


class MemberRequest(RoomRequest, frozen=True):
    """Base of moderation requests that target a member; the server rejects them with `bad_request`."""

    member_id: OpaqueString


class Kick(MemberRequest, frozen=True):
    """Remove a member; a later join is permitted."""

    event: ClassVar[str] = "kick"


class Ban(MemberRequest, frozen=True):
    """Remove a member permanently."""

    event: ClassVar[str] = "ban"


class Unban(MemberRequest, frozen=True):
    """Permit a banned member to join again."""

    event: ClassVar[str] = "unban"


class CreateInvite(RoomRequest, frozen=True):
    """Create an invite code for a room; the server rejects the request with `bad_request`."""

    event: ClassVar[str] = "createInvite"


class SetRole(MemberRequest, frozen=True):
    """Set the role of a member."""

    event: ClassVar[str] = "setRole"
    role: Literal["member", "moderator", "owner"]


class SetVisibility(RoomRequest, frozen=True):
    """Set the visibility of a room; the server rejects the request with `bad_request`."""

    event: ClassVar[str] = "setVisibility"
    visibility: Literal["public", "private"]


REQUEST_TYPES: tuple[type[Request], ...] = (
    JoinRoom,
    LeaveRoom,
    Observe,
    Unobserve,
    ListMembers,
    SendMessage,
    History,
    EditMessage,
    DeleteMessage,
    React,
    Typing,
    MarkRead,
    Search,
    ListRooms,
    ChangeNick,
    SetStatus,
    SetTopic,
    Kick,
    Ban,
    Unban,
    CreateInvite,
    SetRole,
    SetVisibility,
)
