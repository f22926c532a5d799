"""Client of one chat server, for bots and user interfaces.

    async with ChatClient("http://localhost:3000") as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("hello")
        async for entry in room:
            ...

- Reconnect: automatic, with the same membership and without missed entries (docs/clients.md).
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from tui_chat.client import sanitize
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import (
    ClientEvent,
    ConnectionState,
    ConnectionStateChanged,
    NoticeReceived,
    PersistenceFailed,
    RoomLost,
    TypingChanged,
)
from tui_chat.client.net import basic_codec
from tui_chat.client.net.address import parse_address
from tui_chat.client.net.connector import Connector
from tui_chat.client.outbox.store import Outbox, OutboxScope, hash_guest_key
from tui_chat.client.room import Room
from tui_chat.client.search import MessageSearcher
from tui_chat.client.search_page import SearchPage
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.client.task_set import TaskSet
from tui_chat.protocol import events as wire_events
from tui_chat.protocol import names
from tui_chat.protocol.codec import decode_push
from tui_chat.protocol.errors import ChatError, InternalError, RateLimited, Unavailable
from tui_chat.protocol.limits import HISTORY_DEFAULT, HISTORY_PAGE, ROOM_LIST_PAGE
from tui_chat.protocol.requests import ChangeNick, JoinRoom, ListRooms
from tui_chat.protocol.responses import NickChanged, RoomListResponse, RoomSummary

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

# No output without a logging configuration: problems are exceptions or events.
log = logging.getLogger("chat.client")
log.addHandler(logging.NullHandler())

REQUEST_TIMEOUT = 30.0
"""Default time limit of a join or request, in seconds."""
MAX_CONCURRENT_JOINS = 4
"""Limit of concurrent joins, which spreads the load of a reconnect with many rooms."""
JOIN_RETRY_DELAY = 1.0
"""Delay after a temporary join error without `retryAfter`, in seconds."""
DEFAULT_MAX_MESSAGES = 10_000
FLUSH_TIMEOUT = 5.0
"""Time limit for disk writes in `close`, in seconds."""


class ChatClient:
    """Connection to one server with its joined rooms; an async context manager.

    Args:
        url: Server address in any form accepted by `address.parse_address`.
        guest_key: Guest key of an earlier session, to restore the membership.
        connect_in_background: Enter the context without a connection and connect in the background.
        ca_file: PEM file with trusted certificates, None for the system's.
        outbox: Persistent outbox. Close the outbox after the client.
        history: Local message history. Close the history after the client.
        max_messages: Messages of a room to retain in memory once twice as many are loaded; None for no limit.
        random: Source of random numbers in [0, 1) for the reconnect jitter.
        clock: Monotonic clock in seconds.
        wall_clock: Clock in seconds since the epoch, for the detection of suspends.
        now_ms: Clock in milliseconds since the epoch.
        new_id: Generator of `clientId` values.

    Attributes:
        url: Base URL of the server.
        guest_key: Current guest key; before the first join, the constructor argument.

    Raises:
        ValueError: Invalid URL; the message is readable text.
    """

    def __init__(
        self,
        url: str,
        *,
        guest_key: str | None = None,
        connect_in_background: bool = False,
        ca_file: str | None = None,
        outbox: Outbox | None = None,
        history: LocalHistory | None = None,
        max_messages: int | None = DEFAULT_MAX_MESSAGES,
        random: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self.url = parse_address(url).base_url
        self.guest_key = guest_key
        self._connect_in_background = connect_in_background
        self._new_id = new_id
        self._now_ms = now_ms
        self._outbox = outbox
        self._history = history
        self._max_messages = max_messages
        self._check_task: asyncio.Task[None] | None = None
        for store in (outbox, history):
            if store is not None:
                store.on_problem = lambda problem: self._emit(PersistenceFailed(problem))
        self._tasks = TaskSet()
        self._rooms: dict[str, Room] = {}  # by canonical key
        self._rooms_by_name: dict[str, Room] = {}  # by the spelling in pushes
        self._event_queue: EventQueue[Any] | None = None
        self._closed = False
        self._join_slots = asyncio.Semaphore(MAX_CONCURRENT_JOINS)
        self._connector = Connector(
            self.url,
            on_push=self._on_push,
            on_connected=self._on_connected,
            on_disconnected=self._on_disconnected,
            on_state_changed=lambda state: self._emit(ConnectionStateChanged(state)),
            ca_file=ca_file,
            random=random,
            clock=clock,
            wall_clock=wall_clock,
        )
        self._searcher = MessageSearcher(self.url, self._connector, history, self._rooms.values)

    @property
    def state(self) -> ConnectionState:
        """Current connection state."""
        return self._connector.state

    @property
    def rooms(self) -> dict[str, Room]:
        """Joined and cached rooms by name, in order of creation; without rooms that were left or rejected."""
        return {room.name: room for room in self._rooms.values() if room.was_opened}

    async def __aenter__(self) -> "ChatClient":
        """Connect; a failed attempt closes the client.

        Raises:
            Unreachable: The attempt failed; not raised with `connect_in_background`.
        """
        if not self._connect_in_background:
            try:
                await self.connect()
            except BaseException:
                await self.close()
                raise
        self._tasks.start(self._connector.run(), "connection supervision")
        return self

    async def connect(self) -> None:
        """Connect before entering a context with `connect_in_background`, to test the address.

        Raises:
            Unreachable: The attempt failed.
        """
        await self._connector.connect()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, exc_traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Flush for up to `FLUSH_TIMEOUT` seconds, then close connection, rooms and event queue; idempotent."""
        if self._closed:
            return
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_TIMEOUT):
                for room in list(self._rooms.values()):
                    await room.flush()
        for room in self._rooms.values():
            room.close(Unavailable("the client was closed"), silent=True)
        await self._tasks.cancel_all()
        await self._connector.close()
        if self._event_queue is not None:
            self._event_queue.close()

    def events(self) -> EventQueue[ClientEvent]:
        """Return an asynchronous iterator over future events. Raises the exception of `attach_queue`."""
        queue = EventQueue[ClientEvent]()
        self.attach_queue(queue)
        return queue

    def attach_queue(self, queue: EventQueue[Any]) -> None:
        """Put future events into the queue of the single consumer, and close the queue with the client.

        Earlier events are lost.

        Args:
            queue: Queue that accepts every `ClientEvent`; the consumer may add other events.

        Raises:
            RuntimeError: The client has a consumer already.
        """
        if self._event_queue is not None:
            raise RuntimeError("a client has one event consumer; share its queue")
        self._event_queue = queue

    def reconnect_now(self) -> None:
        """Skip the reconnect delay, or restart a running attempt; no effect while online."""
        self._connector.reconnect_now()

    async def join(
        self,
        room: str,
        *,
        nick: str,
        limit: int = HISTORY_DEFAULT,
        invite: str | None = None,
        timeout: float = REQUEST_TIMEOUT,
    ) -> Room:
        """Join a room, or return the joined room of this name.

        Concurrent calls for one room share the attempt of the first call. After the timeout, only the join of a room
        from `open_cached` continues. A room joined before is returned immediately, also while offline; the other
        arguments are then ignored. Temporary errors are retried until the timeout.

        Args:
            room: Room name.
            nick: Requested nickname; `Room.nick` is the assigned one.
            limit: Number of history entries to fetch, limited to 200.
            invite: Invite code of a private room.
            timeout: Time limit of the call in seconds.

        Raises:
            ChatError: A name is invalid, or the server rejected the join.
            Unavailable: No response before the timeout.
        """
        key = names.canonical_key(names.validate_room_name(room))
        joined_room = self._rooms.get(key)
        if joined_room is not None and joined_room.was_joined:
            return joined_room
        is_new = joined_room is None
        if joined_room is None:
            joined_room = self._create_room(room, nick, limit, invite)
            self._start_join(joined_room)
        try:
            async with asyncio.timeout(timeout):
                await joined_room.gate.wait()
        except TimeoutError:
            raise Unavailable(joined_room.last_error or "the server did not respond in time") from None
        finally:
            # Concurrent calls for the same room share the outcome of this attempt.
            if is_new and not joined_room.was_joined:
                await joined_room.leave()
        return joined_room

    async def open_cached(
        self, room: str, *, nick: str, limit: int = HISTORY_DEFAULT, invite: str | None = None
    ) -> Room | None:
        """Open a cached room without waiting for a server.

        The join follows in the background: `RoomJoined` reports success, `RoomLost` a rejection. For an open room, the
        call has no effect and returns the room. A join in progress continues.

        Args:
            room: Room name.
            nick: Requested nickname.
            limit: Number of history entries to fetch, at most 200.
            invite: Invite code of a private room.

        Returns:
            The room, or None if the room is not cached.

        Raises:
            ChatError: Invalid room name or nickname.
        """
        cached_room = self._rooms.get(names.canonical_key(names.validate_room_name(room)))
        is_new = cached_room is None
        if cached_room is None:
            cached_room = self._create_room(room, nick, limit, invite)
        await self._load_cache(cached_room)
        if cached_room.was_opened:
            if is_new:
                self._start_join(cached_room)
            return cached_room
        if is_new:
            await cached_room.leave()
        return None

    def _create_room(self, name: str, nick: str, limit: int, invite: str | None) -> Room:
        request = JoinRoom(room_name=name, nick_name=nick, limit=min(limit, HISTORY_PAGE), invite=invite)
        room_key, nick_key = names.canonical_key(request.room_name), names.canonical_key(request.nick_name)
        room = self._rooms[room_key] = Room(
            request,
            connector=self._connector,
            tasks=self._tasks,
            emit=self._emit,
            on_leave=self._remove_room,
            new_id=self._new_id,
            now_ms=self._now_ms,
            get_scope=lambda: OutboxScope(self.url, room_key, hash_guest_key(self.guest_key), nick_key),
            outbox=self._outbox,
            history=self._history,
            max_messages=self._max_messages,
            searcher=self._searcher,
        )
        return room

    def _start_join(self, room: Room) -> None:
        if self._closed:
            room.close(Unavailable("the client was closed"))
        elif (transport := self._connector.gate.value) is not None:
            self._tasks.start(self._join_room(room, transport), "room join")

    async def _load_cache(self, room: Room) -> None:
        """Load the cache of a room, then start the integrity check of the history file, which takes longer."""
        await room.load_cache()
        if self._history is not None and self._check_task is None:
            self._check_task = self._tasks.start(self._check_history(self._history), "history check")

    async def _check_history(self, history: LocalHistory) -> None:
        try:
            await history.check()
        except LocalStorageError as error:
            log.warning("history: integrity check failed: %s; the file remains in use", error.reason)

    async def list_rooms(self, query: str | None = None) -> list[RoomSummary]:
        """Return the public rooms and the private rooms with the user as a member.

        At most `ROOM_LIST_PAGE` rooms are returned. Without a connection, the call waits for one.

        Args:
            query: Text in the name or topic, None for all rooms.

        Raises:
            ChatError: The server rejected the request, or no response arrived in time.
        """
        response = await self._connector.request(
            self._connector.gate, ListRooms(query=query), RoomListResponse, REQUEST_TIMEOUT
        )
        return [sanitize.summary(room) for room in response.rooms[:ROOM_LIST_PAGE]]

    async def search(
        self, query: str, *, room: str | None = None, before: int | None = None, limit: int = HISTORY_DEFAULT
    ) -> SearchPage:
        """Search messages on the server, or in the local history without a connection.

        The local history also replaces a response that takes longer than `SERVER_TIMEOUT`; an unknown room then gives
        an empty page. `SearchPage.source` is the origin.

        Args:
            query: Search words, all required (docs/protocol.md, "Search").
            room: Room to search, None for all readable rooms.
            before: Exclusive upper bound of the message `id`: `next_before` of the previous page.
            limit: Maximum number of messages, at most 100.

        Raises:
            BadRequest, TooLong: Invalid query.
            NotFound: The room does not exist.
            RateLimited: The search rate limit applied.
        """
        return await self._searcher.search(query, room, before, limit)

    async def change_nick(self, nick: str, room: str | None = None) -> str:
        """Change the user's nickname.

        `Room.nick` changes immediately in a given room, and with the next presence push in all rooms.

        Args:
            nick: Requested nickname.
            room: Room of the change, None for all rooms.

        Returns:
            The assigned nickname.

        Raises:
            ChatError: The server rejected the request, or no response arrived in time.
        """
        if room is not None:
            request = ChangeNick(nick_name=nick, room=room)
            joined_room = self._rooms.get(names.canonical_key(request.room or ""))
            if joined_room is not None:
                return await joined_room.change_nick(nick)
        else:
            request = ChangeNick(nick_name=nick)
        response = await self._connector.request(self._connector.gate, request, NickChanged, REQUEST_TIMEOUT)
        return sanitize.nickname(response.nick_name)

    # -- connection

    def _on_connected(self, transport: "Transport") -> None:
        for room in self._rooms.values():
            self._tasks.start(self._join_room(room, transport), "room join")

    def _on_disconnected(self) -> None:
        for room in self._rooms.values():
            room.on_disconnected()

    async def _join_room(self, room: Room, transport: "Transport") -> None:
        """Join a room over a connection: retry after temporary errors, close the room after others."""
        await self._load_cache(room)
        if room.was_joined:
            await room.sender.claim_orphans()
        async with self._join_slots:
            while not room.gate.has_failed and room.gate.value is not transport:
                try:
                    response = await room.join(transport, self.guest_key)
                except ConnectionLost:
                    return
                except (RateLimited, Unavailable, InternalError) as error:
                    room.last_error = error.message
                    await asyncio.sleep(error.retry_after or JOIN_RETRY_DELAY)
                except ChatError as error:
                    self._on_join_rejected(room, error)
                else:
                    self._rooms_by_name[room.name] = room
                    if not room.is_basic_server:
                        await self._set_guest_key(response.guest_key)
                    return

    async def _set_guest_key(self, guest_key: str) -> None:
        old_key, self.guest_key = self.guest_key, guest_key
        if self._outbox is not None and old_key != guest_key:
            try:
                await self._outbox.update_guest(self.url, hash_guest_key(old_key), hash_guest_key(guest_key))
            except LocalStorageError as error:
                log.warning(
                    "outbox: update of the guest key failed: %s; queued items remain under the old key", error.reason
                )

    def _on_join_rejected(self, room: Room, error: ChatError) -> None:
        was_open = room.was_opened and not room.gate.has_failed
        room.close(error)
        self._remove_room(room)
        if was_open:
            self._emit(RoomLost(room.name, error.message))

    def _remove_room(self, room: Room) -> None:
        for rooms in (self._rooms, self._rooms_by_name):
            for name in [name for name, indexed_room in rooms.items() if indexed_room is room]:
                del rooms[name]

    # -- pushes

    def _on_push(self, event: str, body: bytes) -> None:
        transport = self._connector.gate.value
        if transport is not None and transport.basic_room is not None:
            self._on_basic_push(transport.basic_room, event, body)
            return
        try:
            self._handle_push(decode_push(event, body))
        except ChatError as error:
            # Includes pushes of basic servers without `seq` and kinds of later protocol versions.
            log.debug("push %s ignored: %s", event, type(error).__name__)
        except Exception:
            log.exception("push %s ignored: handler failed", event)

    def _on_basic_push(self, room_key: str, event: str, body: bytes) -> None:
        joined_room, push = self._rooms.get(room_key), basic_codec.decode_basic_push(event, body)
        if joined_room is not None and push is not None:
            joined_room.on_basic_push(push)

    def _handle_push(self, push: wire_events.WireStruct) -> None:
        match push:
            case _ if isinstance(push, wire_events.Entry):
                if (room := self._find_room(push.room)) is not None:
                    room.on_push(push)
            case wire_events.PresencePush():
                if (room := self._find_room(push.room)) is not None and room.gate.value is not None:
                    room.on_presence(push)
            case wire_events.JoinNotice() | wire_events.LeaveNotice() | wire_events.NickNotice():
                if self._find_room(push.room) is not None:
                    self._emit(NoticeReceived(sanitize.notice(push)))
            case wire_events.TypingPush():
                if (room := self._find_room(push.room)) is not None and push.member_id != room.member_id:
                    self._emit(TypingChanged(room.name, sanitize.member_id(push.member_id), push.on))
            case wire_events.GoingAwayPush():
                self._connector.on_going_away(push.reconnect_after)
            case _:
                log.debug("push ignored: no handler for %s", type(push).__name__)

    def _find_room(self, name: str) -> Room | None:
        room = self._rooms_by_name.get(name)
        if room is None:
            # Pushes before the join response, or after a change of the server's spelling.
            room = self._rooms.get(names.canonical_key(names.validate_room_name(name)))
        return room

    def _emit(self, event: ClientEvent) -> None:
        if self._event_queue is not None:
            self._event_queue.put(event)
