"""What each request does, whichever dialect it came in (docs/protocol.md, "Requests").

Rule 1  A member is put into the room before the room's log is read, so that
        whatever is not in the answer comes as a push.
Rule 2  What a request waited for may have ended its connection; whoever goes on
        after a wait asks the lobby again.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from server.domain.addresses import PerAddressLimiter
from server.domain.drafts import AppendDeletion, AppendEdit, AppendMessage, AppendReaction, AppendTopic, LogCommand
from server.domain.guests import GuestKeys
from server.domain.rooms import JoinResult, LeaveResult, RoomRegistry
from server.gateway.announcer import Announcer
from server.gateway.chatrooms import Chatrooms
from server.gateway.connection import Connection
from server.gateway.fanout import Fanout
from server.gateway.turns import Turns
from server.protocol import answers, entries, requests
from server.protocol.errors import BadRequest, ChatError
from server.protocol.names import canonical_key
from server.storage.database import Database

JOINS_EACH_TURN = 4
"""Answers to joins in each turn of the event loop: in a room of thousands one takes 2 ms."""

Handler = Callable[[Connection, Any], Awaitable[entries.WireStruct]]


class Clock(Protocol):
    """Both clocks that the gateway reads."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...


class Commands:
    """What can be asked for. Every command raises the `ChatError` that refuses it.

    Args:
        database: Where entries are written and read.
        guests: Who knows the members without an account.
        clock: The time.
        lobby: Who is where.
        fanout: Tells rooms what happens in them.
        room_writes: How often one address may make, rename or remove a room; None for no rate of its own.

    Attributes:
        chatrooms: What can be asked of the list of rooms.
        published: Entries told to rooms since the start.
    """

    def __init__(
        self,
        database: Database,
        guests: GuestKeys,
        clock: Clock,
        lobby: RoomRegistry[Connection],
        fanout: Fanout,
        *,
        room_writes: PerAddressLimiter | None,
    ) -> None:
        self._database = database
        self._guests = guests
        self._lobby = lobby
        self._fanout = fanout
        self._announcer = Announcer(clock.now, clock.monotonic, fanout)
        self._joins = Turns(JOINS_EACH_TURN)
        self.chatrooms = Chatrooms(database, guests, lobby, clock.monotonic, room_writes)
        self.published = 0
        self._handlers: dict[type[requests.Request], Handler] = {
            requests.LeaveRoom: self._leave,
            requests.SendMessage: self.send,
            requests.History: self._history,
            requests.EditMessage: self._edit,
            requests.DeleteMessage: self._delete,
            requests.React: self._react,
            requests.SetTopic: self._set_topic,
            requests.Typing: self._typing,
            requests.Search: self._search,
            requests.ListRooms: self._list_rooms,
            requests.ChangeNick: self._change_nick,
        }
        database.journal.set_publisher(self.publish)

    def carry_out(self, connection: Connection, request: requests.Request) -> Awaitable[entries.WireStruct]:
        """Do what a request other than a join asks for.

        Returns:
            Its answer, one of `server.protocol.answers`.
        """
        handler = self._handlers.get(type(request))
        if handler is None:
            raise BadRequest("this server does not serve this request")
        return handler(connection, request)

    def publish(self, committed: Sequence[entries.Entry]) -> None:
        """Tell the rooms what is now on disk."""
        self.published += len(committed)
        for entry in committed:
            room = self._lobby.rooms.get(canonical_key(entry.room))
            if room is not None:
                self._fanout.to_room(room, entry)

    def gone(self, connection: Connection) -> None:
        """The connection has ended, and is in no room any more."""
        for departure in self._lobby.leave_all(connection):
            self._departed(departure)

    def close(self) -> None:
        """Forget what was to be told later."""
        self._announcer.close()

    # -- coming and going

    async def join(
        self, connection: Connection, request: requests.JoinRoom, *, form: str, via: str | None
    ) -> answers.JoinResponse:
        """Come into a room, to read it in this form; `via` is what the others are told of it."""
        member_id = self._identify(connection, request.guest_key)
        was_in = any(room.key == canonical_key(request.room_name) for room in self._lobby.joined_rooms(connection))
        arrival = self._lobby.join(
            connection, request.room_name, member_id, request.nick_name, dialect=form, client_kind=via
        )
        room = arrival.room
        self._announcer.arrived(arrival)
        try:
            backlog = await self._database.reader.read_join_snapshot(room.key, since=request.since, limit=request.limit)
        except ChatError:
            if not was_in:
                departure = self._lobby.leave(connection, room.name)
                if departure.is_last:
                    self._announcer.withdrew(departure)
            raise
        await self._joins.take()
        room, occupant = self._lobby.require_membership(connection, room.name)
        stored = backlog.room
        if stored is not None:
            room.name = stored.name
        self._announcer.welcome(JoinResult(room, occupant, arrival.is_new, arrival.old_nick), connection)
        state = answers.RoomState(
            name=room.name,
            topic=stored.topic if stored else "",
            last_seq=stored.last_seq if stored else 0,
            visibility=stored.visibility if stored else "public",
        )
        return answers.JoinResponse(
            room=state,
            nick_name=occupant.nick_name,
            member_id=member_id,
            guest_key=self._guests.issue(member_id),
            members=room.list_members(),
            messages=backlog.entries,
            has_more=backlog.has_more,
        )

    def _identify(self, connection: Connection, guest_key: str | None) -> str:
        """The member that a join is by: the key's, else the connection's own, else a new one.

        A key of another server (or of a database that is gone) makes a new guest: it proves nothing,
        and who presents it only wants to talk.
        """
        member_id = self._guests.verify(guest_key) if guest_key is not None else None
        member_id = member_id or connection.member_id or self._guests.generate_member_id()
        if connection.member_id is None:
            connection.member_id = member_id
        return member_id

    async def _leave(self, connection: Connection, request: requests.LeaveRoom) -> answers.Empty:
        self._departed(self._lobby.leave(connection, request.room))
        return answers.Empty()

    def _departed(self, departure: LeaveResult[Connection]) -> None:
        if departure.is_last:
            self._announcer.left(departure)

    async def _change_nick(self, connection: Connection, request: requests.ChangeNick) -> answers.NickChanged:
        if request.room is not None:
            places = [self._lobby.require_membership(connection, request.room)]
        else:
            places = [(room, room.connections[connection]) for room in self._lobby.joined_rooms(connection)]
        got = request.nick_name
        for room, occupant in places:
            old = self._lobby.change_nick(room, occupant, request.nick_name)
            if old is not None:
                self._announcer.renamed(room, occupant, old)
            got = occupant.nick_name
        return answers.NickChanged(nick_name=got)

    # -- writing

    async def send(self, connection: Connection, request: requests.SendMessage) -> answers.SendResponse:
        """Say something in a room that the connection is in."""
        room, occupant = self._lobby.require_membership(connection, request.room)
        draft = AppendMessage(
            room=room.to_ref(),
            author=occupant.to_author(),
            message=request.message,
            client_id=request.client_id,
            reply_to=request.reply_to,
        )
        appended = await self._database.journal.append(draft)
        entry = appended.entry
        return answers.SendResponse(seq=entry.seq, id=entry.id, ts=entry.ts, duplicate=appended.duplicate)

    async def _edit(self, connection: Connection, request: requests.EditMessage) -> answers.ChangeAccepted:
        room, occupant = self._lobby.require_membership(connection, request.room)
        author = occupant.to_author()
        return await self._revise(
            AppendEdit(room=room.to_ref(), author=author, target=request.seq, message=request.message)
        )

    async def _delete(self, connection: Connection, request: requests.DeleteMessage) -> answers.ChangeAccepted:
        room, occupant = self._lobby.require_membership(connection, request.room)
        return await self._revise(AppendDeletion(room=room.to_ref(), author=occupant.to_author(), target=request.seq))

    async def _react(self, connection: Connection, request: requests.React) -> answers.ChangeAccepted:
        room, occupant = self._lobby.require_membership(connection, request.room)
        author = occupant.to_author()
        return await self._revise(
            AppendReaction(room=room.to_ref(), author=author, target=request.seq, emoji=request.emoji, on=request.on)
        )

    async def _set_topic(self, connection: Connection, request: requests.SetTopic) -> answers.ChangeAccepted:
        room, occupant = self._lobby.require_membership(connection, request.room)
        return await self._revise(AppendTopic(room=room.to_ref(), author=occupant.to_author(), topic=request.topic))

    async def _revise(self, draft: LogCommand) -> answers.ChangeAccepted:
        return answers.ChangeAccepted(revision=(await self._database.journal.append(draft)).entry.seq)

    # -- reading

    async def _history(self, connection: Connection, request: requests.History) -> answers.HistoryPage:
        room, _ = self._lobby.require_membership(connection, request.room)
        return await self._database.reader.read_page(
            room.key,
            before=request.before,
            after=request.after,
            around=request.around,
            at=request.at,
            limit=request.limit,
        )

    async def _search(self, connection: Connection, request: requests.Search) -> answers.SearchResponse:
        joined = frozenset(room.key for room in self._lobby.joined_rooms(connection))
        room_key = None if request.room is None else canonical_key(request.room)
        return await self._database.reader.search(
            request.query, room_key=room_key, joined=joined, before=request.before, limit=request.limit
        )

    async def _list_rooms(self, connection: Connection, request: requests.ListRooms) -> answers.RoomListResponse:
        stored = await self._database.reader.list_rooms(request.query, request.limit)
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
                    name=room.name, topic="", members=len(room.participants), last_seq=0
                )
        listed = sorted(summaries.values(), key=lambda summary: -summary.members)
        return answers.RoomListResponse(rooms=listed[: request.limit])

    def _present(self, room_key: str) -> int:
        room = self._lobby.rooms.get(room_key)
        return len(room.participants) if room is not None else 0

    async def _typing(self, connection: Connection, request: requests.Typing) -> answers.Empty:
        room, occupant = self._lobby.require_membership(connection, request.room)
        push = entries.TypingPush(room=room.name, member_id=occupant.member_id, on=request.on)
        self._fanout.to_room(room, push, but=connection)
        return answers.Empty()
