"""Grouped rooms: `joinRoom {nickName, id, roomId}`, `client_msg`, `server_msg`, `roomUser` (WIRE, section 2.3).

Rule 1  Its readers are told who is in their rooms, everybody included, whenever
        that changes; one reader is never told of a room that it is not in.
Rule 2  `id` is the name that the client's own application has for its user. It
        proves nothing; it is kept as it was given at the join, and what a later
        payload says is ignored. A member of another dialect has its member id.
Rule 3  A room is called to each reader as that reader called it.
Rule 4  A list goes to everybody whole, which in a large room is much: after each
        time a room rests so long that its lists are `LIST_BYTES` a second at most.
        What changed in several rooms within `PRESENCE_TICK` is told in one go: a
        reader of all of them gets all their lists, and gets them once.
        Who joins is told at once.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Meta, Raw, Struct

from server.domain.rooms import LiveRoom, Participant
from server.gateway import packets
from server.gateway.announcer import PRESENCE_TICK
from server.gateway.commands import Commands
from server.gateway.connection import Connection
from server.gateway.dialects.dialect import Dialect, Surroundings
from server.gateway.fanout import News
from server.gateway.frames import Frame
from server.protocol import answers, entries, requests, text
from server.protocol.errors import BadRequest, TooLong
from server.protocol.limits import SECRET_CHARACTERS, SEQ_MAX
from server.protocol.names import canonical_key

LIST_BYTES = 10_000_000
"""In a second, to all readers of a room."""

THEIRS, YOURS = 1, 2
"""The `type` of a message: at the left or at the right of the screen."""

WholeNumber = Annotated[int, Meta(ge=-SEQ_MAX, le=SEQ_MAX)]
Id = str | WholeNumber
"""Applications count their rooms and users, or name them."""

UserId = str | WholeNumber | float
"""Or draw lots: `Math.random()` is an id in many a tutorial."""


class _Join(Struct, rename="camel"):
    nick_name: str
    room_id: Id
    id: UserId | None = None


class _Send(Struct, rename="camel"):
    msg: str
    room_id: Id


class GroupedJoin(requests.JoinRoom, frozen=True, kw_only=True):
    """A join, and what the client calls the room and itself."""

    room_id: Id
    user_id: UserId | None


class _User(Struct, frozen=True, rename="camel"):
    nick_name: str
    socket_id: str
    id: UserId


class _ServerMessage(Struct, frozen=True, rename="camel"):
    msg: str
    nick_name: str
    room_id: Id
    times: str
    user_id: UserId
    type: int


_join = msgspec.json.Decoder(_Join)
_send = msgspec.json.Decoder(_Send)


class Grouped(Dialect):
    """Rooms with a list of users, messages at the left and at the right."""

    name: ClassVar[str] = "grouped"
    events: ClassVar[frozenset[str]] = frozenset({"joinRoom", "client_msg"})

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._joins = WeakKeyDictionary[Connection, dict[str, GroupedJoin]]()
        self._changed = set[str]()
        self._rests_until: dict[str, float] = {}
        self._quiet_until = 0.0
        self._planned_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def takes(self, event: str, arguments: list[Raw]) -> bool:
        """A message, and a join that speaks of a `roomId` instead of a `roomName`."""
        body = bytes(arguments[0]) if arguments else b""
        return event == "client_msg" or (b'"roomId"' in body and b'"roomName"' not in body)

    def decode(self, connection: Connection, event: str, arguments: list[Raw]) -> requests.Request:
        """A join or a message."""
        body = arguments[0] if arguments else b"null"
        try:
            if event == "client_msg":
                said = _send.decode(body)
                return requests.SendMessage(room=str(said.room_id), message=said.msg)
            join = _join.decode(body)
        except (msgspec.MsgspecError, RecursionError) as fault:
            raise BadRequest(str(fault)[:200]) from None
        return GroupedJoin(
            room_name=str(join.room_id),
            nick_name=join.nick_name,
            limit=1,
            room_id=join.room_id,
            user_id=_user_id(join.id),
        )

    async def carry_out(
        self, commands: Commands, connection: Connection, request: requests.Request, *, answered: bool
    ) -> entries.WireStruct:
        """Do it; who joined is told at once who is there."""
        if not isinstance(request, GroupedJoin):
            return await commands.carry_out(connection, request)
        return await self._join(commands, connection, request)

    async def _join(self, commands: Commands, connection: Connection, request: GroupedJoin) -> answers.JoinResponse:
        joins = self._joins.setdefault(connection, {})
        for left in joins.keys() - {room.key for room in self.surroundings.lobby.joined_rooms(connection)}:
            del joins[left]
        joins[canonical_key(request.room_name)] = request
        joined = await commands.join(connection, request, form=self.name, via=self.name)
        self._tell_users([connection])
        return joined

    def tell(self, room: LiveRoom[Connection], news: News, readers: Iterable[Connection]) -> None:
        """Messages, and who is there."""
        match news:
            case entries.Message():
                self._tell_message(room, news, readers)
            case entries.PresencePush():
                self._tell_later(room)
            case _:
                pass

    def _tell_message(
        self, room: LiveRoom[Connection], message: entries.Message, readers: Iterable[Connection]
    ) -> None:
        author = room.participants.get(message.member_id)
        at = datetime.fromtimestamp(message.ts / 1000, self.surroundings.zone)
        body = partial(
            _ServerMessage,
            msg=message.message,
            nick_name=message.nick_name,
            times=at.strftime("%Y-%m-%d %H:%M:%S"),
            user_id=message.member_id if author is None else self._user_id(room, author),
        )
        frames: dict[tuple[Id, int], Frame] = {}
        for reader in readers:
            room_id = self._room_id(reader, room)
            side = YOURS if room.connections[reader] is author else THEIRS
            frame = frames.get((room_id, side))
            if frame is None:
                frame = frames[room_id, side] = _frame("server_msg", body(room_id=room_id, type=side))
            reader.push(frame)

    def _tell_later(self, room: LiveRoom[Connection]) -> None:
        """Tell all its readers who is in the room, soon or when it has rested (rule 4)."""
        self._changed.add(room.key)
        self._plan(max(self._quiet_until, self._rests_until.get(room.key, 0.0)))

    def _plan(self, at: float) -> None:
        """Tell what changed at this time of the event loop, if not before."""
        if self._timer is not None:
            if self._planned_at <= at:
                return
            self._timer.cancel()
        self._planned_at = at
        self._timer = asyncio.get_running_loop().call_at(at, self._tell_changed)

    def _tell_changed(self) -> None:
        """Tell the readers of all rooms that changed and have rested."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        self._rests_until = {room_key: until for room_key, until in self._rests_until.items() if until > now}
        rooms = self.surroundings.lobby.rooms
        due = [rooms[room_key] for room_key in self._changed - self._rests_until.keys() if room_key in rooms]
        self._changed &= self._rests_until.keys()
        sent = self._tell_users({reader: None for room in due for reader in room.subscribers.get(self.name, ())})
        for room in due:
            rest = sum(sent[reader] for reader in room.subscribers.get(self.name, ())) / LIST_BYTES
            if rest > PRESENCE_TICK:
                self._rests_until[room.key] = now + rest
        self._quiet_until = now + PRESENCE_TICK
        if self._changed:
            self._plan(max(self._quiet_until, min(self._rests_until[room_key] for room_key in self._changed)))

    def _tell_users(self, readers: Iterable[Connection]) -> dict[Connection, int]:
        """To each reader, all rooms that it reads in this form (rule 1); how many bytes that is.

        A room's list is encoded once, and so is what readers of the same rooms get.
        """
        lists: dict[str, Raw] = {}
        frames: dict[tuple[tuple[str, str], ...], Frame] = {}
        sent: dict[Connection, int] = {}
        for reader in readers:
            same = tuple(
                (str(self._room_id(reader, room)), room.key)
                for room in self.surroundings.lobby.joined_rooms(reader)
                if reader in room.subscribers.get(self.name, ())
            )
            frame = frames.get(same)
            if frame is None:
                for _, room_key in same:
                    if room_key not in lists:
                        lists[room_key] = self._users(self.surroundings.lobby.rooms[room_key])
                frame = frames[same] = _frame("roomUser", {room_id: lists[room_key] for room_id, room_key in same})
            reader.push(frame)
            sent[reader] = len(frame.payload)
        return sent

    def _users(self, room: LiveRoom[Connection]) -> Raw:
        users = [
            _User(nick_name=occupant.nick_name, socket_id=occupant.member_id, id=self._user_id(room, occupant))
            for occupant in room.participants.values()
        ]
        return Raw(msgspec.json.encode(users))

    def _room_id(self, reader: Connection, room: LiveRoom[Connection]) -> Id:
        join = self._joins.get(reader, {}).get(room.key)
        return room.name if join is None else join.room_id

    def _user_id(self, room: LiveRoom[Connection], occupant: Participant[Connection]) -> UserId:
        for connection in occupant.connections:
            join = self._joins.get(connection, {}).get(room.key)
            if join is not None and join.user_id is not None:
                return join.user_id
        return occupant.member_id


def _user_id(given: UserId | None) -> UserId | None:
    """A user's id as others may see it.

    Raises:
        TooLong: It is longer than any that applications give.
    """
    if not isinstance(given, str):
        return given
    cleaned = text.sanitize_line(given)
    if len(cleaned) > SECRET_CHARACTERS:
        raise TooLong(f"a user's id can have {SECRET_CHARACTERS} characters")
    return cleaned or None


def _frame(event: str, body: Any) -> Frame:
    return Frame(packets.event(msgspec.json.encode((event, body))))
