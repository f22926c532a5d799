"""The native vocabulary: what each request does (docs/protocol.md, "Requests").

Rule 1  An error of the tree becomes the answer here, and nowhere else.
Rule 2  A member is put into the room before the room's log is read, so that
        whatever is not in the answer comes as a push.
Rule 3  What a request waited for may have ended its connection; whoever goes on
        after a wait asks the lobby again.

The plain vocabulary of named rooms (docs/protocol.md, "Plain clients") is the
same events with fewer fields, so it needs no code of its own.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from msgspec import Raw

from server.domain.drafts import DeletionDraft, Draft, EditDraft, MessageDraft, ReactionDraft, TopicDraft
from server.domain.guests import Guests
from server.domain.rooms import Arrival, Departure, Lobby
from server.gateway import fanout
from server.gateway.announcer import Announcer
from server.gateway.connection import Connection, Wire
from server.gateway.limits import RequestLimits
from server.gateway.turns import Turns
from server.protocol import answers, entries, requests
from server.protocol.codec import decode_request, encode_answer, encode_error
from server.protocol.errors import BadRequest, ChatError, Internal, Unavailable
from server.protocol.names import key
from server.storage.database import Database

log = logging.getLogger("chat.gateway")

JOINS_EACH_TURN = 4
"""Answers to joins in each turn of the event loop: in a room of thousands one takes 2 ms."""

Handler = Callable[[Connection, Any], Awaitable[entries.Wire]]


class Clock(Protocol):
    """Both clocks that the gateway reads."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...


