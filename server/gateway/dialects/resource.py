"""Rooms as a resource: `createChatroom`, `findAllChatroom` and their kind, answered in plain data (WIRE, section 2.4).

Its events stand beside those of any other dialect: whoever has joined a room in
another form may use them too. Nobody reads in this one.

What answers with more than one thing sends events: `findChatroomMessages` is
answered by a `chatroomMessage` for each message and one `chatroomMessages` at the
end, as NestJS sends what a handler returns as `{event, data}`.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, cast

import msgspec
from msgspec import Meta, Raw, Struct

from server.domain.rooms import LiveRoom
from server.gateway.chatrooms import Chatrooms
from server.gateway.commands import Commands
from server.gateway.connection import Connection
from server.gateway.dialects.dialect import Dialect
from server.gateway.fanout import News, push_frame
from server.protocol import names, text
from server.protocol.entries import Message, WireStruct
from server.protocol.errors import BadRequest, ChatError
from server.protocol.limits import HISTORY_DEFAULT, HISTORY_PAGE, SEQ_MAX
from server.protocol.requests import Request, Seq

MESSAGE, MESSAGES = "chatroomMessage", "chatroomMessages"
"""One message of the stream, and its end."""

_DIGITS = re.compile(f"[0-9]{{1,{len(str(SEQ_MAX))}}}")

RoomId = Annotated[int, Meta(ge=1, le=SEQ_MAX)]


class CreateChatroom(Request, frozen=True):
    """Make a room."""

    event: ClassVar[str] = "createChatroom"
    rate_class: ClassVar[str] = "joins"
    name: str
    topic: str = ""

    def __post_init__(self) -> None:
        self._set_fields(name=names.validate_room_name(self.name), topic=text.validate_topic(self.topic))


class FindAllChatroom(Request, frozen=True):
    """The rooms."""

    event: ClassVar[str] = "findAllChatroom"


class FindOneChatroom(Request, frozen=True):
    """One room."""

    event: ClassVar[str] = "findOneChatroom"
    id: RoomId


class UpdateChatroom(Request, frozen=True):
    """Give a room another name or topic."""

    event: ClassVar[str] = "updateChatroom"
    id: RoomId
    name: str | None = None
    topic: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(
            name=None if self.name is None else names.validate_room_name(self.name),
            topic=None if self.topic is None else text.validate_topic(self.topic),
        )


class RemoveChatroom(Request, frozen=True):
    """Remove a room."""

    event: ClassVar[str] = "removeChatroom"
    id: RoomId


class FindChatroomMessages(Request, frozen=True):
    """What was said in a room, as a stream; `before` is the `seq` before which it ends."""

    event: ClassVar[str] = "findChatroomMessages"
    id: RoomId
    before: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_PAGE)] = HISTORY_DEFAULT


class Chatroom(WireStruct, frozen=True):
    """A room; `members` counts those in it now, `created_at` is in milliseconds since the epoch."""

    id: int
    name: str
    topic: str
    members: int
    created_at: int


class ChatroomMessage(WireStruct, frozen=True):
    """One message of the stream; `created_at` is in milliseconds since the epoch."""

    chatroom_id: int
    id: int
    seq: int
    nick_name: str
    message: str
    created_at: int


class ChatroomMessages(WireStruct, frozen=True):
    """The end of the stream: how many came, and whether there are older ones."""

    chatroom_id: int
    count: int
    has_more: bool


class _Problem(Struct):
    code: str
    message: str


_OF_AN_ID = (FindOneChatroom, RemoveChatroom)
_KINDS: dict[str, type[Request]] = {
    kind.event: kind for kind in (CreateChatroom, FindAllChatroom, UpdateChatroom, FindChatroomMessages, *_OF_AN_ID)
}


class Resource(Dialect):
    """The list of rooms."""

    name: ClassVar[str] = "resource"
    events: ClassVar[frozenset[str]] = frozenset(_KINDS)

    def decode(self, connection: Connection, event: str, arguments: list[Raw]) -> Request:
        """One request; an id may be alone or in an object, as a number or its digits."""
        kind = _KINDS[event]
        try:
            body = msgspec.json.decode(arguments[0]) if arguments else None
            if kind is FindAllChatroom:
                return FindAllChatroom()
            if kind in _OF_AN_ID and not isinstance(body, dict):
                body = {"id": body}
            return msgspec.convert(_with_number(body), kind)
        except (msgspec.MsgspecError, RecursionError) as fault:
            raise BadRequest(str(fault)[:200]) from None

    async def carry_out(self, commands: Commands, connection: Connection, request: Request, *, answered: bool) -> Any:
        """Do it; the room, the rooms, or the end of the stream."""
        chatrooms = commands.chatrooms
        match request:
            case CreateChatroom(name=name, topic=topic):
                room = await chatrooms.make(connection, name, topic)
            case FindAllChatroom():
                return [_chatroom(chatrooms, room) for room in await chatrooms.all()]
            case FindOneChatroom(id=room_id):
                room = await chatrooms.find(room_id)
            case UpdateChatroom(id=room_id, name=name, topic=topic):
                room = await chatrooms.change(connection, room_id, name, topic)
            case RemoveChatroom(id=room_id):
                room = await chatrooms.remove(connection, room_id)
            case FindChatroomMessages():
                return await self._stream(chatrooms, connection, request)
            case _:
                raise BadRequest("there is no such request")
        return _chatroom(chatrooms, room)

    def answer(self, result: Any) -> bytes:
        """Plain data, without the native `ok`."""
        return msgspec.json.encode(result)

    def refusal(self, error: ChatError) -> bytes:
        """`{"error": {"code", "message"}}`."""
        return msgspec.json.encode({"error": _Problem(error.code, error.message)})

    def tell(self, room: LiveRoom[Connection], news: News, readers: Iterable[Connection]) -> None:
        """Nobody reads in this form."""

    async def _stream(
        self, chatrooms: Chatrooms, connection: Connection, request: FindChatroomMessages
    ) -> ChatroomMessages:
        room, page = await chatrooms.messages(request.id, request.before, request.limit)
        said = [entry for entry in page.messages if isinstance(entry, Message) and not entry.deleted]
        for entry in said:
            message = ChatroomMessage(
                chatroom_id=room.id,
                id=entry.id,
                seq=entry.seq,
                nick_name=entry.nick_name,
                message=entry.message,
                created_at=entry.ts,
            )
            connection.push(push_frame(MESSAGE, message))
        end = ChatroomMessages(chatroom_id=room.id, count=len(said), has_more=page.has_more)
        connection.push(push_frame(MESSAGES, end))
        return end


def _chatroom(chatrooms: Chatrooms, room: Any) -> Chatroom:
    return Chatroom(
        id=room.id, name=room.name, topic=room.topic, members=chatrooms.members(room), created_at=room.created_at
    )


def _with_number(body: Any) -> Any:
    """The same, with an id of digits as a number: what comes out of a page's address is text."""
    if not isinstance(body, dict):
        return body
    fields = cast(dict[str, Any], body)
    given = fields.get("id")
    return {**fields, "id": int(given)} if isinstance(given, str) and _DIGITS.fullmatch(given) else fields
