"""HTTP endpoints of rooms and messages (docs/protocol.md, "Rooms and messages")."""

from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, field

from server.gateway.handlers import Handlers
from server.gateway.identity import GUEST_NICK_NAME
from server.gateway.room_queries import RoomDetails
from server.web.api.endpoints import ApiCall, Endpoint
from tui_chat.protocol import events, names, requests, responses
from tui_chat.protocol.limits import (
    ATTACHMENTS_PER_MESSAGE,
    HISTORY_DEFAULT,
    HISTORY_PAGE,
    MESSAGE_CHARACTERS,
    NICKNAME_GRAPHEMES,
    PACKET_BYTES,
    ROOM_LIST_PAGE,
)
from tui_chat.protocol.request_base import NonNegative, Seq, ValidatedStruct
from tui_chat.protocol.wire_struct import OpaqueString

ROOM_PROBLEMS = (HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
"""Problems of a room in the path; a name that is too long results in 413."""


class RoomListParameters(ValidatedStruct, frozen=True):
    """Parameters of `GET /api/rooms`.

    Attributes:
        query: Part of the name or of the topic; without a query, all rooms.
        limit: Maximum number of rooms.
    """

    query: str | None = None
    limit: Annotated[int, Meta(ge=1, le=ROOM_LIST_PAGE)] = ROOM_LIST_PAGE


class RoomPath(ValidatedStruct, frozen=True):
    """Path parameters of a room.

    Attributes:
        name: Name of a room, or address of a private room.
    """

    name: str


class HistoryParameters(RoomPath, frozen=True):
    """Parameters of `GET /api/rooms/{name}/messages`; without `before` and `after`, the newest entries.

    Attributes:
        before: Return the newest entries with a smaller `seq`.
        after: Return the oldest entries with a greater `seq`.
        limit: Maximum number of entries.
    """

    before: Seq | None = None
    after: NonNegative | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_PAGE)] = HISTORY_DEFAULT


class MessageParameters(RoomPath, frozen=True):
    """Parameters of `POST /api/rooms/{name}/messages`.

    Attributes:
        idempotency_key: Idempotency key, the `clientId` of the message; a repeat returns the original message.
    """

    idempotency_key: UUID | None = field(default=None, name="Idempotency-Key")


class MessageBody(Struct, frozen=True, rename="camel"):
    """Body of `POST /api/rooms/{name}/messages`.

    Attributes:
        message: Text; may be empty in a message with files.
        nick_name: Nickname of a guest, by default the one in the room, or else `guest`; ignored for an account.
        reply_to: `seq` of the message to which this one replies.
        attachments: Ids of uploads of the sender.
    """

    message: Annotated[str, Meta(extra_json_schema={"maxLength": MESSAGE_CHARACTERS})]
    nick_name: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": NICKNAME_GRAPHEMES})] | None = None
    reply_to: Seq | None = None
    attachments: Annotated[list[OpaqueString], Meta(max_length=ATTACHMENTS_PER_MESSAGE)] = []


class RoomApi:
    """Endpoints of rooms and messages.

    Args:
        handlers: Request handlers of the server.

    Attributes:
        endpoints: Declared endpoints.
    """

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self.endpoints = (
            Endpoint(
                method="GET",
                path="/api/rooms",
                name="listRooms",
                summary="List public rooms, largest number of present members first",
                tag="rooms",
                handle=self._list,
                credentials="reader",
                parameters=RoomListParameters,
                response=responses.RoomListResponse,
                problems=(HTTPStatus.REQUEST_ENTITY_TOO_LARGE,),
            ),
            Endpoint(
                method="GET",
                path="/api/rooms/{name}",
                name="getRoom",
                summary="Return the state of a room",
                tag="rooms",
                handle=self._read_details,
                credentials="reader",
                parameters=RoomPath,
                response=RoomDetails,
                problems=ROOM_PROBLEMS,
            ),
            Endpoint(
                method="GET",
                path="/api/rooms/{name}/messages",
                name="listMessages",
                summary="Return entries of the log of a room, in ascending order",
                tag="rooms",
                handle=self._read_history,
                credentials="reader",
                parameters=HistoryParameters,
                response=responses.HistoryPage,
                problems=ROOM_PROBLEMS,
            ),
            Endpoint(
                method="POST",
                path="/api/rooms/{name}/messages",
                name="sendMessage",
                summary="Send a message without a join",
                tag="rooms",
                handle=self._send,
                rate_class=requests.SendMessage.rate_class,
                parameters=MessageParameters,
                body=MessageBody,
                max_body_bytes=PACKET_BYTES,
                response=events.Message,
                status=HTTPStatus.CREATED,
                problems=(*ROOM_PROBLEMS, HTTPStatus.CONFLICT),
            ),
        )

    async def _list(self, call: ApiCall[RoomListParameters, None]) -> responses.RoomListResponse:
        parameters = call.parameters
        rooms = await self._handlers.room_catalog.list_summaries(parameters.query, parameters.limit)
        return responses.RoomListResponse(rooms=rooms)

    async def _read_details(self, call: ApiCall[RoomPath, None]) -> RoomDetails:
        """Return the state of a room; raises as `RoomQueries.read_details`."""
        return await self._handlers.access_control.retry_stale(
            call.caller.create_connection(),
            partial(self._handlers.room_queries.read_details, call.caller, call.parameters.name),
        )

    async def _read_history(self, call: ApiCall[HistoryParameters, None]) -> responses.HistoryPage:
        parameters = call.parameters
        return await self._handlers.room_queries.read_history(
            call.caller, parameters.name, before=parameters.before, after=parameters.after, limit=parameters.limit
        )

    async def _send(self, call: ApiCall[MessageParameters, MessageBody]) -> events.Entry:
        """Append a message without a join, and return its entry; a repeated idempotency key returns the original entry.

        Raises:
            ChatError: The message is rejected (`MessageAppender.append`).
        """
        body = call.body
        message = requests.SendMessage(
            room=call.parameters.name,
            message=body.message,
            client_id=call.parameters.idempotency_key,
            reply_to=body.reply_to,
            author=requests.TemporaryAuthor(nick_name=body.nick_name or self._find_nick(call) or GUEST_NICK_NAME),
            attachments=body.attachments or None,
        )
        connection = call.caller.create_connection()
        result = await self._handlers.access_control.retry_stale(
            connection, partial(self._handlers.message_appender.append, connection, message)
        )
        return result.entry

    def _find_nick(self, call: ApiCall[MessageParameters, MessageBody]) -> str | None:
        """Return the nickname of the caller in the room; None for an absent one."""
        room = self._handlers.room_registry.rooms.get(names.canonical_key(call.parameters.name))
        participant = None if room is None else room.participants.get(call.caller.member_id)
        return None if participant is None else participant.member.nick_name
