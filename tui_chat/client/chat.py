"""A chat server as a program sees it: connect, join rooms, talk. For bots and for screens.

    async with ChatClient("http://localhost:3000") as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("hello")
        async for entry in room:
            ...

It keeps connected, comes back to its rooms after a break as the same member, and
misses nothing of what was said meanwhile (docs/clients.md).
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from server.protocol import entries, names
from server.protocol.answers import NickChanged, RoomListResponse, RoomSummary
from server.protocol.codec import decode_push
from server.protocol.errors import ChatError, InternalError, RateLimited, Unavailable
from server.protocol.limits import HISTORY_DEFAULT, HISTORY_PAGE, ROOM_LIST_PAGE
from server.protocol.requests import ChangeNick, JoinRoom, ListRooms
from tui_chat.client import cleaning, plain
from tui_chat.client.address import parse
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.events import ConnectionState, Event, KeepingFailed, Noticed, RoomLost, StateChanged, TypingChanged
from tui_chat.client.link import Link
from tui_chat.client.local_history import LocalHistory
from tui_chat.client.outbox import Outbox, Place, guest_hash
from tui_chat.client.results import Results
from tui_chat.client.room import Room
from tui_chat.client.searching import Searcher
from tui_chat.client.sqlite_file import StorageFault
from tui_chat.client.stream import EventStream
from tui_chat.client.tasks import Tasks

if TYPE_CHECKING:
    from tui_chat.client.transport import Transport

# A program that sets up no logging sees nothing: whatever matters is raised, or is an event.
log = logging.getLogger("chat.client")
log.addHandler(logging.NullHandler())

ASK_TIMEOUT = 30.0
ENTERING_AT_ONCE = 4
"""Joins on their way at the same time: after a break a server has enough to do."""
BUSY_PAUSE = 1.0
MESSAGES_HELD = 10_000
KEEP_TIMEOUT = 5.0
"""Seconds that closing waits for what was said and posted last to be on disk."""


class ChatClient:
    """One connection to one server, and the rooms joined over it; an async context manager.

    Args:
        url: Where the server is: `http://host:port`, or any form that `address.parse` takes.
        guest_key: The secret of an earlier visit, to be the same member again.
        keep_trying: Entering the context does not wait for a connection, and does not
            fail without one: it is made in the background, whenever it can be.
        ca_file: Certificates (PEM) to trust instead of the system's.
        outbox: Where what is posted is kept until it is sent; whoever gives it closes it, after the client.
        history: Where what is said is kept, to be there when a room is opened; closed like the outbox.
        messages_held: How many messages of a room stay in memory at least, when more come than twice as many;
            None for all.
        random: Gives a number from 0 up to 1: the spread of attempts to reconnect.
        clock: Seconds that never go back.
        wall: Seconds since the epoch, to notice that the computer slept.
        now_ms: Milliseconds since the epoch.
        new_id: Gives a new `clientId`.

    Raises:
        ValueError: The URL is not one; the text is a sentence for a person.
    """

    def __init__(
        self,
        url: str,
        *,
        guest_key: str | None = None,
        keep_trying: bool = False,
        ca_file: str | None = None,
        outbox: Outbox | None = None,
        history: LocalHistory | None = None,
        messages_held: int | None = MESSAGES_HELD,
        random: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self.url = parse(url).base_url
        self.guest_key = guest_key
        self._keep_trying = keep_trying
        self._new_id = new_id
        self._now_ms = now_ms
        self._outbox = outbox
        self._history = history
        self._messages_held = messages_held
        self._checking: asyncio.Task[None] | None = None
        for kept in (outbox, history):
            if kept is not None:
                kept.on_problem = lambda problem: self._tell(KeepingFailed(problem))
        self._tasks = Tasks()
        self._rooms: dict[str, Room] = {}  # by the key of the name
        self._by_name: dict[str, Room] = {}  # by the name as pushes have it
        self._stream: EventStream | None = None
        self._closed = False
        self._entering = asyncio.Semaphore(ENTERING_AT_ONCE)
        self._link = Link(
            self.url,
            on_push=self._pushed,
            on_up=self._up,
            on_down=self._down,
            on_state=lambda state: self._tell(StateChanged(state)),
            ca_file=ca_file,
            random=random,
            clock=clock,
            wall=wall,
        )

        self._searcher = Searcher(self.url, self._link, history, self._rooms.values)

    @property
    def state(self) -> ConnectionState:
        """How the connection is."""
        return self._link.state

    @property
    def rooms(self) -> dict[str, Room]:
        """The rooms that were entered, or opened with what is kept here, by name, in the order they were."""
        return {room.name: room for room in self._rooms.values() if room.known}

    async def __aenter__(self) -> "ChatClient":
        """Connect.

        Raises:
            Unreachable: The server cannot be reached (not with `keep_trying`).
        """
        if not self._keep_trying:
            try:
                await self.connect()
            except BaseException:
                await self.close()
                raise
        self._tasks.start(self._link.run(), "the connection to the server")
        return self

    async def connect(self) -> None:
        """Make the first connection before the context is entered, to learn whether it can be made.

        Raises:
            Unreachable: The server cannot be reached.
        """
        await self._link.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection; every iteration over rooms and events ends, and nothing keeps running."""
        if self._closed:
            return
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(KEEP_TIMEOUT):
                for room in list(self._rooms.values()):
                    await room.settled()
        for room in self._rooms.values():
            room.end(Unavailable("the client was closed"), quietly=True)
        await self._tasks.end()
        await self._link.close()
        if self._stream is not None:
            self._stream.end()

    def events(self) -> EventStream:
        """Everything that happens from now on, for one consumer to iterate.

        Raises:
            RuntimeError: Somebody has it already.
        """
        if self._stream is not None:
            raise RuntimeError("a client's events are for one consumer")
        self._stream = EventStream()
        return self._stream

    def retry_now(self) -> None:
        """While offline: try to connect now, not when the time comes."""
        self._link.retry_now()

    async def join(
        self,
        room: str,
        *,
        nick: str,
        limit: int = HISTORY_DEFAULT,
        invite: str | None = None,
        timeout: float = ASK_TIMEOUT,
    ) -> Room:
        """Come into a room. One that was joined already is given as it is.

        Args:
            room: Its name.
            nick: What you want to be called; `Room.nick` is what you got.
            limit: How much of what was said before to fetch, up to 200 entries.
            invite: The code that opens a room which is not public.
            timeout: Seconds to go on trying.

        Raises:
            ChatError: The server refused, or (`Unavailable`) did not answer in time.
        """
        key = names.canonical_key(names.validate_room_name(room))
        joined = self._rooms.get(key)
        if joined is not None and joined.entered:
            return joined
        is_first = joined is None
        if joined is None:
            joined = self._new_room(room, nick, limit, invite)
            self._begin(joined)
        try:
            async with asyncio.timeout(timeout):
                await joined.gate.passed()
        except TimeoutError:
            raise Unavailable(joined.trouble or "the server did not answer in time") from None
        finally:
            # Whoever else asked for the room meanwhile gets what became of this attempt.
            if is_first and not joined.entered:
                await joined.leave()
        return joined

    async def open(
        self, room: str, *, nick: str, limit: int = HISTORY_DEFAULT, invite: str | None = None
    ) -> Room | None:
        """Come into a room of which something is kept here, with that; a server is not waited for.

        The room is joined as soon as it can be, which `RoomEntered` tells; when the
        server refuses, `RoomLost`.

        Args:
            room: Its name.
            nick: What you want to be called.
            limit: As for `join`.
            invite: As for `join`.

        Returns:
            The room, None when nothing of it is kept here.

        Raises:
            ChatError: The names cannot be.
        """
        opened = self._rooms.get(names.canonical_key(names.validate_room_name(room)))
        is_first = opened is None
        if opened is None:
            opened = self._new_room(room, nick, limit, invite)
        await self._open(opened)
        if opened.known:
            if is_first:
                self._begin(opened)
            return opened
        if is_first:
            await opened.leave()
        return None

    def _new_room(self, name: str, nick: str, limit: int, invite: str | None) -> Room:
        request = JoinRoom(room_name=name, nick_name=nick, limit=min(limit, HISTORY_PAGE), invite=invite)
        key, nick_key = names.canonical_key(request.room_name), names.canonical_key(request.nick_name)
        room = self._rooms[key] = Room(
            request,
            link=self._link,
            tasks=self._tasks,
            tell=self._tell,
            on_left=self._forget,
            new_id=self._new_id,
            now_ms=self._now_ms,
            place=lambda: Place(self.url, key, guest_hash(self.guest_key), nick_key),
            outbox=self._outbox,
            history=self._history,
            messages_held=self._messages_held,
            searcher=self._searcher,
        )
        return room

    def _begin(self, room: Room) -> None:
        if self._closed:
            room.end(Unavailable("the client was closed"))
        elif (transport := self._link.gate.value) is not None:
            self._tasks.start(self._enter(room, transport), "joining a room")

    async def _open(self, room: Room) -> None:
        """Bring in what is kept; the file as a whole is looked at only after that, which takes longer."""
        await room.open()
        if self._history is not None and self._checking is None:
            self._checking = self._tasks.start(self._check(self._history), "checking the history")

    async def _check(self, history: LocalHistory) -> None:
        try:
            await history.check()
        except StorageFault as fault:
            log.warning("the history could not be checked: %s", fault.reason)

    async def list_rooms(self, query: str | None = None) -> list[RoomSummary]:
        """The public rooms whose name or topic holds the query, and yours.

        Raises:
            ChatError: The server refused, or did not answer in time.
        """
        found = await self._link.ask(self._link.gate, ListRooms(query=query), RoomListResponse, ASK_TIMEOUT)
        return [cleaning.summary(room) for room in found.rooms[:ROOM_LIST_PAGE]]

    async def search(
        self, query: str, *, room: str | None = None, before: int | None = None, limit: int = HISTORY_DEFAULT
    ) -> Results:
        """Look for what was said, newest first: on the server, or without a connection in what is on this computer.

        Args:
            query: Words that must all be in a message (docs/protocol.md, "Searching").
            room: Only in this room; otherwise in all that you may read.
            before: Only what is older than this `id`: the `next` of the page before.
            limit: How many messages, at most 100.

        Raises:
            BadRequest, TooLong: Such a query cannot be searched for.
            NotFound: There is no such room.
            RateLimited: You search too fast.
        """
        return await self._searcher.search(query, room, before, limit)

    async def change_nick(self, nick: str, room: str | None = None) -> str:
        """Take another nickname, in one room or in all; the one you got.

        Raises:
            ChatError: The server refused, or did not answer in time.
        """
        if room is not None:
            request = ChangeNick(nick_name=nick, room=room)
            joined = self._rooms.get(names.canonical_key(request.room or ""))
            if joined is not None:
                return await joined.change_nick(nick)
        else:
            request = ChangeNick(nick_name=nick)
        answer = await self._link.ask(self._link.gate, request, NickChanged, ASK_TIMEOUT)
        return cleaning.nickname(answer.nick_name)

    # -- the connection

    def _up(self, transport: "Transport") -> None:
        for room in self._rooms.values():
            self._tasks.start(self._enter(room, transport), "joining a room")

    def _down(self) -> None:
        for room in self._rooms.values():
            room.disconnected()

    async def _enter(self, room: Room, transport: "Transport") -> None:
        """Join a room over this connection; wait out what passes, give up on what stays."""
        await self._open(room)
        if room.entered:
            await room.delivery.take_over()
        async with self._entering:
            while not room.gate.locked and room.gate.value is not transport:
                try:
                    answer = await room.enter(transport, self.guest_key)
                except ConnectionLost:
                    return
                except (RateLimited, Unavailable, InternalError) as refusal:
                    room.trouble = refusal.message
                    await asyncio.sleep(refusal.retry_after or BUSY_PAUSE)
                except ChatError as refusal:
                    self._lose(room, refusal)
                else:
                    self._by_name[room.name] = room
                    if not room.plain:
                        await self._known_as(answer.guest_key)
                    return

    async def _known_as(self, guest_key: str) -> None:
        old, self.guest_key = self.guest_key, guest_key
        if self._outbox is not None and old != guest_key:
            try:
                await self._outbox.known_as(self.url, guest_hash(old), guest_hash(guest_key))
            except StorageFault as fault:
                log.warning("the outbox could not be given the new guest key: %s", fault.reason)

    def _lose(self, room: Room, refusal: ChatError) -> None:
        lost = room.known and not room.gate.locked
        room.end(refusal)
        self._forget(room)
        if lost:
            self._tell(RoomLost(room.name, refusal.message))

    def _forget(self, room: Room) -> None:
        for index in (self._rooms, self._by_name):
            for name in [name for name, held in index.items() if held is room]:
                del index[name]

    # -- what the server tells

    def _pushed(self, event: str, body: bytes) -> None:
        transport = self._link.gate.value
        if transport is not None and transport.plain_room is not None:
            self._overheard(transport.plain_room, event, body)
            return
        try:
            self._take(decode_push(event, body))
        except ChatError as fault:
            # A plain message without seq, a kind that is not known yet, or something broken.
            log.debug("a push (%s) was ignored: %s", event, type(fault).__name__)
        except Exception:
            log.exception("a push (%s) could not be taken in", event)

    def _overheard(self, room: str, event: str, body: bytes) -> None:
        joined, push = self._rooms.get(room), plain.said(event, body)
        if joined is not None and push is not None:
            joined.overheard(push)

    def _take(self, push: entries.WireStruct) -> None:
        match push:
            case entries.Message() | entries.Edit() | entries.Deletion() | entries.Reaction() | entries.TopicChange():
                if (room := self._room(push.room)) is not None:
                    room.pushed(push)
            case entries.PresencePush():
                if (room := self._room(push.room)) is not None and room.gate.value is not None:
                    room.presence(push)
            case entries.JoinNotice() | entries.LeaveNotice() | entries.NickNotice():
                if self._room(push.room) is not None:
                    self._tell(Noticed(cleaning.notice(push)))
            case entries.TypingPush():
                if (room := self._room(push.room)) is not None and push.member_id != room.member_id:
                    self._tell(TypingChanged(room.name, cleaning.member_id(push.member_id), push.on))
            case entries.GoingAwayPush():
                self._link.goes_away(push.reconnect_after)
            case _:
                log.debug("a push was ignored: %s", type(push).__name__)

    def _room(self, name: str) -> Room | None:
        room = self._by_name.get(name)
        if room is None:
            # Before the answer to a join, and when the server's way to write the name has changed.
            room = self._rooms.get(names.canonical_key(names.validate_room_name(name)))
        return room

    def _tell(self, event: Event) -> None:
        if self._stream is not None:
            self._stream.put(event)
