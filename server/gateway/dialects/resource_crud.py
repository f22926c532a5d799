"""Dialect for rooms as a resource: `createChatroom`, `findAllChatroom` and others (docs/dialects.md, "resource_crud").

- Names: the name of the resource is any identifier, so `createRoom` and `createChatroom` are the same request. Only
  `findChatroomMessages` has no other name.
- Pushes: rooms have no subscribers in this dialect, and a connection may combine these events with any other dialect.
- Streams: `findChatroomMessages` sends one `chatroomMessage` event per message, then `chatroomMessages` with the fields
  of the acknowledgement, like the `{event, data}` return values of NestJS.
"""

import re
from typing import Annotated, Any, ClassVar, cast

import msgspec

from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.dialects.dialect import Dialect
from server.gateway.handlers import Handlers
from server.storage.log_reader import RoomRecord
from tui_chat.protocol import codec, errors, events, limits, requests, room_requests

_ID_DIGITS = re.compile(f"[0-9]{{1,{len(str(limits.SEQ_MAX))}}}")

RoomId = Annotated[int, msgspec.Meta(ge=1, le=limits.SEQ_MAX)]


class CreateChatroom(requests.Request, frozen=True):
    """Request to create a room."""

    event: ClassVar[str] = "createChatroom"
    rate_class: ClassVar[str] = "joins"
    name: str
    topic: str = ""


class FindAllChatroom(requests.Request, frozen=True):
    """Request for the list of rooms."""

    event: ClassVar[str] = "findAllChatroom"


class FindOneChatroom(requests.Request, frozen=True):
    """Request for one room."""

    event: ClassVar[str] = "findOneChatroom"
    id: RoomId


class UpdateChatroom(requests.Request, frozen=True):
    """Request to change the name or the topic of a room."""

    event: ClassVar[str] = "updateChatroom"
    rate_class: ClassVar[str] = "messages"
    id: RoomId
    name: str | None = None
    topic: str | None = None


class RemoveChatroom(requests.Request, frozen=True):
    """Request to delete a room."""

    event: ClassVar[str] = "removeChatroom"
    id: RoomId


class FindChatroomMessages(requests.Request, frozen=True):
    """Request for a stream of messages; `before` is an exclusive upper bound of `seq`."""

    event: ClassVar[str] = "findChatroomMessages"
    id: RoomId
    before: requests.Seq | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.HISTORY_PAGE)] = limits.HISTORY_DEFAULT


_ID_REQUESTS = (FindOneChatroom, RemoveChatroom)
_REQUESTS_BY_EVENT: dict[str, type[requests.Request]] = {
    request_type.event: request_type
    for request_type in (CreateChatroom, FindAllChatroom, UpdateChatroom, FindChatroomMessages, *_ID_REQUESTS)
}
_RESOURCE_EVENT = re.compile(r"(create|findAll|findOne|update|remove)(?![a-z\d])\w+")

SHARED_EVENTS = {
    room_requests.CreateRoom.event: frozenset({"roomName", "title"}),
    room_requests.UpdateRoom.event: frozenset({"room"}),
}
"""Events that are native requests too, with fields of which each native request has at least one."""


def _has_field(argument: msgspec.Raw, names: frozenset[str]) -> bool:
    """Return whether an argument is a JSON object with at least one of the fields; False for any other argument."""
    try:
        return not names.isdisjoint(msgspec.json.decode(argument, type=dict[str, msgspec.Raw]))
    except errors.DECODE_ERRORS:
        return False


