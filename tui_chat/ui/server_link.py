"""Background owner of the chat client.

- Ownership: `ServerLink.run` creates and closes the client. No method touches a widget.
- Order: responses and client events enter one queue in the order in which they occur.
- Outbox: messages and changes are posted (`Room.post`). An item is in the outbox on return, and its progress arrives
  as events.
- Offline start: a room in the local cache opens without a connection.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tui_chat.client import events
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, NotJoined, Unavailable
from tui_chat.protocol.limits import ROOMS_PER_CONNECTION
from tui_chat.session import error_text
from tui_chat.session.compose_mode import ComposeMode
from tui_chat.session.i18n import tr
from tui_chat.session.store.composer_store import ComposerStore
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.event_queue import (
    CachedRoomOpened,
    ConnectFailed,
    ContextLoaded,
    JoinFailed,
    JoinSucceeded,
    QueuedEvent,
    RequestFailed,
    RoomLeft,
    RoomListReceived,
    RoomRestoreStarted,
    RoomTrimmed,
    ServerConnected,
)
from tui_chat.ui.start_options import StoragePaths

if TYPE_CHECKING:
    from tui_chat.client.client import ChatClient
    from tui_chat.client.room import Room
    from tui_chat.client.search_page import SearchPage

log = logging.getLogger("chat.ui")

GAP_FETCH_LIMIT = 400
"""Maximum number of entries per fetch of a visible gap. The remainder stays a smaller gap."""


class ServerLink:
    """Connection to one server, with all requests and local storage of the chat screen.

    Attributes:
        url: Base URL of the server.
        event_queue: Events for the session controller.
    """

    def __init__(
        self,
        url: str,
        initial_join: tuple[str, str],
        guest_key: str | None,
        storage_paths: StoragePaths,
        on_events_queued: Callable[[], None],
        *,
        restore_rooms: bool,
    ) -> None:
        """Initialise the link without connecting.

        Args:
            url: Base URL of the server.
            initial_join: Room and nickname of the first join.
            guest_key: Guest key of an earlier session, None for a new guest.
            storage_paths: Local data directories.
            on_events_queued: Called when the event queue changes from empty to non-empty.
            restore_rooms: Reopen the rooms of the previous session as well.
        """
        self.url = url
        self.event_queue = EventQueue[QueuedEvent](on_events_queued)
        self._initial_join = initial_join
        self._guest_key = guest_key
        self._storage_paths = storage_paths
        self._client: ChatClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._trimming: set[str] = set()
        self._is_restore_pending = restore_rooms
        self._composer_store: ComposerStore

    @property
    def guest_key(self) -> str | None:
        """Guest key issued by the server, None before the first connection."""
        return self._client.guest_key if self._client is not None else None

    async def run(self) -> None:
        """Connect, and feed the event queue until cancelled.

        A first room in the cache opens before the connection. Otherwise, a failed first attempt emits `ConnectFailed`
        and returns.
        """
        # Imported here to keep startup fast: the network libraries take 200 ms.
        from tui_chat.client.client import ChatClient  # noqa: PLC0415
        from tui_chat.client.outbox.store import Outbox  # noqa: PLC0415
        from tui_chat.client.storage.history_db import LocalHistory  # noqa: PLC0415

        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._cancel_tasks)
            outbox = await stack.enter_async_context(Outbox(self._storage_paths.state))
            cache = self._storage_paths.cache
            self._composer_store = await stack.enter_async_context(
                ComposerStore(
                    self._storage_paths.state,
                    self.url,
                    self._initial_join[1],
                    save_history=cache is not None,
                    on_problem=lambda problem: self._enqueue(RequestFailed(problem)),
                )
            )
            history = await stack.enter_async_context(LocalHistory(cache)) if cache is not None else None
            client = ChatClient(
                self.url,
                guest_key=self._guest_key,
                connect_in_background=True,
                outbox=outbox,
                history=history,
                max_messages=None,
            )
            stack.push_async_callback(client.close)
            self._client = client
            stream = client.events()
            try:
                room, nick = self._initial_join
                saved_state = await self._composer_store.load_room(room)
                cached_room = await client.open_cached(room, nick=nick)
                if cached_room is None:
                    await client.connect()
            except ChatError as error:
                self._enqueue(ConnectFailed(error))
                return
            await stack.enter_async_context(client)
            if cached_room is None:
                self._enqueue(ServerConnected())
            else:
                self._enqueue(CachedRoomOpened(cached_room, saved_state, show=True))
                self._on_room_opened(cached_room)
            self._enqueue(events.ConnectionStateChanged(client.state))
            async for event in stream:
                self._enqueue(event)

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def join(self, room: str, nick: str) -> None:
        """Join a room. The result arrives as `JoinSucceeded` or `JoinFailed`.

        The first room that opens also starts the restoring of the previous rooms, if requested.
        """
        self._spawn(self._join(room, nick))

    def save_draft(self, room: str, text: str, mode: ComposeMode | None) -> None:
        """Save the composer text of a room and its compose mode."""
        self._composer_store.save_draft(room, text, mode)

    def add_sent_text(self, room: str, text: str) -> None:
        """Append sent text to the input history of a room."""
        self._composer_store.add_sent_text(room, text)

    def save_read_marker(self, room: str, seq: int) -> None:
        """Save the read marker of a room."""
        self._composer_store.save_read_seq(room, seq)

    def save_nick(self, nick: str) -> None:
        """Save the current nickname with the composer state."""
        self._composer_store.rename_nick(nick)

    def remove_saved_room(self, room: str) -> None:
        """Remove a room from the rooms to restore, after the server closed the room."""
        self._composer_store.remove_room(room)

    def leave(self, room: str) -> None:
        """Leave a room, and remove the room from the rooms to restore.

        Emits `RoomLeft`, also after a rejected request or for a room that is not open.
        """
        self._spawn(self._leave(room))

    def post(self, room: str, text: str, reply_to: int | None = None) -> OutboxItem:
        """Queue a message for sending.

        Args:
            room: Room name.
            text: Message text.
            reply_to: Sequence number of the message to reply to, None for a plain message.

        Returns:
            Outbox item of the message.

        Raises:
            ChatError: The message is invalid, the outbox is full, or the room is not open.
        """
        return self._require_room(room).post(text, reply_to)

    def edit(self, room: str, seq: int, text: str) -> OutboxItem:
        """Queue the edit of a message. Raises the same errors as `post`."""
        return self._require_room(room).post_edit(seq, text)

    def delete(self, room: str, seq: int) -> OutboxItem:
        """Queue the deletion of a message. Raises the same errors as `post`."""
        return self._require_room(room).post_deletion(seq)

    def react(self, room: str, seq: int, emoji: str, add: bool) -> OutboxItem:
        """Queue adding (`add`) or removing a reaction. Raises the same errors as `post`."""
        return self._require_room(room).post_reaction(seq, emoji, add)

    def retry(self, room: str, client_id: UUID) -> OutboxItem | None:
        """Requeue a failed item. Return None if the outbox has no such item.

        Raises `NotJoined` if the room is not open, as does `drop`.
        """
        with suppress(KeyError):
            return self._require_room(room).retry(client_id)
        return None

    def drop(self, room: str, client_id: UUID) -> OutboxItem | None:
        """Remove an unsent item. Return None if the item is in flight or unknown."""
        with suppress(KeyError):
            return self._require_room(room).drop(client_id)
        return None

    def trim(self, room: str, keep_count: int) -> None:
        """Remove the oldest messages of a room from memory, so that `keep_count` remain.

        Emits `RoomTrimmed` if any were removed. Calls during a running trim of the room are ignored.
        """
        if room not in self._trimming:
            self._trimming.add(room)
            self._spawn(self._trim(room, keep_count))

    def change_nick(self, nick: str) -> None:
        """Request a new nickname in all rooms. A failure arrives as `RequestFailed`."""
        self._spawn(self._change_nick(nick))

    def set_topic(self, room: str, topic: str) -> None:
        """Request a new topic for a room. A failure arrives as `RequestFailed`; a room that is not open is ignored."""
        self._spawn(self._set_topic(room, topic))

    def reconnect_now(self) -> None:
        """Reconnect immediately if offline."""
        if self._client is not None:
            self._client.reconnect_now()

    def list_rooms(self, query: str, *, requested_by_user: bool) -> None:
        """Request the room list.

        Args:
            query: Text in room name or topic, empty for all rooms.
            requested_by_user: Print the list in the current room, and report a failure.
        """
        self._spawn(self._list_rooms(query, requested_by_user))

    def load_older(self, room: str) -> None:
        """Fetch the page of history before the loaded messages, if one exists. Errors are only logged."""
        self._spawn(self._load_older(room))

    def fill_gap(self, room: str, after: int, *, oldest_first: bool) -> None:
        """Fetch entries of the gap after entry `after`, from its start (`oldest_first`) or from its end.

        Fetches at most `GAP_FETCH_LIMIT` entries per call. A missing gap is ignored; errors are only logged.
        """
        self._spawn(self._fill_gap(room, after, oldest_first))

    def load_context(self, room: str, *, seq: int | None = None, ts: int | None = None) -> None:
        """Fetch the messages around `seq` or around `ts`. The result arrives as `ContextLoaded`.

        A failure arrives as `RequestFailed`. No event follows for a room that is not open.

        Args:
            room: Room name.
            seq: Sequence number of a message.
            ts: Unix time in milliseconds, takes precedence over `seq`.
        """
        self._spawn(self._load_context(room, seq, ts))

    async def search(self, query: str, room: str | None, before: int | None) -> "SearchPage":
        """Search messages (`ChatClient.search`).

        Args:
            query: Search text.
            room: Room name, None for all rooms.
            before: Position of the next page, None for the first page.

        Raises:
            ChatError: The search is not possible at present.
        """
        if self._client is None:
            raise Unavailable("not connected to the server")
        return await self._client.search(query, room=room, before=before)

    def send_typing(self, room: str, active: bool) -> None:
        """Start (`active`) or stop the user's typing indicator in a room. Unknown rooms and errors are ignored."""
        target_room = self._find_room(room)
        if target_room is not None:
            self._spawn(_suppress_chat_errors(target_room.set_typing(active)))

    def _require_room(self, name: str) -> "Room":
        room = self._find_room(name)
        if room is None:
            raise NotJoined(tr(chat_strings.ROOM_CLOSED))
        return room

    def _find_room(self, name: str) -> "Room | None":
        key = names.canonical_key(name)
        rooms = self._client.rooms.values() if self._client is not None else ()
        return next((room for room in rooms if names.canonical_key(room.name) == key), None)

    async def _join(self, room: str, nick: str) -> None:
        assert self._client is not None
        saved_state = await self._composer_store.load_room(room)
        try:
            joined_room = await self._client.join(room, nick=nick)
        except ChatError as error:
            self._enqueue(JoinFailed(room, error))
            return
        self._enqueue(JoinSucceeded(joined_room, nick, saved_state, show=True))
        self._on_room_opened(joined_room)

    def _on_room_opened(self, room: "Room") -> None:
        if self._is_restore_pending:
            self._is_restore_pending = False
            self._spawn(self._restore_saved_rooms(room.name, room.nick))
        else:
            self._composer_store.add_room(room.name)

    async def _restore_saved_rooms(self, current_room: str, nick: str) -> None:
        assert self._client is not None
        rooms = (await self._composer_store.load_room_names())[:ROOMS_PER_CONNECTION]
        self._composer_store.add_room(current_room)
        self._enqueue(RoomRestoreStarted(tuple(rooms)))
        for name in rooms:
            if self._find_room(name) is None:
                self._spawn(self._restore_room(self._client, name, nick))

    async def _restore_room(self, client: "ChatClient", name: str, nick: str) -> None:
        saved_state = await self._composer_store.load_room(name)
        try:
            cached_room = await client.open_cached(name, nick=nick)
            if cached_room is not None:
                self._enqueue(CachedRoomOpened(cached_room, saved_state, show=False))
            else:
                self._enqueue(JoinSucceeded(await client.join(name, nick=nick), "", saved_state, show=False))
        except ChatError as error:
            self._enqueue(RequestFailed(chat_strings.rejoin_failed(name, error_text.phrase(error.message, error.code))))

    async def _leave(self, name: str) -> None:
        room = self._find_room(name)
        if room is not None:
            await _suppress_chat_errors(room.leave())
        self._composer_store.remove_room(name)
        self._enqueue(RoomLeft(name))

    async def _change_nick(self, nick: str) -> None:
        assert self._client is not None
        try:
            await self._client.change_nick(nick)
        except ChatError as error:
            self._enqueue(RequestFailed(error.message))

    async def _set_topic(self, name: str, topic: str) -> None:
        room = self._find_room(name)
        try:
            if room is not None:
                await room.set_topic(topic)
        except ChatError as error:
            self._enqueue(RequestFailed(error.message))

    async def _list_rooms(self, query: str, requested_by_user: bool) -> None:
        assert self._client is not None
        try:
            self._enqueue(RoomListReceived(list(await self._client.list_rooms(query or None)), requested_by_user))
        except ChatError as error:
            if requested_by_user:
                self._enqueue(RequestFailed(error.message))

    async def _load_older(self, name: str) -> None:
        room = self._find_room(name)
        if room is not None and room.log.has_older:
            await _suppress_chat_errors(room.load_older())

    async def _load_context(self, name: str, seq: int | None, ts: int | None) -> None:
        room = self._find_room(name)
        if room is None:
            return
        try:
            if ts is not None:
                self._enqueue(ContextLoaded(name, await room.load_at_time(ts)))
            elif seq is not None:
                self._enqueue(ContextLoaded(name, seq if await room.load_around(seq) else None))
        except ChatError as error:
            self._enqueue(RequestFailed(error.message))

    async def _fill_gap(self, name: str, after: int, oldest_first: bool) -> None:
        room = self._find_room(name)
        gap = next((gap for gap in room.log.gaps() if gap.after == after), None) if room is not None else None
        if room is not None and gap is not None:
            await _suppress_chat_errors(room.fill_gap(gap, GAP_FETCH_LIMIT, oldest_first=oldest_first))

    async def _trim(self, name: str, keep_count: int) -> None:
        room = self._find_room(name)
        try:
            if room is not None and await room.trim(keep_count):
                self._enqueue(RoomTrimmed(name))
        finally:
            self._trimming.discard(name)

    def _enqueue(self, event: QueuedEvent) -> None:
        self.event_queue.put(event)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("request failed with an unexpected error: error shown to the user", exc_info=error)
            self._enqueue(RequestFailed(tr(chat_strings.INTERNAL_ERROR)))


async def _suppress_chat_errors(operation: Coroutine[Any, Any, object]) -> None:
    """Await a background operation. A `ChatError` is only logged at debug level."""
    try:
        await operation
    except ChatError as error:
        log.debug("background request failed: %s", error.code)
