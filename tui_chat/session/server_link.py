"""Connection to one server: owner of the chat client, its requests and its local storage.

- Ownership: `ServerLink.run` creates and closes the client.
- Order: client events and the results of requests enter one queue in the order in which they occur.
- Offline start: a room in the local cache opens without a connection.
- Start-up: the network libraries are imported by `run`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import ConnectionStateChanged, Offline
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, InternalError, Unauthorized, Unavailable
from tui_chat.protocol.limits import ROOMS_PER_CONNECTION
from tui_chat.session import error_text
from tui_chat.session.background_requests import BackgroundRequests
from tui_chat.session.i18n import tr
from tui_chat.session.request_errors import log_chat_errors
from tui_chat.session.session_events import (
    ConnectFailed,
    ContextLoaded,
    JoinFailed,
    NickAssigned,
    RequestCompleted,
    RoomLeft,
    RoomListReceived,
    RoomOpened,
    RoomRestoreStarted,
    RoomTrimmed,
    ServerConnected,
    SessionEvent,
)
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.store.composer_store import ComposerStore, SavedRoomState
from tui_chat.session.store.login_store import SavedLogin
from tui_chat.session.strings import chat as chat_strings

if TYPE_CHECKING:
    from tui_chat.client.client import ChatClient
    from tui_chat.client.room import Room
    from tui_chat.client.search_page import SearchCursor, SearchPage

log = logging.getLogger("chat.session")

GAP_FETCH_LIMIT = 400
"""Maximum number of entries per fetch of a visible gap. The remainder stays a smaller gap."""

LOADED_MEMBERS = 2_000
"""Maximum number of members per load."""

P = ParamSpec("P")


def _background(
    request: "Callable[Concatenate[ServerLink, P], Coroutine[Any, Any, None]]",
) -> "Callable[Concatenate[ServerLink, P], None]":
    """Run a request method as a background task, whose exception arrives as `RequestFailed`."""

    @wraps(request)
    def start(link: "ServerLink", /, *args: P.args, **kwargs: P.kwargs) -> None:
        link.start(request(link, *args, **kwargs))

    return start


class ServerLink:
    """Connection to one server, with all requests and the local storage of a session. Connects in `run`.

    Args:
        state_dir: Directory of durable data: outbox, drafts and read markers.
        cache_dir: Directory of the room history cache, None to disable caching and the storage of sent texts.
        on_events_queued: Called when the event queue changes from empty to non-empty.

    Attributes:
        invites: Invite codes of the next joins by canonical room name.
        on_starting: Called by `run` before the first room is opened.
        on_closing: Called at the end of `run`, before the connection is closed.
    """

    def __init__(
        self,
        target: SessionTarget,
        state_dir: Path,
        cache_dir: Path | None,
        login: SavedLogin | None = None,
        on_events_queued: Callable[[], None] = lambda: None,
    ) -> None:
        self.url = target.url
        self.event_queue = EventQueue[SessionEvent](on_events_queued)
        self._requests = BackgroundRequests(self.event_queue)
        self.composer_store = ComposerStore(
            state_dir,
            target.url,
            target.nick,
            save_history=cache_dir is not None,
            on_problem=lambda problem: self._requests.report(error_text.sentence(problem)),
        )
        self._login = login
        self.invites = {names.canonical_key(target.room): target.invite} if target.invite else dict[str, str]()
        self.on_starting: Callable[[], Coroutine[Any, Any, None]] = _do_nothing
        self.on_closing: Callable[[], Coroutine[Any, Any, None]] = _do_nothing
        self._target = target
        self._state_dir = state_dir
        self._cache_dir = cache_dir
        self._client: ChatClient | None = None
        self._queued_joins: dict[str, asyncio.Task[None]] = {}  # by canonical room name
        self._trimming: set[str] = set()
        self._is_restore_pending = target.restore_rooms

    @property
    def guest_key(self) -> str | None:
        """Guest key of the client, initially the target's; None without one, before `run`, and with an account."""
        return self._client.guest_key if self._client is not None and self._login is None else None

    async def set_login(self, login: SavedLogin | None) -> None:
        """Set the account, None for a guest; in `run`, connect again and wait up to 5 s. A failure is not raised."""
        self._login = login
        if self._client is not None:
            await self._client.set_token(login.token if login else None, login.account if login else "", timeout=5.0)

    async def run(self) -> None:
        """Connect, and feed the event queue until cancelled.

        A first room in the cache opens before the connection. Otherwise, a failed first attempt emits `ConnectFailed`,
        and no other attempt follows. An unexpected exception is logged, emits `ConnectFailed` and ends the method.
        """
        try:
            await self._run()
        except Exception:
            log.exception("session failed: connection closed")
            self.event_queue.put(ConnectFailed(InternalError("client_error")))

    async def _run(self) -> None:
        """Open the storage and the client, open the first room or connect, and wait until cancelled."""
        from tui_chat.client.client import ChatClient  # noqa: PLC0415 (200 ms)
        from tui_chat.client.outbox.store import Outbox  # noqa: PLC0415
        from tui_chat.client.storage.history_db import LocalHistory  # noqa: PLC0415

        target, cache_dir = self._target, self._cache_dir
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._requests.cancel_all)
            outbox = await stack.enter_async_context(Outbox(self._state_dir))
            await stack.enter_async_context(self.composer_store)
            client = self._client = ChatClient(
                self.url,
                guest_key=target.guest_key,
                token=self._login.token if self._login is not None else None,
                account=self._login.account if self._login is not None else "",
                connect_in_background=True,
                outbox=outbox,
                history=await stack.enter_async_context(LocalHistory(cache_dir)) if cache_dir is not None else None,
                max_messages=None,
            )
            stack.push_async_callback(client.close)
            client.attach_queue(self.event_queue)
            await self.on_starting()
            try:
                saved_state = await self.composer_store.load_room(target.room)
                cached_room = await client.open_cached(target.room, nick=target.nick, invite=target.invite)
                if cached_room is None:
                    await client.connect()
            except ChatError as error:
                self.event_queue.put(ConnectFailed(error))
            else:
                await stack.enter_async_context(client)
                stack.push_async_callback(self.on_closing)
                if cached_room is None:
                    self.event_queue.put(ServerConnected())
                else:
                    self._on_opened(RoomOpened(cached_room, saved_state, "", switch=0))
                self.event_queue.put(ConnectionStateChanged(client.state))
            await asyncio.get_running_loop().create_future()

    def start(self, request: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a request in the background until the end of `run` (`BackgroundRequests.start`)."""
        return self._requests.start(request)

    async def wait_until_idle(self) -> None:
        """Wait until all results are in the queue, except those of joins that may wait for the connection."""
        await self._requests.wait_until_idle(self._queued_joins.values())

    def find_room(self, name: str) -> "Room | None":
        """Return the open room with this name, None if there is none."""
        key = names.canonical_key(name)
        rooms = self._client.rooms.values() if self._client is not None else ()
        return next((room for room in rooms if names.canonical_key(room.name) == key), None)

    def require_client(self) -> "ChatClient":
        """Return the client; raise `Unavailable` before `run`."""
        if self._client is None:
            raise Unavailable("not_connected")
        return self._client

    @_background
    async def join(self, room: str, nick: str, switch: int) -> None:
        """Join a room for a switch (`ChatSession.begin_switch`). The result arrives as `RoomOpened` or `JoinFailed`.

        While offline, the join of a further room waits for the connection, and the room is a room to restore unless
        the server rejects the join. The first opened room starts the restoring of the previous rooms, if requested.
        """
        saved_state = await self.composer_store.load_room(room)
        if self._client is not None and self._client.rooms and isinstance(self._client.state, Offline):
            self.composer_store.add_room(room)
            self._queue_join(room, self._join(room, nick, saved_state, None))
        else:
            await self._join(room, nick, saved_state, switch)

    def _queue_join(self, room: str, join: Coroutine[Any, Any, None]) -> None:
        """Start a join that may wait for the connection, unless such a join of the room is running."""
        if (key := names.canonical_key(room)) in self._queued_joins:
            join.close()
        else:
            self._queued_joins[key] = self.start(join)
            self._queued_joins[key].add_done_callback(lambda _: self._queued_joins.pop(key))

    async def _join(self, room: str, nick: str, saved_state: SavedRoomState, switch: int | None) -> None:
        """Join a room and emit the result; a queued join has no time limit and no switch.

        A queued room is no longer restored after an error other than `Unavailable` and `Unauthorized`.
        """
        was_queued = switch is None
        options: dict[str, Any] = {"timeout": None} if was_queued else {}
        try:
            invite = self.invites.get(names.canonical_key(room))
            joined_room = await self.require_client().join(room, nick=nick, invite=invite, **options)
        except ChatError as error:
            if was_queued and not isinstance(error, Unavailable | Unauthorized):  # end of the session or the login
                self.composer_store.remove_room(room)
            self.event_queue.put(JoinFailed(room, error))
        else:
            self._on_opened(RoomOpened(joined_room, saved_state, nick, switch, was_queued))

    def _on_opened(self, event: RoomOpened) -> None:
        """Emit the event, add the room to the saved rooms, and after the first one restore these rooms if requested."""
        self.event_queue.put(event)
        self.composer_store.add_room(event.room.name)
        if self._is_restore_pending:
            self._is_restore_pending = False
            self.start(self._restore_saved_rooms(event.room.nick))

    async def _restore_saved_rooms(self, nick: str) -> None:
        rooms = (await self.composer_store.load_room_names())[:ROOMS_PER_CONNECTION]
        self.event_queue.put(RoomRestoreStarted(tuple(rooms)))
        for name in rooms:
            if self.find_room(name) is None:
                self._queue_join(name, self._restore_room(name, nick))

    def open_direct_room(self, name: str, nick: str) -> None:
        """Join an announced direct room, without showing it. Without a saved read marker, all its messages are unread.

        No effect while a queued join of the room runs.
        """
        self._queue_join(name, self._restore_room(name, nick, default_read_seq=0))

    async def _restore_room(self, name: str, nick: str, default_read_seq: int | None = None) -> None:
        """Open a room from the cache, or join without a time limit, and emit `RoomOpened` without a switch.

        An error is reported with the name of the room. `default_read_seq` replaces a missing saved marker.
        """
        client, saved_state = self.require_client(), await self.composer_store.load_room(name)
        if saved_state.read_seq is None:
            saved_state = replace(saved_state, read_seq=default_read_seq)
        try:
            room = await client.open_cached(name, nick=nick) or await client.join(name, nick=nick, timeout=None)
            self.event_queue.put(RoomOpened(room, saved_state, "", switch=None))
        except ChatError as error:
            room_label, reason = chat_strings.room_label(name), error_text.phrase(error)
            self._requests.report(
                error_text.sentence(tr("Could not rejoin {room}: {reason}", room=room_label, reason=reason))
            )

    @_background
    async def leave(self, room: str) -> None:
        """Leave a room, delete its saved read marker and its entry of the saved rooms, and emit `RoomLeft`.

        Draft and input history remain. A failed leave request, and a room that is not open, also emit `RoomLeft`.
        """
        if (open_room := self.find_room(room)) is not None:
            await log_chat_errors(open_room.leave())
        self.composer_store.remove_room(room)
        self.event_queue.put(RoomLeft(room))

    @_background
    async def trim(self, room: str, keep_count: int) -> None:
        """Remove the oldest messages of a room from memory, so that `keep_count` remain.

        Emits `RoomTrimmed` if any were removed. No effect for a closed room, during another trim of the room, or while
        a change of a message to remove is unsaved.
        """
        open_room = self.find_room(room)
        if open_room is None or room in self._trimming:
            return
        self._trimming.add(room)
        try:
            if await open_room.history.trim(keep_count):
                self.event_queue.put(RoomTrimmed(room))
        finally:
            self._trimming.discard(room)

    @_background
    async def change_nick(self, nick: str) -> None:
        """Request a new nickname in all rooms. The result arrives as `NickAssigned`."""
        self.event_queue.put(NickAssigned(nick, await self.require_client().change_nick(nick)))

    @_background
    async def set_topic(self, room: str, topic: str) -> None:
        """Request a new topic for a room; "" removes the topic. A room that is not open is ignored."""
        if (open_room := self.find_room(room)) is not None:
            await open_room.set_topic(topic)

    def reconnect_now(self) -> None:
        """Reconnect immediately if offline. No effect before `run`."""
        if self._client is not None:
            self._client.reconnect_now()

    @_background
    async def list_rooms(self, query: str, *, requested_by_user: bool) -> None:
        """Request at most `ROOM_LIST_PAGE` rooms with `query` in name or topic, of all rooms if empty.

        The result arrives as `RoomListReceived`. Without `requested_by_user`, a `ChatError` is not reported.
        """
        try:
            rooms = await self.require_client().list_rooms(query or None)
            self.event_queue.put(RoomListReceived(rooms, requested_by_user))
        except ChatError:
            if requested_by_user:
                raise

    @_background
    async def load_members(self, room: str, query: str, on_loaded: Callable[[], None]) -> None:
        """Add up to `LOADED_MEMBERS` members to the member list of an open room, then call `on_loaded`.

        A room that is not open is ignored. After an error, `on_loaded` is not called. An empty `query` matches all
        nicknames.
        """
        if (open_room := self.find_room(room)) is not None:
            await open_room.list_members(query, limit=LOADED_MEMBERS)
            self.event_queue.put(RequestCompleted(on_loaded))

    @_background
    async def load_older(self, room: str) -> None:
        """Fetch the page before the loaded messages of an open room, if any. A `ChatError` is only logged."""
        open_room = self.find_room(room)
        if open_room is not None and open_room.log.has_older:
            await log_chat_errors(open_room.history.load_older())

    @_background
    async def fill_gap(self, room: str, after: int, *, oldest_first: bool) -> None:
        """Fetch up to `GAP_FETCH_LIMIT` entries of the gap after entry `after`, from its start or its end.

        A missing gap is ignored; a `ChatError` is only logged.
        """
        open_room = self.find_room(room)
        gap = next((gap for gap in open_room.log.gaps() if gap.after == after), None) if open_room is not None else None
        if open_room is not None and gap is not None:
            await log_chat_errors(open_room.history.fill_gap(gap, GAP_FETCH_LIMIT, oldest_first=oldest_first))

    @_background
    async def load_context(self, room: str, *, seq: int | None = None, ts: int | None = None) -> None:
        """Fetch the messages around `seq` or around `ts`. The result arrives as `ContextLoaded`.

        No event follows for a closed room. `ts` (Unix time in ms) takes precedence and leads to the first message from
        then on, or to the newest.
        """
        open_room = self.find_room(room)
        if open_room is not None and ts is not None:
            self.event_queue.put(ContextLoaded(room, await open_room.history.load_at_time(ts)))
        elif open_room is not None and seq is not None:
            self.event_queue.put(ContextLoaded(room, seq if await open_room.history.load_around(seq) else None))

    async def search(self, query: str, room: str | None, cursor: "SearchCursor | None" = None) -> "SearchPage":
        """Return a page of a message search in a room, or in all rooms for None.

        Raises:
            ChatError: As for `ChatClient.search`; `Unavailable` before `run`.
        """
        return await self.require_client().search(query, room=room, cursor=cursor)

    def send_typing(self, room: str, active: bool) -> None:
        """Start (`active`) or stop the user's typing indicator in an open room. A `ChatError` is only logged."""
        if (open_room := self.find_room(room)) is not None:
            self.start(log_chat_errors(open_room.set_typing(active)))


async def _do_nothing() -> None:
    pass
