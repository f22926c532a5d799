"""What a client may ask for, one struct per event (docs/protocol.md, "Requests").

A request that exists is valid: building one cleans its texts, checks its names
and sizes, and raises the error of `tui_chat.protocol.errors` that says what is
wrong. Both sides build them here, so neither can send or take anything else.
"""

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from msgspec import Meta
from msgspec.structs import force_setattr

from tui_chat.protocol import names, sanitize
from tui_chat.protocol.errors import BadRequest
from tui_chat.protocol.events import WireStruct
from tui_chat.protocol.limits import (
    HISTORY_DEFAULT,
    HISTORY_PAGE,
    ROOM_LIST_PAGE,
    SEARCH_PAGE,
    SECRET_CHARACTERS,
    SEQ_MAX,
)
from tui_chat.protocol.reactions import validate_reaction

Seq = Annotated[int, Meta(ge=1, le=SEQ_MAX)]
NonNegative = Annotated[int, Meta(ge=0, le=SEQ_MAX)]
OpaqueString = Annotated[str, Meta(min_length=1, max_length=SECRET_CHARACTERS)]


class Request(WireStruct, frozen=True):
    """What all requests share.

    Attributes:
        event: The name of the Socket.IO event that carries it.
        rate: Which of a connection's rates counts it (`server.gateway.rate_limits`).
    """

    event: ClassVar[str]
    rate_class: ClassVar[str] = "others"

    def _set_fields(self, **fields: Any) -> None:
        for name, value in fields.items():
            force_setattr(self, name, value)


class RoomRequest(Request, frozen=True):
    """A request about one room."""

    room: str

    def __post_init__(self) -> None:
        self._set_fields(room=names.validate_room_name(self.room))


class JoinRoom(Request, frozen=True):
    """Come into a room, or come back to it with what you held.

    Attributes:
        since: The last `seq` held, to get only what came after it.
        guest_key: The secret of an earlier join, to be the same member again.
        invite: The code that opens a room which is not public.
    """

    event: ClassVar[str] = "joinRoom"
    rate_class: ClassVar[str] = "joins"
    room_name: str
    nick_name: str
    since: NonNegative | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_PAGE)] = HISTORY_DEFAULT
    guest_key: OpaqueString | None = None
    invite: OpaqueString | None = None

    def __post_init__(self) -> None:
        self._set_fields(
            room_name=names.validate_room_name(self.room_name), nick_name=names.validate_nickname(self.nick_name)
        )


class LeaveRoom(RoomRequest, frozen=True):
    """Go out of a room."""

    event: ClassVar[str] = "leaveRoom"


class SendMessage(RoomRequest, frozen=True):
    """Say something.

    Attributes:
        client_id: Chosen by the client; a repeat is answered as the first was.
        reply_to: The `seq` of the message that this one answers.
        nick_name: Ignored; plain clients send it.
    """

    event: ClassVar[str] = "sendMessage"
    rate_class: ClassVar[str] = "messages"
    message: str
    client_id: UUID | None = None
    reply_to: Seq | None = None
    nick_name: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(room=names.validate_room_name(self.room), message=sanitize.validate_message_body(self.message))


class History(RoomRequest, frozen=True):
    """A page of a room's log, by exactly one of four places in it.

    Attributes:
        at: A time, in milliseconds since the epoch: about the first entry of then or later.
    """

    event: ClassVar[str] = "history"
    before: Seq | None = None
    after: NonNegative | None = None
    around: Seq | None = None
    at: NonNegative | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_PAGE)] = HISTORY_DEFAULT

    def __post_init__(self) -> None:
        if sum(anchor is not None for anchor in (self.before, self.after, self.around, self.at)) != 1:
            raise BadRequest("history takes exactly one of before, after, around and at")
        self._set_fields(room=names.validate_room_name(self.room))