class ResourceCrudDialect(Dialect):
    """Dialect of room management."""

    name: ClassVar[str] = "resource_crud"

    def matches(self, event: str, arguments: list[msgspec.Raw]) -> bool:
        """Return whether the event is `findChatroomMessages`, or another request with any resource: `createTea`.

        A lower-case letter or a digit directly after the verb does not match: `createroom`, `findAll2`. Native requests
        such as `createInvite` have precedence; `SHARED_EVENTS` decides for `createRoom` and `updateRoom`.
        """
        if event in SHARED_EVENTS:
            return not any(_has_field(argument, SHARED_EVENTS[event]) for argument in arguments[:1])
        return event in _REQUESTS_BY_EVENT or (
            event not in codec.REQUEST_EVENTS and _RESOURCE_EVENT.fullmatch(event) is not None
        )

    def decode(self, connection: ClientConnection, event: str, arguments: list[msgspec.Raw]) -> requests.Request:
        """Decode a request; an id may be bare or in an object, as a number or as digits.

        The arguments of `findAllChatroom` and unknown fields are ignored; null fields are absent.

        Raises:
            BadRequest: A field is missing or has an invalid type or value.
            RoomInvalid: The room name is empty, reserved or contains a forbidden character.
            TooLong: The room name or the topic exceeds its limit.
        """
        resource_event = _RESOURCE_EVENT.fullmatch(event)
        request_type = _REQUESTS_BY_EVENT[f"{resource_event[1]}Chatroom" if resource_event else event]
        try:
            body = msgspec.json.decode(arguments[0]) if arguments else None
            if request_type is FindAllChatroom:
                return FindAllChatroom()
            if request_type in _ID_REQUESTS and not isinstance(body, dict):
                body = {"id": body}
            return msgspec.convert(_parse_id_digits(codec.drop_nulls(body)), request_type)
        except errors.DECODE_ERRORS as error:
            raise codec.to_bad_request(error) from None

    async def handle(
        self, handlers: Handlers, connection: ClientConnection, request: requests.Request, *, wants_ack: bool
    ) -> Any:
        """Run a request; return the wire fields of a room, a list of rooms, or the wire fields of the end of a stream.

        A deletion returns the room before the deletion.

        Raises:
            ChatError: The request is rejected (`RoomCatalog` for guests, `OwnedRoomCatalog` for accounts).
        """
        room_catalog = handlers.room_catalog
        editor = room_catalog if connection.account is None else handlers.owned_room_catalog
        match request:
            case CreateChatroom(name=name, topic=topic):
                room = await editor.create(connection, name, topic)
            case FindAllChatroom():
                return [self._to_chatroom(room) for room in await room_catalog.list_public()]
            case FindOneChatroom(id=room_id):
                room = await room_catalog.get(room_id)
            case UpdateChatroom(id=room_id, name=name, topic=topic):
                room = await editor.update(connection, room_id, name, topic)
            case RemoveChatroom(id=room_id):
                room = await editor.delete(connection, room_id)
            case FindChatroomMessages():
                return await self._stream_messages(handlers, connection, request)
            case _:
                raise errors.BadRequest("request_unknown")
        return self._to_chatroom(room)

    def encode_result(self, result: Any) -> bytes:
        """Return the result as plain JSON, without the native `ok` field."""
        return msgspec.json.encode(result)

    def encode_failure(self, error: errors.ChatError) -> bytes:
        """Return the error as `{"error": {"code", "message"}}`, without `retryAfter`."""
        return msgspec.json.encode({"error": {"code": error.code, "message": error.message}})

    async def _stream_messages(
        self, handlers: Handlers, connection: ClientConnection, request: FindChatroomMessages
    ) -> dict[str, Any]:
        """Push the messages in ascending order and the end of the stream; return the fields of the end.

        Deleted messages and entries of other kinds are skipped, so `count` may be below the limit even if older
        messages exist. One line per file follows the text of a message.

        Raises:
            NotFound, Forbidden: As in `RoomCatalog.read_messages`; nothing is pushed.
        """
        room, page = await handlers.room_catalog.read_messages(connection, request.id, request.before, request.limit)
        messages = [entry for entry in page.messages if isinstance(entry, events.Message) and not entry.deleted]
        for entry in messages:
            connection.push(
                encode_event(
                    "chatroomMessage",
                    {
                        "chatroomId": room.id,
                        "id": entry.id,
                        "seq": entry.seq,
                        "nickName": entry.nick_name,
                        "message": handlers.file_lines.render(entry, connection.server_origin),
                        "createdAt": entry.ts,
                    },
                )
            )
        stream_end = {"chatroomId": room.id, "count": len(messages), "hasMore": page.has_more}
        connection.push(encode_event("chatroomMessages", stream_end))
        return stream_end

    def _to_chatroom(self, room: RoomRecord) -> dict[str, Any]:
        """Return the wire fields of a room; `createdAt` is a Unix time in milliseconds."""
        return {
            "id": room.id,
            "name": room.name,
            "topic": room.topic,
            "members": self.room_registry.count_members(room.key),
            "createdAt": room.created_at,
        }


def _parse_id_digits(body: Any) -> Any:
    """Return a body with a string of digits as `id` converted to an integer; any other body is unchanged."""
    if not isinstance(body, dict):
        return body
    fields = cast(dict[str, Any], body)
    raw_id = fields.get("id")
    return {**fields, "id": int(raw_id)} if isinstance(raw_id, str) and _ID_DIGITS.fullmatch(raw_id) else fields
