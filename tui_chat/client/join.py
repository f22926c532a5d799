"""Joins and observations of the rooms of one client over the current connection."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from tui_chat.client.errors import ConnectionLost
from tui_chat.client.events import AuthFailed
from tui_chat.client.log import log
from tui_chat.client.membership import RoomMembership
from tui_chat.client.outbox.store import Outbox, hash_identity
from tui_chat.client.room import Room
from tui_chat.client.room_context import ClientContext, RoomContext
from tui_chat.client.room_directory import RoomDirectory
from tui_chat.client.search_page import SearchFunction
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, InternalError, RateLimited, Unauthorized, Unavailable
from tui_chat.protocol.requests import JoinRoom, Observe
from tui_chat.protocol.responses import Empty, JoinResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

MAX_CONCURRENT_JOINS = 4
"""Limit of concurrent joins, which spreads the load of a reconnect with many rooms."""

JOIN_RETRY_DELAY = 1.0
"""Delay after a temporary join error without `retryAfter`, in seconds."""


class RoomJoiner:
    """Joiner of the rooms of one client.

    Args:
        outbox: Persistent outbox, None for memory only.
        history: Local message history, None if disabled.
        search: Function for `Room.search`.
    """

    def __init__(
        self,
        context: ClientContext,
        rooms: RoomDirectory,
        outbox: Outbox | None,
        history: LocalHistory | None,
        search: SearchFunction,
    ) -> None:
        self._context = context
        self._rooms = rooms
        self._search = search
        self._closed = False
        self._outbox = outbox
        self._history = history
        self._history_check: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_JOINS)
        self._joining: dict[Room, Transport] = {}  # connections of the running joins
        self._status_transport: Transport | None = None  # connection over which the status was restored

    async def open(self, request: JoinRoom | Observe, timeout: float | None) -> Room:
        """Wait until a room is joined or observed, and return the room; raises as `ChatClient.join` and `observe`.

        A room joined before is returned immediately. A join leaves an observed room of the name first. Without success,
        a room that this call created is left and removed.
        """
        room, is_new, replaced_room = self._get_or_create(request)
        if room.was_joined:
            return room
        try:
            async with asyncio.timeout(timeout):
                if replaced_room is not None:
                    await replaced_room.leave()
                if is_new:
                    self._start_first_join(room)
                await room.membership.context.gate.wait()
        except TimeoutError:
            raise (room.membership.last_error or Unavailable("no_response")).copy() from None
        finally:
            # Concurrent calls for the same room share the outcome of this attempt.
            if is_new and not room.was_joined:
                await room.leave()
        return room

    async def open_cached(self, request: JoinRoom) -> Room | None:
        """Load the cache of a room, start the join, and return the room, as documented for `ChatClient.open_cached`."""
        room, is_new, replaced_room = self._get_or_create(request)
        is_open = False
        try:
            if replaced_room is not None:
                await replaced_room.leave()
            await self._load_cache(room)
            is_open = room.membership.was_opened
            if is_open and is_new:
                self._start_first_join(room)
        finally:
            if is_new and not is_open:
                await room.leave()
        return room if is_open else None

    def _get_or_create(self, request: JoinRoom | Observe) -> tuple[Room, bool, Room | None]:
        """Return the room of the request, True for a new one, and the observed room that a join replaces.

        A new room is added to the directory. A room that is not joined yet gets the invite of the request, if any.
        """
        is_join = isinstance(request, JoinRoom)
        name = request.room_name if is_join else request.room
        known_room = self._rooms.get(name)
        if known_room is not None and not (is_join and known_room.membership.is_observed):
            if is_join and request.invite is not None:
                known_room.membership.set_invite(request.invite)
            return known_room, False, None
        nick = request.nick_name if is_join else ""
        context = RoomContext(
            self._context, key=names.canonical_key(name), nick_key=names.canonical_key(nick), name=name, nick=nick
        )
        room = Room(
            RoomMembership(
                context,
                request,
                outbox=self._outbox if is_join else None,
                history=self._history if is_join else None,
                on_closed=self._rooms.remove,
                is_replaced=self._rooms.has_replacement,
            ),
            self._search,
        )
        self._rooms.add(room)
        return room, True, known_room

    def _start_first_join(self, room: Room) -> None:
        """Start the join of a new room if connected; otherwise, the next connection starts the join.

        After `close`, the room is closed instead; after a rejected token, its requests fail until the next login.
        """
        if self._closed:
            room.membership.close(Unavailable("client_closed"))
        elif isinstance(state := self._context.connector.state, AuthFailed):
            room.membership.on_auth_failed(state.error)
        elif self._context.connector.gate.value is not None:
            self.start(room)

    def close(self) -> None:
        """Close all rooms without an event; requests and later joins raise `Unavailable`."""
        self._closed = True
        for room in self._rooms:
            room.membership.close(Unavailable("client_closed"), silent=True)

    async def _load_cache(self, room: Room) -> None:
        """Load the cache of a room, then start the slow integrity check of the history file, once per client."""
        await room.membership.load_cache()
        if self._history is not None and self._history_check is None:
            self._history_check = self._context.tasks.start(self._check_history(self._history), "history check")

    async def _check_history(self, history: LocalHistory) -> None:
        try:
            await history.check()
        except LocalStorageError as error:
            log.warning("history: integrity check failed: %s; the file remains in use", error)

    def start(self, room: Room) -> None:
        """Start `join` as a background task, which restarts after an unexpected exception."""
        self._context.tasks.supervise(lambda: self.join(room), "room join")

    async def join(self, room: Room) -> None:
        """Load the cache, claim orphaned outbox items, and join a room over the current connection.

        Without a connection, and while another call joins the room over this connection, no request is sent. Temporary
        errors of the server are retried while the connection is open, whose loss ends the call. Other errors close and
        remove the room, with `RoomLost` for an open one. A join response sets the guest key of the client and of its
        outbox items. An unexpected exception propagates after a record in `last_error`.
        """
        transport = self._context.connector.gate.value
        membership = room.membership
        await self._load_cache(room)
        if membership.was_joined:
            await membership.sender.claim_orphans()
        if transport is None or self._joining.get(room) is transport:
            return
        self._joining[room] = transport
        try:
            async with self._slots:
                await self._join_over(room, transport)
        finally:
            if self._joining.get(room) is transport:
                del self._joining[room]

    async def _join_over(self, room: Room, transport: "Transport") -> None:
        """Join a room over a connection, as documented for `join`; no effect for a closed or already joined room."""
        membership, gate = room.membership, room.membership.context.gate
        while not gate.has_failed and gate.value is not transport:
            try:
                response = await membership.join(transport)
            except ConnectionLost:
                return
            except (RateLimited, Unavailable, InternalError) as error:
                membership.last_error = error
                # A lost connection ends the wait, because the joins over the next connection need the slots.
                with suppress(TimeoutError):
                    async with asyncio.timeout(JOIN_RETRY_DELAY if error.retry_after is None else error.retry_after):
                        await transport.wait_closed()
            except ChatError as error:
                membership.on_lost(error)
            except Exception:
                gate.clear(transport)  # joined on the server, but not applied
                membership.last_error = InternalError("client_error")
                raise
            else:
                if isinstance(response, JoinResponse) and response.guest_key:
                    old_identity = self._context.identity
                    self._context.guest_key = response.guest_key
                    await self._move_outbox(old_identity)
                await self._restore_status(transport)
                return

    async def _restore_status(self, transport: "Transport") -> None:
        """Repeat the `away` status, if set, after the first join over a connection; a failure is only logged."""
        status = self._context.status
        if status.away is not None and self._status_transport is not transport:
            self._status_transport = transport
            with status.request_running():
                try:
                    await transport.request(status.away, Empty)
                except ChatError as error:
                    log.debug("status not restored: %s", error.code)
        status.accept_pushes(transport)

    async def change_identity(self, account: str | None) -> None:
        """Prepare the rooms for a connection with another account, None for a guest.

        Reassigns the outbox items, clears the read markers, and ends the suspension of rooms after a rejected token.
        """
        old_identity = self._context.identity
        self._context.account = account
        await self._move_outbox(old_identity)
        for room in self._rooms:
            room.read_marker.set(None, 0)
            room.membership.context.gate.resume()

    async def _move_outbox(self, old_identity: str | None) -> None:
        """Reassign the outbox items of an earlier identity to the current one. A failure is only logged."""
        identity = self._context.identity
        if self._outbox is not None and old_identity != identity:
            try:
                await self._outbox.replace_identity(
                    self._context.url, hash_identity(old_identity), hash_identity(identity)
                )
            except LocalStorageError as error:
                log.warning("outbox: change of the identity failed: %s; queued items remain under the old one", error)

    def on_auth_failed(self, error: Unauthorized) -> None:
        """Fail the requests of all rooms until the next join; the rooms stay open."""
        for room in self._rooms:
            room.membership.on_auth_failed(error)