class EditMessage(RoomRequest, frozen=True):
    """Say it otherwise."""

    event: ClassVar[str] = "editMessage"
    seq: Seq
    message: str

    def __post_init__(self) -> None:
        self._set_fields(room=names.validate_room_name(self.room), message=sanitize.validate_message_body(self.message))


class DeleteMessage(RoomRequest, frozen=True):
    """Take a message back."""

    event: ClassVar[str] = "deleteMessage"
    seq: Seq


class React(RoomRequest, frozen=True):
    """Put an emoji or a short word under a message, or take it away."""

    event: ClassVar[str] = "react"
    seq: Seq
    emoji: str
    on: bool

    def __post_init__(self) -> None:
        self._set_fields(room=names.validate_room_name(self.room), emoji=validate_reaction(self.emoji, on=self.on))


class Typing(RoomRequest, frozen=True):
    """Tell the room that you type, or no longer do."""

    event: ClassVar[str] = "typing"
    on: bool


class MarkRead(RoomRequest, frozen=True):
    """Tell how far you have read."""

    event: ClassVar[str] = "markRead"
    seq: NonNegative


class Search(Request, frozen=True):
    """Look for a text in one room, or in all that you may see.

    Attributes:
        before: Only what is older than this `id`: the next page.
    """

    event: ClassVar[str] = "search"
    rate_class: ClassVar[str] = "searches"
    query: str
    room: str | None = None
    before: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=SEARCH_PAGE)] = HISTORY_DEFAULT

    def __post_init__(self) -> None:
        query = sanitize.validate_query(self.query)
        if not query:
            raise BadRequest("a query cannot be empty")
        self._set_fields(query=query, room=None if self.room is None else names.validate_room_name(self.room))


class ListRooms(Request, frozen=True):
    """The public rooms, and yours."""

    event: ClassVar[str] = "listRooms"
    query: str | None = None
    limit: Annotated[int, Meta(ge=1, le=ROOM_LIST_PAGE)] = ROOM_LIST_PAGE

    def __post_init__(self) -> None:
        self._set_fields(query=None if self.query is None else sanitize.validate_query(self.query))


class ChangeNick(Request, frozen=True):
    """Take another nickname, in one room or in all you are in."""

    event: ClassVar[str] = "changeNick"
    rate_class: ClassVar[str] = "joins"
    nick_name: str
    room: str | None = None

    def __post_init__(self) -> None:
        room = None if self.room is None else names.validate_room_name(self.room)
        self._set_fields(nick_name=names.validate_nickname(self.nick_name), room=room)


class SetTopic(RoomRequest, frozen=True):
    """Say what the room is about."""

    event: ClassVar[str] = "setTopic"
    topic: str

    def __post_init__(self) -> None:
        self._set_fields(room=names.validate_room_name(self.room), topic=sanitize.validate_topic(self.topic))


class MemberRequest(RoomRequest, frozen=True):
    """A request about one member of a room."""

    member_id: OpaqueString


class Kick(MemberRequest, frozen=True):
    """Put a member out; it may come back."""

    event: ClassVar[str] = "kick"


class Ban(MemberRequest, frozen=True):
    """Put a member out for good."""

    event: ClassVar[str] = "ban"


class Unban(MemberRequest, frozen=True):
    """Let a member come back."""

    event: ClassVar[str] = "unban"


class CreateInvite(RoomRequest, frozen=True):
    """A code that lets others in."""

    event: ClassVar[str] = "createInvite"


class SetRole(MemberRequest, frozen=True):
    """Say what a member may do."""

    event: ClassVar[str] = "setRole"
    role: Literal["member", "moderator", "owner"]


class SetVisibility(RoomRequest, frozen=True):
    """Say who may see the room."""

    event: ClassVar[str] = "setVisibility"
    visibility: Literal["public", "private"]


REQUEST_TYPES: tuple[type[Request], ...] = (
    JoinRoom,
    LeaveRoom,
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
    SetTopic,
    Kick,
    Ban,
    Unban,
    CreateInvite,
    SetRole,
    SetVisibility,
)
