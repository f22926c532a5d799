"""Dialect with `joinRoom {nickName, id, roomId}`, `client_msg`, `server_msg` and `roomUser` (docs/dialects.md).

- User lists: `roomUser` is sent after presence changes, and contains all rooms that the recipient joined in this
  dialect, with up to 2,000 members of all dialects in total.
- User ids: `id` is an unverified id of the application. The server uses the `id` of the latest join; ids in messages
  are ignored. Members without such an `id` appear with their member id.
- Room ids: each recipient receives the `roomId` of its own join, even after a rename of the room.
- Traffic: presence changes within `PRESENCE_INTERVAL` are sent together, once per recipient. After each list, a large
  room has a cooldown that limits its lists to `USER_LIST_BYTES_PER_SECOND`. A join is answered with a list immediately.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import cache
from typing import Annotated, ClassVar
from weakref import WeakKeyDictionary

import msgspec

from server.domain.live_room import LiveRoom, Participant
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame, encode_event
from server.gateway.dialects.dialect import Dialect, decode_payload
from server.gateway.fanout import RoomEvent
from server.gateway.handlers import Handlers
from server.gateway.presence_broadcaster import PRESENCE_INTERVAL
from tui_chat.protocol import codec, errors, events, limits, names, requests, sanitize

log = logging.getLogger("chat.gateway")

USER_LIST_BYTES_PER_SECOND = 10_000_000
"""Limit of the user lists of a room in bytes per second, summed over all subscribers."""

_MAX_LISTED_MEMBERS = 2_000  # of all rooms in one frame, which stays below 1 MiB

_TYPE_FROM_OTHER, _TYPE_FROM_SELF = 1, 2  # `type` of a message; clients show the two types on opposite sides

ClientInteger = Annotated[int, msgspec.Meta(ge=-limits.SEQ_MAX, le=limits.SEQ_MAX)]
ClientRoomId = str | ClientInteger | float  # room id of the application, a name or a number
ClientUserId = str | ClientInteger | float  # user id of the application; tutorials often use `Math.random()`


class _JoinPayload(msgspec.Struct, rename="camel"):
    nick_name: str
    room_id: ClientRoomId
    id: ClientUserId | None = None


class _MessagePayload(msgspec.Struct, rename="camel"):
    msg: str
    room_id: ClientRoomId


class ServerMsgJoin(requests.JoinRoom, frozen=True, kw_only=True):
    """Join with the room id and the user id of the client."""

    room_id: ClientRoomId
    user_id: ClientUserId | None


class ServerMsgDialect(Dialect):
    """Dialect with user lists and message types."""

    name: ClassVar[str] = "server_msg"

    def __init__(self, room_registry: RoomRegistry[ClientConnection], timezone: tzinfo | None) -> None:
        super().__init__(room_registry, timezone)
        self._joins_by_connection = WeakKeyDictionary[ClientConnection, dict[str, ServerMsgJoin]]()
        self._changed_rooms = set[LiveRoom[ClientConnection]]()
        self._cooldown_until: dict[LiveRoom[ClientConnection], float] = {}
        self._next_flush_at = 0.0
        self._flush_timer: asyncio.TimerHandle | None = None

    def matches(self, event: str, arguments: list[msgspec.Raw]) -> bool:
        """Return whether the event is `client_msg`, or a join whose JSON text has `"roomId"` and not `"roomName"`."""
        if event != "joinRoom":
            return event == "client_msg"
        body = bytes(arguments[0]) if arguments else b""
        return b'"roomId"' in body and b'"roomName"' not in body

    def decode(self, connection: ClientConnection, event: str, arguments: list[msgspec.Raw]) -> requests.Request:
        """Decode `client_msg` as a message, and any other event as a join.

        The room name is the `roomId` as text. Nickname and user id of a message are ignored. A join requests one entry
        of the history.

        Raises:
            ChatError: The payload, a name or the message is invalid, or the user id is too long.
        """
        if event == "client_msg":
            payload = decode_payload(_MessagePayload, arguments)
            return requests.SendMessage(room=_to_room_name(payload.room_id), message=payload.msg)
        join_payload = decode_payload(_JoinPayload, arguments)
        return ServerMsgJoin(
            room_name=_to_room_name(join_payload.room_id),
            nick_name=join_payload.nick_name,
            limit=1,
            room_id=join_payload.room_id,
            user_id=_sanitize_user_id(join_payload.id),
        )

    async def handle(
        self, handlers: Handlers, connection: ClientConnection, request: requests.Request, *, wants_ack: bool
    ) -> events.WireStruct:
        """Run a request; a successful join pushes `roomUser` to the connection before the response.

        A repeated join replaces the `roomId` and the `id` of the connection in this room, even if the join fails.

        Raises:
            ChatError: The request is rejected (`Handlers`).
        """
        if not isinstance(request, ServerMsgJoin):
            return await handlers.handle(connection, request)
        earlier_joins = self._joins_by_connection.get(connection, {})
        self._joins_by_connection[connection] = {
            **{key: join for key, join in earlier_joins.items() if self.room_registry.find_room(connection, key)},
            names.canonical_key(request.room_name): request,
        }
        response = await super().handle(handlers, connection, request, wants_ack=wants_ack)
        self._send_user_lists([connection])
        return response

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """Push a message as `server_msg`, or schedule `roomUser` for all subscribers of a room with presence changes.

        Other events are ignored.
        """
        if isinstance(room_event, events.Message):
            self._deliver_message(room, room_event, recipients)
        elif isinstance(room_event, events.PresencePush):
            self._changed_rooms.add(room)
            self._schedule_flush()

    def close(self) -> None:
        """Discard the scheduled user lists."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()

    def _deliver_message(
        self, room: LiveRoom[ClientConnection], message: events.Message, recipients: Iterable[ClientConnection]
    ) -> None:
        """Push a message with the `roomId` and the type of each recipient; equal frames are encoded once.

        An author who is not present in the room has the member id as `userId`.
        """
        author = room.participants.get(message.member_id)
        times = datetime.fromtimestamp(message.ts / 1000, self.timezone).strftime("%Y-%m-%d %H:%M:%S")
        user_id = message.member_id if author is None else self._get_client_user_id(room, author)

        @cache
        def encode(room_id: ClientRoomId, message_type: int) -> Frame:
            return encode_event(
                "server_msg",
                {
                    "msg": message.message,
                    "nickName": message.nick_name,
                    "roomId": room_id,
                    "times": times,
                    "userId": user_id,
                    "type": message_type,
                },
            )

        for recipient in recipients:
            message_type = _TYPE_FROM_SELF if room.connections[recipient] is author else _TYPE_FROM_OTHER
            recipient.push(encode(self._get_client_room_id(recipient, room), message_type))

    def _schedule_flush(self) -> None:
        """Schedule a flush at the end of the current interval, unless one is scheduled."""
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_at(self._next_flush_at, self._flush_user_lists)

    def _flush_user_lists(self) -> None:
        """Send the user lists of all changed rooms that have no active cooldown.

        A large list starts a cooldown of its room. Further flushes follow until no changed room is left.
        """
        self._flush_timer = None
        now = asyncio.get_running_loop().time()
        self._cooldown_until = {
            room: cooldown_end for room, cooldown_end in self._cooldown_until.items() if cooldown_end > now
        }
        due_rooms = self._changed_rooms - self._cooldown_until.keys()
        self._changed_rooms &= self._cooldown_until.keys()
        sent_bytes = self._send_user_lists(
            {recipient: None for room in due_rooms for recipient in room.subscribers.get(self.name, ())}
        )
        for room in due_rooms:
            cooldown = (
                sum(sent_bytes.get(subscriber, 0) for subscriber in room.subscribers.get(self.name, ()))
                / USER_LIST_BYTES_PER_SECOND
            )
            if cooldown > PRESENCE_INTERVAL:
                self._cooldown_until[room] = now + cooldown
        self._next_flush_at = now + PRESENCE_INTERVAL
        if self._changed_rooms:
            self._schedule_flush()

    def _send_user_lists(self, recipients: Iterable[ClientConnection]) -> dict[ClientConnection, int]:
        """Send `roomUser` with all rooms joined in this dialect to each recipient, and return the bytes by recipient.

        A user list is encoded once per room and length, and a frame once per combination of rooms. A frame contains at
        most `_MAX_LISTED_MEMBERS` members, divided equally among its rooms. The exceptions of recipients are logged as
        one line; the others receive their lists.
        """
        encode_user_list = cache(self._encode_user_list)
        frames: dict[tuple[tuple[str, LiveRoom[ClientConnection]], ...], Frame] = {}
        sent_bytes: dict[ClientConnection, int] = {}
        failures: list[Exception] = []
        for recipient in recipients:
            try:
                rooms = tuple(
                    (_to_room_name(self._get_client_room_id(recipient, room)), room)
                    for room in self.room_registry.get_joined_rooms(recipient)
                    if recipient in room.subscribers.get(self.name, ())
                )
                frame = frames.get(rooms)
                if frame is None:
                    length = _MAX_LISTED_MEMBERS // max(1, len(rooms))
                    frame = frames[rooms] = encode_event(
                        "roomUser", {room_id: encode_user_list(room, length) for room_id, room in rooms}
                    )
                recipient.push(frame)
                sent_bytes[recipient] = len(frame.polling_bytes)
            except Exception as error:
                failures.append(error)
        if failures:
            log.error("user lists failed, recipients without lists: %d", len(failures), exc_info=failures[0])
        return sent_bytes

    def _encode_user_list(self, room: LiveRoom[ClientConnection], length: int) -> msgspec.Raw:
        """Return at most `length` prominent members of a room as JSON."""
        return msgspec.Raw(
            msgspec.json.encode(
                [
                    {
                        "nickName": participant.member.nick_name,
                        "socketId": participant.member.member_id,
                        "id": self._get_client_user_id(room, participant),
                    }
                    for participant in room.list_prominent()[:length]
                ]
            )
        )

    def _get_client_room_id(self, recipient: ClientConnection, room: LiveRoom[ClientConnection]) -> ClientRoomId:
        """Return the `roomId` of the join of a recipient, or the room name without a join in this dialect."""
        join = self._find_join(recipient, room)
        return room.name if join is None else join.room_id

    def _get_client_user_id(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection]
    ) -> ClientUserId:
        """Return the user id of any join of the participant in this dialect, or the member id without one."""
        for connection in participant.connections:
            join = self._find_join(connection, room)
            if join is not None and join.user_id is not None:
                return join.user_id
        return participant.member.member_id

    def _find_join(self, connection: ClientConnection, room: LiveRoom[ClientConnection]) -> ServerMsgJoin | None:
        """Return the latest join of a connection in a room, even under a former name; None without one."""
        joins = self._joins_by_connection.get(connection, {})
        if room.key in joins:
            return joins[room.key]
        find_room = self.room_registry.find_room
        return next((join for key, join in joins.items() if find_room(connection, key) is room), None)


def _to_room_name(room_id: ClientRoomId) -> str:
    """Return a room id as text; whole numbers have no decimal point."""
    return str(codec.number_to_text(room_id))


def _sanitize_user_id(user_id: ClientUserId | None) -> ClientUserId | None:
    """Return a string as one sanitized line, None if empty; numbers and None are unchanged.

    Raises:
        TooLong: The line has more than `SECRET_CHARACTERS` characters.
    """
    if not isinstance(user_id, str):
        return user_id
    sanitized = sanitize.sanitize_line(user_id)
    if len(sanitized) > limits.SECRET_CHARACTERS:
        raise errors.TooLong("user_id_too_long", limit=limits.SECRET_CHARACTERS)
    return sanitized or None
