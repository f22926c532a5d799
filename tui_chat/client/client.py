"""Client of one chat server, for bots and user interfaces.

    async with ChatClient("http://localhost:3000") as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("hello")
        async for entry in room:
            ...

- Reconnect: automatic, with the same membership and without missed entries (docs/clients.md).
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from tui_chat.client import sanitize
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import AuthFailed, ClientEvent, ConnectionState, ConnectionStateChanged, ProblemReported
from tui_chat.client.join import RoomJoiner
from tui_chat.client.log import log
from tui_chat.client.net.address import parse_address
from tui_chat.client.net.connector import Connector
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.owned_rooms import OwnedRooms
from tui_chat.client.push_dispatcher import PushDispatcher
from tui_chat.client.room import Room
from tui_chat.client.room_context import REQUEST_TIMEOUT, ClientContext
from tui_chat.client.room_directory import RoomDirectory
from tui_chat.client.search import MessageSearcher
from tui_chat.client.search_page import SearchCursor, SearchPage
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.task_set import TaskSet
from tui_chat.client.user_requests import UserRequests
from tui_chat.protocol.limits import HISTORY_DEFAULT, HISTORY_PAGE, ROOM_LIST_PAGE
from tui_chat.protocol.requests import ChangeNick, JoinRoom, ListRooms, Observe, SendMessage, TemporaryAuthor
from tui_chat.protocol.responses import NickChanged, RoomListResponse, RoomSummary, SendResponse

DEFAULT_MAX_MESSAGES = 10_000
FLUSH_TIMEOUT = 5.0
"""Time limit for disk writes in `close`, in seconds."""


class ChatClient:
    """Connection to one server with its joined rooms; an async context manager.

    Args:
        url: Server address in any form accepted by `address.parse_address`.
        guest_key: Guest key of an earlier session, to keep the member id.
        token: Token of an account (`AccountClient.log_in`), None for a guest.
        account: Account name of the token, the owner of the items in a persistent outbox.
        connect_in_background: Enter the context without a connection and connect in the background.
        ca_file: PEM file with trusted certificates, None for the system's.
        outbox: Persistent outbox, None for memory only. Sets `on_problem`. Close the outbox after the client.
        history: Local message history, None if disabled. Sets `on_problem`. Close the history after the client.
        max_messages: Messages of a room to retain in memory once twice as many are loaded; None for no limit.
        random: Source of random numbers in [0, 1) for the reconnect jitter.
        wall_clock: Clock in seconds since the epoch, for the detection of suspends.
        new_id: Generator of `clientId` values.

    Attributes:
        url: Base URL of the server.
        user: Requests of the user that concern no single room.
        owned_rooms: Requests of an account about rooms, memberships, invites and webhooks.

    Raises:
        InvalidAddress: Invalid URL.
    """

    def __init__(
        self,
        url: str,
        *,
        guest_key: str | None = None,
        token: str | None = None,
        account: str = "",
        connect_in_background: bool = False,
        ca_file: str | None = None,
        outbox: Outbox | None = None,
        history: LocalHistory | None = None,
        max_messages: int | None = DEFAULT_MAX_MESSAGES,
        random: Callable[[], float] = random.random,
        wall_clock: Callable[[], float] = time.time,
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self.url = parse_address(url).base_url
        self._connect_in_background = connect_in_background
        for store in (outbox, history):
            if store is not None:
                store.on_problem = lambda error: self._emit(ProblemReported(error))
        self._tasks = TaskSet(lambda error: self._emit(ProblemReported(error)))
        self._rooms = RoomDirectory()
        self._event_queue: EventQueue[Any] | None = None
        self._closed = False
        self._connector = Connector(
            self.url,
            on_push=self._on_push,
            on_connected=self._on_connected,
            on_disconnected=self._on_disconnected,
            on_state_changed=self._on_state_changed,
            tasks=self._tasks,
            token=token,
            ca_file=ca_file,
            random=random,
            wall_clock=wall_clock,
        )
        self._context = ClientContext(
            url=self.url,
            connector=self._connector,
            tasks=self._tasks,
            emit=self._emit,
            new_id=new_id,
            now_ms=lambda: time.time_ns() // 1_000_000,
            max_messages=max_messages,
            guest_key=guest_key,
            account=None if token is None else account,
        )
        self.user = UserRequests(self._context, lambda room, nick: self.join(room, nick=nick))
        self._pushes = PushDispatcher(self._context, self._rooms)
        self._searcher = MessageSearcher(self._context, history, self._rooms)
        self.owned_rooms = OwnedRooms(self._context, lambda room, nick: self.join(room, nick=nick))
        self._joiner = RoomJoiner(self._context, self._rooms, outbox, history, self._searcher.search)

    @property
    def guest_key(self) -> str | None:
        """Newest guest key from the server, otherwise the constructor argument; None without both."""
        return self._context.guest_key

    @property
    def state(self) -> ConnectionState:
        """Current connection state."""
        return self._connector.state

    @property
    def rooms(self) -> dict[str, Room]:
        """Joined, observed and cached rooms by name, in order of creation; without rooms that were left or lost."""
        return {room.name: room for room in self._rooms if room.membership.was_opened}

    async def __aenter__(self) -> "ChatClient":
        """Wait for the first connection, and raise as `connect` after closing the client if the attempt failed.

        With `connect_in_background`, return immediately. Lost connections are reopened in both cases.
        """
        if not self._connect_in_background:
            try:
                await self.connect()
            except BaseException:
                await self.close()
                raise
        self._tasks.supervise(self._connector.run, "connection supervision")
        return self

    async def connect(self) -> None:
        """Connect before entering the context, which then uses this connection; no effect after an earlier success.

        `state` and events follow only in the context. Without a context, call `close`.

        Raises:
            Unreachable: The attempt failed.
            Unauthorized: The server rejected the token.
        """
        await self._connector.connect()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Wait up to `FLUSH_TIMEOUT` seconds for disk writes, then close rooms, connection and event queue.

        The final state is `Closed`, requests raise `Unavailable`, and iterations end. A cancellation shortens the wait,
        and is raised after the close. A second call returns immediately.
        """
        if self._closed:
            return
        self._closed = True
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_TIMEOUT):
                    for room in self._rooms:
                        await room.flush()
        finally:
            self._joiner.close()
            await self._tasks.cancel_all()
            await self._connector.close()
            if self._event_queue is not None:
                self._event_queue.close()

    def events(self) -> EventQueue[ClientEvent]:
        """Return an asynchronous iterator over future events, which ends after `close`; raise as `attach_queue`."""
        queue = EventQueue[ClientEvent]()
        self.attach_queue(queue)
        return queue

    def attach_queue(self, queue: EventQueue[Any]) -> None:
        """Put future events into the queue of the single consumer, and close the queue with the client.

        The consumer may add other events. A second call raises `RuntimeError`.
        """
        if self._event_queue is not None:
            raise RuntimeError("a client has one event consumer; share its queue")
        self._event_queue = queue

    async def set_token(self, token: str | None, account: str = "", *, timeout: float = 0.0) -> None:
        """Connect and rejoin all rooms with another identity, even after `AuthFailed`.

        The outbox items of the previous identity are sent with the new one. Read markers become None without an event.

        Args:
            token: Token of an account, None for a guest.
            account: Account name of the token.
            timeout: Maximum wait for the new connection in seconds; no error is raised.
        """
        await self._joiner.change_identity(None if token is None else account)
        self._connector.set_token(token)
        await self._connector.wait_connected(timeout)

    def reconnect_now(self) -> None:
        """Skip the reconnect delay, or restart a running attempt; no effect while `Online` or `AuthFailed`."""
        self._connector.reconnect_now()

    async def join(
        self,
        room: str,
        *,
        nick: str,
        limit: int = HISTORY_DEFAULT,
        invite: str | None = None,
        timeout: float | None = REQUEST_TIMEOUT,
    ) -> Room:
        """Join a room, or return the joined room of this name.

        Concurrent calls for one room share one attempt with the last invite, which ends at the timeout of the first
        call. The join of a room from `open_cached` continues after a timeout. A room joined before is returned
        immediately, even while offline; the other arguments are then ignored. An observed room is replaced by a new
        `Room`. Temporary errors (`RateLimited`, `Unavailable`, `InternalError`) are retried until the timeout.

        Args:
            room: Room name.
            nick: Requested nickname; `Room.nick` is the assigned one.
            limit: Number of history entries to fetch, limited to 200.
            invite: Invite code of a private room.
            timeout: Time limit of the call in seconds; None waits for the connection without a limit.

        Raises:
            ChatError: A name is invalid, or the server rejected the join or the token. An invalid invite gives
                `NotFound`, because its room is indistinguishable from a missing one.
            RateLimited, InternalError: Last temporary error before the timeout.
            Unavailable: As above, or no response before the timeout, or the client was closed.
            NotJoined: The room was left meanwhile, or the first of several concurrent calls ended at its timeout.
        """
        request = JoinRoom(room_name=room, nick_name=nick, limit=min(limit, HISTORY_PAGE), invite=invite)
        return await self._joiner.open(request, timeout)

    async def observe(self, room: str, *, limit: int = HISTORY_DEFAULT, timeout: float = REQUEST_TIMEOUT) -> Room:
        """Read a room without a join, or return the joined or observed room of this name.

        Other members see no observer. Requests that change the room raise `NotJoined`; `Room.nick` is empty. Concurrent
        calls and temporary errors as for `join`. A later `join` ends the observation.

        Args:
            room, limit, timeout: As for `join`.

        Raises:
            UnsupportedByServer: The server requires a join.
            ChatError: As for `join`.
        """
        return await self._joiner.open(Observe(room=room, limit=min(limit, HISTORY_PAGE)), timeout)

    async def send_as(
        self, room: str, nick: str, text: str, *, client_id: UUID | None = None, timeout: float = REQUEST_TIMEOUT
    ) -> SendResponse:
        """Send one message without a join, while the client is in no room, and wait until the message is on disk.

        `SendResponse.nick_name` is the assigned nickname. `guest_key` identifies the author, and becomes the key of the
        response. `rate_limited`, `unavailable` and connection losses are retried until the timeout.

        Args:
            room, nick: As for `join`.
            text: Message text.
            client_id: Idempotency key, generated by default.
            timeout: Total time limit in seconds.

        Raises:
            ChatError: As `Room.send`.
            BadRequest: An argument is invalid, or the client is in a room.
            UnsupportedByServer: The server requires a join; nothing was sent.
        """
        author = TemporaryAuthor(nick_name=nick, guest_key=self.guest_key)
        request = SendMessage(room=room, message=text, client_id=client_id or self._context.new_id(), author=author)
        response = await self._context.request(request, SendResponse, timeout, wait_for_rate_limit=True)
        self._context.guest_key = response.guest_key or self.guest_key
        return response

    async def open_cached(
        self, room: str, *, nick: str, limit: int = HISTORY_DEFAULT, invite: str | None = None
    ) -> Room | None:
        """Open a cached room without waiting for a server; return None without a readable cache of the room.

        The join follows in the background: `RoomJoined` reports success, `RoomLost` a rejection. An open room is
        returned unchanged, an observed one is left first. A join of this room in progress continues, even if the result
        is None. An invalid room name or nickname raises a `ChatError`.

        Args:
            room, nick, limit, invite: As for `join`.
        """
        request = JoinRoom(room_name=room, nick_name=nick, limit=min(limit, HISTORY_PAGE), invite=invite)
        return await self._joiner.open_cached(request)

    async def list_rooms(self, query: str | None = None) -> list[RoomSummary]:
        """Return at most `ROOM_LIST_PAGE` public rooms, stored or with present members; most members first.

        Args:
            query: Part of the name or of the topic, independent of case and width; None or "" selects all rooms.

        Raises:
            ChatError: The query is invalid, or the server is basic, rejected the request or did not respond in time.
        """
        response = await self._context.request(ListRooms(query=query), RoomListResponse)
        return [sanitize.received(room) for room in response.rooms[:ROOM_LIST_PAGE]]

    async def search(
        self, query: str, *, room: str | None = None, cursor: SearchCursor | None = None, limit: int = HISTORY_DEFAULT
    ) -> SearchPage:
        """Search messages on the server, or without a response in the local history or, if disabled, in memory.

        A local search follows without a connection, and after ten seconds without a response. An unknown room then
        gives an empty page.

        Args:
            query: Search words, all required (docs/protocol.md, "Search").
            room: Room to search, None for all readable rooms.
            cursor: `next` of the previous page of the same search, None for the first page.
            limit: Maximum number of messages, at most 100.

        Raises:
            BadRequest, RoomInvalid, TooLong, NotFound: Invalid query, room or limit, or cursor of another search.
            RateLimited: The search rate limit applied; the call does not wait.
            UnsupportedByServer: The server is basic.
            ChatError: The server reported another failure.
        """
        return await self._searcher.search(query, room, cursor, limit)

    async def change_nick(self, nick: str, room: str | None = None) -> str:
        """Change the user's nickname in one joined room, or in all if `room` is None.

        `Room.nick` changes with the response in a given open room, otherwise with the next presence push.

        Returns:
            The assigned nickname, with a suffix if the requested one is in use; in several rooms, that of the last one.

        Raises:
            ChatError: As `Room.change_nick`.
        """
        joined_room = None if room is None else self._rooms.get(room)
        if joined_room is not None:
            return await joined_room.change_nick(nick)
        response = await self._context.request(ChangeNick(nick_name=nick, room=room), NickChanged)
        return sanitize.nickname(response.nick_name)

    def _on_push(self, event: str, body: bytes) -> None:
        self._pushes.dispatch(event, body)

    def _on_state_changed(self, state: ConnectionState) -> None:
        if isinstance(state, AuthFailed):
            self._joiner.on_auth_failed(state.error)
        self._emit(ConnectionStateChanged(state))

    def _on_connected(self) -> None:
        for room in self._rooms:
            self._joiner.start(room)

    def _on_disconnected(self) -> None:
        for room in self._rooms:
            try:
                room.membership.on_disconnected()
            except Exception as error:
                self._tasks.report("room disconnect", error)

    def _emit(self, event: ClientEvent) -> None:
        """Put an event into the queue of the consumer, if one exists; an exception of the consumer is only logged."""
        if self._event_queue is not None:
            try:
                self._event_queue.put(event)
            except Exception:
                log.exception("event consumer failed: %s", type(event).__name__)
