"""Client view of one room: log, members and requests.

- Requests: inherited from `RoomRequests`.
- Log: maintained by `HistorySync`. `async for entry in room` yields every entry after the first join
  exactly once, across reconnects.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.client.events import (
    ClientEvent,
    LogChanged,
    MembersChanged,
    NoticeReceived,
    PersistenceFailed,
    RoomJoined,
    TopicChanged,
)
from tui_chat.client.join import is_log_replaced, send_leave
from tui_chat.client.net.basic_codec import BasicMessage
from tui_chat.client.net.basic_server import BasicServer
from tui_chat.client.net.connector import Connector
from tui_chat.client.net.gate import Gate
from tui_chat.client.outbox.sender import OutboxSender
from tui_chat.client.outbox.store import Outbox, OutboxScope
from tui_chat.client.rate_limited_send import RateLimitedSender
from tui_chat.client.room_requests import RoomRequests
from tui_chat.client.roster import Roster
from tui_chat.client.search import MessageSearcher
from tui_chat.client.search_page import SearchPage
from tui_chat.client.storage.history_db import LocalHistory, RoomKey
from tui_chat.client.storage.room_cache import RoomCache
from tui_chat.client.sync.history_sync import HistorySync
from tui_chat.client.sync.seq_ranges import Gap
from tui_chat.client.task_set import TaskSet
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, NotJoined
from tui_chat.protocol.events import Entry, Member, Message, PresencePush, TopicChange
from tui_chat.protocol.limits import HISTORY_DEFAULT, HISTORY_PAGE
from tui_chat.protocol.requests import JoinRoom
from tui_chat.protocol.responses import JoinResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

log = logging.getLogger("chat.client")


class Room(RoomRequests):
    """Joined or cached room, created by `ChatClient.join` or `ChatClient.open_cached`.

    Attributes:
        name: Room name in the server's spelling.
        topic: Room topic, may be empty.
        nick: User's nickname in the room.
        member_id: User's member id, the author id of the user's messages.
        log: Known part of the room log.
        gate: Gate of the joined connection.
        sender: Outbox of the room.
        last_error: Message of the last failed join attempt, empty without a failure.
        is_basic_server: True for a basic server without members and history (docs/clients.md, "Basic servers").
    """

    def __init__(
        self,
        request: JoinRoom,
        *,
        connector: Connector,
        tasks: TaskSet,
        emit: Callable[[ClientEvent], None],
        on_leave: "Callable[[Room], None]",
        new_id: Callable[[], UUID],
        now_ms: Callable[[], int],
        get_scope: Callable[[], OutboxScope],
        outbox: Outbox | None,
        history: LocalHistory | None,
        max_messages: int | None,
        searcher: MessageSearcher,
    ) -> None:
        self.name = request.room_name
        self.topic = ""
        self.nick = request.nick_name
        self.member_id: str = ""
        self._roster = Roster(lambda members: emit(MembersChanged(self.name, members)))
        self.gate: Gate[Transport] = Gate()
        self.last_error = ""
        self._connector = connector
        self._searcher = searcher
        self._emit = emit
        self._on_leave = on_leave
        self._new_id = new_id
        self._basic_server = BasicServer(lambda: self.nick, now_ms)
        self._rate_limited_sender = RateLimitedSender(self.gate, connector, self._basic_server)
        self._history_sync = HistorySync(
            self.name, self.gate, connector, tasks, self._on_log_changed, max_messages=max_messages
        )
        self.log = self._history_sync.log
        self._cache: RoomCache | None = None
        if history is not None:
            scope = get_scope()
            room_key = RoomKey(scope.server_url, scope.room, scope.nick)
            self._history_sync.cache = self._cache = RoomCache(
                history, room_key, self.log, tasks, lambda problem: emit(PersistenceFailed(problem))
            )
        self.sender = OutboxSender(
            self.name,
            get_scope,
            outbox,
            gate=self.gate,
            connector=connector,
            tasks=tasks,
            emit=emit,
            new_id=new_id,
            now_ms=now_ms,
            basic_server=self._basic_server,
        )
        self._has_cache = False
        self._invite = request.invite
        self._limit = request.limit
        self._was_joined = False
        self._load_task: asyncio.Task[None] | None = None
        self._tasks = tasks
        # Newest cached message until the first join, which compares it with the server's log.
        self._unverified_message: Message | None = None
        self.is_basic_server = False
        self._has_left = False

    async def leave(self) -> None:
        """Leave the room. The log remains readable.

        Later requests raise `NotJoined`, and `async for` ends. Unsent items remain in a persistent outbox. No
        `RoomLost` event is emitted. Idempotent.
        """
        if self._has_left:
            return
        self._has_left = True
        transport = self.gate.value
        self.close(NotJoined("you have left the room"), silent=True)
        self._on_leave(self)
        if transport is not None:
            await self._send_leave(transport)

    # -- history

    async def load_older(self, limit: int = HISTORY_PAGE) -> bool:
        """Load the entries before the start of the log.

        Cached entries need no request. At the start of the log, the call returns False immediately.

        Args:
            limit: Maximum number of entries, at most 200.

        Returns:
            True if older entries exist.

        Raises:
            ChatError: As `send`.
        """
        return await self._history_sync.load_older(limit)

    async def fill_gap(self, gap: Gap, limit: int | None = None, *, oldest_first: bool = False) -> None:
        """Fetch the missing entries of a gap. `log.gaps()` lists the remaining gaps.

        A gap that is filled already has no effect. The call ends early if a page brings no progress.

        Args:
            gap: Current or earlier element of `log.gaps()`.
            limit: Maximum number of entries, None for all.
            oldest_first: Start at the lower end of the gap instead of the upper end.

        Raises:
            ChatError: As `send`.
        """
        await self._history_sync.fill_gap(gap, limit, oldest_first=oldest_first)

    async def load_around(self, seq: int, limit: int = HISTORY_PAGE // 2) -> bool:
        """Load the entries around a message, possibly behind a gap.

        Without a connection, the entries come from memory or the cache; otherwise the call waits for a connection.

        Args:
            seq: `seq` of the message.
            limit: Maximum number of entries, at most 200.

        Returns:
            True if the message is in the log.

        Raises:
            ChatError: As `send`.
        """
        await self._history_sync.load_around(seq=seq, limit=limit)
        return seq in self.log

    async def load_at_time(self, ts: int, limit: int = HISTORY_PAGE // 2) -> int | None:
        """Load the entries around a time.

        Args:
            ts: Time in milliseconds since the epoch.
            limit: Maximum number of entries, at most 200.

        Returns:
            `seq` of the first loaded message at or after the time, that of the last message if all are older,
            or None without messages.

        Raises:
            ChatError: As `send`.
        """
        await self._history_sync.load_around(at=ts, limit=limit)
        return self.log.find_seq_at(ts)

    async def search(self, query: str, *, before: int | None = None, limit: int = HISTORY_DEFAULT) -> SearchPage:
        """Search this room; documented by `ChatClient.search`."""
        return await self._searcher.search(query, self.name, before, limit)

    def __aiter__(self) -> "Room":
        return self

    async def __anext__(self) -> Entry:
        """Wait for the next entry.

        A fetched message has its current text; its changes follow as separate entries. The user's own entries are
        included. All loops over a room share one position.

        Raises:
            StopAsyncIteration: End after `leave` or `ChatClient.close`.
            ChatError: The room became unavailable.
        """
        entry = await self._history_sync.next_entry()
        if entry is None:
            raise StopAsyncIteration
        return entry

    async def trim(self, max_messages: int) -> bool:
        """Release the oldest messages from memory; `load_older` reloads them.

        Args:
            max_messages: Number of messages to retain.

        Returns:
            True if messages were released; False if too few are loaded or one of the oldest has unsaved changes.
        """
        return await self._history_sync.trim(max_messages)

    # -- state, and calls by `ChatClient`

    @property
    def members(self) -> dict[str, Member]:
        """Members by member id, including the user. Empty on a basic server; unchanged during a disconnection."""
        return self._roster.members

    @property
    def was_opened(self) -> bool:
        """True after the first join or the load of cached history."""
        return self._was_joined or self._has_cache

    @property
    def was_joined(self) -> bool:
        """True after the first join. Remains True while offline and after `leave`."""
        return self._was_joined

    async def load_cache(self) -> None:
        """Load the local cache and the outbox once; later calls wait for the same load.

        Emits `OutboxItemChanged` per loaded item, but no `LogChanged`.
        """
        if self._load_task is None:
            self._load_task = self._tasks.start(self._load_cache(), "room cache load")
        await asyncio.wait({self._load_task})

    async def flush(self) -> None:
        """Wait until the writes of outbox and history have ended, successfully or not; no time limit."""
        await self.sender.flush()
        if self._cache is not None:
            await self._cache.flush()

    async def join(self, transport: "Transport", guest_key: str | None) -> JoinResponse:
        """Join over a connection and apply the response.

        Emits `RoomJoined`, then the changes of members, topic and log. A replaced server log is reset and joined a
        second time, without `since`. The gate is set before the first event.

        Args:
            transport: Current connection.
            guest_key: Guest key for an existing membership, None for a new guest.

        Returns:
            The response, synthesized for a basic server.

        Raises:
            ChatError: The server rejected the join, or the connection closed.
        """
        since = self.log.last if self._was_joined or self.log.last else None
        join_response = await self._request_join(transport, guest_key, since)
        if self.gate.has_failed:
            await self._send_leave(transport)
            raise NotJoined("you have left the room")
        was_basic_server, self.is_basic_server = self.is_basic_server, join_response is None
        log_reset = False
        if join_response is None:
            self._history_sync.cache = self._cache = None  # messages of a basic server are not cached
        elif since is not None and (
            was_basic_server or await is_log_replaced(transport, join_response, since, self._unverified_message)
        ):
            log.warning("server log of a room was replaced: reloading the room")
            self._history_sync.reset(join_response.room.last_seq)
            if self._cache is not None:
                await self._cache.clear()
            since, log_reset = None, True
            join_response = await self._request_join(transport, guest_key, since)
        response = join_response or self._basic_server.make_join_response(self.name, self.log.last)
        rejoined, self._was_joined, self._unverified_message = self._was_joined, True, None
        self.name, self.nick = sanitize.room_name(response.room.name), sanitize.nickname(response.nick_name)
        self.member_id = sanitize.member_id(response.member_id)
        self._history_sync.room = self.name
        self.sender.room = self.name
        self.gate.set(transport)
        self._emit(RoomJoined(self.name, rejoined, log_reset))
        self._roster.reset(response.members)
        self._set_topic(response.room.topic)
        self._save_room_info()
        self._history_sync.on_join(
            replace(response, messages=sanitize.entries(response.messages)), since, rejoined=rejoined
        )
        return response

    def on_push(self, entry: Entry) -> None:
        """Apply a pushed entry. Outside a joined connection, entries are buffered until the join."""
        entry = sanitize.entry(entry)
        self._history_sync.on_push(entry)
        if isinstance(entry, TopicChange) and self.gate.value is not None:
            self._set_topic(entry.topic)

    def on_basic_push(self, push: BasicMessage) -> None:
        """Apply a push of a basic server.

        An own message completes its expected echo; the user's own join notice is ignored.
        """
        converted = self._basic_server.convert_push(self.name, push, self.log.last)
        if isinstance(converted, Message):
            self._history_sync.on_push(converted)
            self._basic_server.match_echo(converted)
        elif converted.nick_name != self.nick:
            self._emit(NoticeReceived(converted))

    def on_presence(self, push: PresencePush) -> None:
        """Apply a presence push, which may change the user's own nickname."""
        self._roster.apply_presence(push)
        if (own_member := self.members.get(self.member_id)) is not None:
            self.nick = own_member.nick_name

    def on_disconnected(self) -> None:
        """Suspend requests until the next join."""
        self.gate.clear()
        self.log.on_disconnected()
        self._basic_server.on_disconnected()

    def close(self, error: ChatError, *, silent: bool = False) -> None:
        """Close the room: pending requests fail, and `async for` ends.

        Emits no event. The error of the first call still applies.

        Args:
            error: Exception for pending requests and the iteration.
            silent: End the iteration without an exception.
        """
        self.gate.fail(error)
        self._roster.cancel()
        self._history_sync.close(silent=silent)

    # -- internals

    async def _load_cache(self) -> None:
        cached = await self._cache.load() if self._cache is not None else None
        if cached is not None:
            self.name, self.topic = sanitize.room_name(cached.name), sanitize.topic(cached.topic)
            self.member_id = cached.member_id
            self._unverified_message = next(reversed(list(self.log.messages())), None)
            self._has_cache = True
        await self.sender.claim_orphans()

    async def _request_join(
        self, transport: "Transport", guest_key: str | None, since: int | None
    ) -> JoinResponse | None:
        request = JoinRoom(
            room_name=self.name,
            nick_name=self.nick,
            since=since,
            limit=HISTORY_PAGE if since is not None else self._limit,
            guest_key=guest_key,
            invite=self._invite,
        )
        return await transport.join(request)

    async def _send_leave(self, transport: "Transport") -> None:
        if transport.basic_room is not None:
            self._connector.gate.clear(transport)  # a later join requires a new connection
        await send_leave(transport, self.name)

    def _set_topic(self, topic: str) -> None:
        topic = sanitize.topic(topic)
        if topic != self.topic:
            self.topic = topic
            self._save_room_info()
            self._emit(TopicChanged(self.name, topic))

    def _save_room_info(self) -> None:
        if self._cache is not None:
            save = self._cache.save_room_info(self.name, self.topic, self.member_id, names.canonical_key(self.nick))
            self._tasks.start(save, "room info write")

    def _on_log_changed(self, seqs: tuple[int, ...], is_live: bool) -> None:
        if seqs:
            self._emit(LogChanged(self.name, seqs, is_live))