class NativeGateway:
    """Turns events into answers and pushes.

    Args:
        database: Where entries are written and read.
        guests: Who knows the members without an account.
        limits: How often a connection may ask.
        clock: The time.
        new_sid: Gives a new Socket.IO session id.

    Attributes:
        published: Entries told to rooms since the start.
    """

    def __init__(
        self, database: Database, guests: Guests, limits: RequestLimits, clock: Clock, new_sid: Callable[[], str]
    ) -> None:
        self._database = database
        self._guests = guests
        self._limits = limits
        self._clock = clock
        self._new_sid = new_sid
        self._lobby = Lobby[Connection]()
        self._announcer = Announcer(clock.now, clock.monotonic)
        self._joins = Turns(JOINS_EACH_TURN)
        self._connections: set[Connection] = set()
        self._stopping = False
        self.published = 0
        self._handlers: dict[type[requests.Request], Handler] = {
            requests.JoinRoom: self._join,
            requests.LeaveRoom: self._leave,
            requests.SendMessage: self._send,
            requests.History: self._history,
            requests.EditMessage: self._edit,
            requests.DeleteMessage: self._delete,
            requests.React: self._react,
            requests.SetTopic: self._set_topic,
            requests.Typing: self._typing,
            requests.ListRooms: self._list_rooms,
            requests.ChangeNick: self._change_nick,
        }
        database.journal.subscribe(self.publish)

    # -- what the engine tells

    def arrived(self, wire: Wire, address: str, auth: Raw | None) -> Connection:
        """A client wants in; guests need nothing, so `auth` is not looked at."""
        if self._stopping:
            raise Unavailable("the server is stopping", 1.0)
        connection = Connection(wire, self._new_sid(), address, self._limits.buckets(self._clock.monotonic()))
        self._connections.add(connection)
        return connection

    async def event(self, connection: Connection, name: str, arguments: list[Raw]) -> bytes:
        """Carry a request out and answer it."""
        try:
            if self._stopping:
                raise Unavailable("the server is stopping", 1.0)
            request = decode_request(name, arguments[0] if arguments else b"null")
            handler = self._handlers.get(type(request))
            if handler is None:
                raise BadRequest("this server does not serve this request")
            self._limits.admit(connection.buckets, request, self._clock.monotonic())
            return encode_answer(await handler(connection, request))
        except ChatError as refusal:
            if isinstance(refusal, BadRequest):
                self._count_fault(connection, refusal)
            return encode_error(refusal)
        except Exception:
            log.exception("a request could not be carried out")
            return encode_error(Internal("the server made a mistake; its log has the details"))

    def gone(self, connection: Connection) -> None:
        """The connection has ended."""
        self._connections.discard(connection)
        for departure in self._lobby.drop(connection):
            self._departed(departure)

    def publish(self, committed: Sequence[entries.Entry]) -> None:
        """Tell the rooms what is now on disk."""
        self.published += len(committed)
        for entry in committed:
            room = self._lobby.rooms.get(key(entry.room))
            if room is not None:
                event = entries.MESSAGE if isinstance(entry, entries.Message) else entries.UPDATE
                fanout.to_room(room, fanout.push_frame(event, entry))

    def present(self) -> tuple[int, int]:
        """How many rooms have somebody in them, and how many members these have in all."""
        rooms = self._lobby.rooms.values()
        return len(rooms), sum(len(room.occupants) for room in rooms)

    def say_goodbye(self, reconnect_after: float) -> None:
        """Take no more requests, and tell everybody when to come back."""
        self._stopping = True
        frame = fanout.push_frame(entries.GOING_AWAY, entries.GoingAwayPush(reconnect_after=reconnect_after))
        for connection in self._connections:
            connection.push(frame)

    def close(self) -> None:
        """Forget what was to be told later."""
        self._announcer.close()

    # -- coming and going

    async def _join(self, connection: Connection, request: requests.JoinRoom) -> answers.Joined:
        member_id = self._identify(connection, request.guest_key)
        was_in = any(room.key == key(request.room_name) for room in self._lobby.rooms_of(connection))
        arrival = self._lobby.join(connection, request.room_name, member_id, request.nick_name)
        room = arrival.room
        self._announcer.arrived(arrival)
        try:
            backlog = await self._database.reader.backlog(room.key, since=request.since, limit=request.limit)
        except ChatError:
            if not was_in:
                departure = self._lobby.leave(connection, room.name)
                if departure.left:
                    self._announcer.withdrew(departure)
            raise
        await self._joins.take()
        room, occupant = self._lobby.place(connection, room.name)
        stored = backlog.room
        if stored is not None:
            room.name = stored.name
        self._announcer.welcome(Arrival(room, occupant, arrival.came, arrival.old_nick), connection)
        state = answers.RoomState(
            name=room.name,
            topic=stored.topic if stored else "",
            last_seq=stored.last_seq if stored else 0,
            visibility=stored.visibility if stored else "public",
        )
        return answers.Joined(
            room=state,
            nick_name=occupant.nick_name,
            member_id=member_id,
            guest_key=self._guests.key_of(member_id),
            members=room.members(),
            messages=backlog.entries,
            has_more=backlog.has_more,
        )

    def _identify(self, connection: Connection, guest_key: str | None) -> str:
        """The member that a join is by: the key's, else the connection's own, else a new one.

        A key of another server (or of a database that is gone) makes a new guest: it proves nothing,
        and who presents it only wants to talk.
        """
        member_id = self._guests.recognise(guest_key) if guest_key is not None else None
        member_id = member_id or connection.member_id or self._guests.new_member_id()
        if connection.member_id is None:
            connection.member_id = member_id
        return member_id

    async def _leave(self, connection: Connection, request: requests.LeaveRoom) -> answers.Done:
        self._departed(self._lobby.leave(connection, request.room))
        return answers.Done()

    def _departed(self, departure: Departure[Connection]) -> None:
        if departure.left:
            self._announcer.left(departure)

    async def _change_nick(self, connection: Connection, request: requests.ChangeNick) -> answers.Renaming:
        if request.room is not None:
            places = [self._lobby.place(connection, request.room)]
        else:
            places = [(room, room.connections[connection]) for room in self._lobby.rooms_of(connection)]
        got = request.nick_name
        for room, occupant in places:
            old = self._lobby.rename(room, occupant, request.nick_name)
            if old is not None:
                self._announcer.renamed(room, occupant, old)
            got = occupant.nick_name
        return answers.Renaming(nick_name=got)

    # -- writing

    async def _send(self, connection: Connection, request: requests.SendMessage) -> answers.Sent:
        room, occupant = self._lobby.place(connection, request.room)
        draft = MessageDraft(
            room=room.ref(),
            author=occupant.author(),
            message=request.message,
            client_id=request.client_id,
            reply_to=request.reply_to,
        )
        appended = await self._database.journal.append(draft)
        entry = appended.entry
        return answers.Sent(seq=entry.seq, id=entry.id, ts=entry.ts, duplicate=appended.duplicate)

    async def _edit(self, connection: Connection, request: requests.EditMessage) -> answers.Revised:
        room, occupant = self._lobby.place(connection, request.room)
        author = occupant.author()
        return await self._revise(
            EditDraft(room=room.ref(), author=author, target=request.seq, message=request.message)
        )

    async def _delete(self, connection: Connection, request: requests.DeleteMessage) -> answers.Revised:
        room, occupant = self._lobby.place(connection, request.room)
        return await self._revise(DeletionDraft(room=room.ref(), author=occupant.author(), target=request.seq))

    async def _react(self, connection: Connection, request: requests.React) -> answers.Revised:
        room, occupant = self._lobby.place(connection, request.room)
        author = occupant.author()
        return await self._revise(
            ReactionDraft(room=room.ref(), author=author, target=request.seq, emoji=request.emoji, on=request.on)
        )

    async def _set_topic(self, connection: Connection, request: requests.SetTopic) -> answers.Revised:
        room, occupant = self._lobby.place(connection, request.room)
        return await self._revise(TopicDraft(room=room.ref(), author=occupant.author(), topic=request.topic))

    async def _revise(self, draft: Draft) -> answers.Revised:
        return answers.Revised(revision=(await self._database.journal.append(draft)).entry.seq)

    # -- reading

    async def _history(self, connection: Connection, request: requests.History) -> answers.Page:
        room, _ = self._lobby.place(connection, request.room)
        return await self._database.reader.page(
            room.key, before=request.before, after=request.after, around=request.around, limit=request.limit
        )

    async def _list_rooms(self, connection: Connection, request: requests.ListRooms) -> answers.Rooms:
        stored = await self._database.reader.rooms(request.query, request.limit)
        summaries = {
            row.key: answers.RoomSummary(
                name=row.name, topic=row.topic, members=self._present(row.key), last_seq=row.last_seq
            )
            for row in stored
        }
        wanted = request.query.casefold() if request.query else ""
        for room in self._lobby.rooms.values():
            if room.key not in summaries and wanted in room.key:
                summaries[room.key] = answers.RoomSummary(
                    name=room.name, topic="", members=len(room.occupants), last_seq=0
                )
        listed = sorted(summaries.values(), key=lambda summary: -summary.members)
        return answers.Rooms(rooms=listed[: request.limit])

    def _present(self, room_key: str) -> int:
        room = self._lobby.rooms.get(room_key)
        return len(room.occupants) if room is not None else 0

    async def _typing(self, connection: Connection, request: requests.Typing) -> answers.Done:
        room, occupant = self._lobby.place(connection, request.room)
        push = entries.TypingPush(room=room.name, member_id=occupant.member_id, on=request.on)
        fanout.to_room(room, fanout.push_frame(entries.TYPING, push), but=connection)
        return answers.Done()

    def _count_fault(self, connection: Connection, refusal: ChatError) -> None:
        if not self._limits.tolerates_fault(connection.buckets, self._clock.monotonic()):
            connection.hang_up("too many requests that are not valid")
