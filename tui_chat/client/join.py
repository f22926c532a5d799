"""Joins of the rooms of one client over the current connection."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from tui_chat.client.errors import ConnectionLost
from tui_chat.client.events import RoomLost
from tui_chat.client.log import log
from tui_chat.client.outbox.store import Outbox, hash_guest_key
from tui_chat.client.room import Room
from tui_chat.client.room_context import ClientContext
from tui_chat.client.room_directory import RoomDirectory
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.protocol.errors import ChatError, InternalError, RateLimited, Unavailable

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

MAX_CONCURRENT_JOINS = 4
"""Limit of concurrent joins, which spreads the load of a reconnect with many rooms."""
JOIN_RETRY_DELAY = 1.0
"""Delay after a temporary join error without `retryAfter`, in seconds."""


class RoomJoiner:
    """Joiner of the rooms of one client.

    Args:
        context: Services of the client.
        rooms: Rooms of the client; rejected rooms are removed.
        outbox: Persistent outbox, None for memory only.
        history: Local message history, None if disabled.
    """

    def __init__(
        self, context: ClientContext, rooms: RoomDirectory, outbox: Outbox | None, history: LocalHistory | None
    ) -> None:
        self._context = context
        self._rooms = rooms
        self._outbox = outbox
        self._history = history
        self._history_check: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_JOINS)
        self._joining: dict[Room, Transport] = {}  # connections of the running joins

    async def load_cache(self, room: Room) -> None:
        """Load the cache of a room, then start the integrity check of the history file, which takes longer."""
        await room.membership.load_cache()
        if self._history is not None and self._history_check is None:
            self._history_check = self._context.tasks.start(self._check_history(self._history), "history check")

    async def _check_history(self, history: LocalHistory) -> None:
        try:
            await history.check()
        except LocalStorageError as error:
            log.warning("history: integrity check failed: %s; the file remains in use", error)

    def start(self, room: Room) -> None:
        """Join a room in the background."""
        self._context.tasks.supervise(lambda: self.join(room), "room join")

    async def join(self, room: Room) -> None:
        """Join a room over the current connection; no effect if another call joins the room over this connection.

        Temporary errors are retried; others close the room. An unexpected exception propagates after a record in
        `last_error`.
        """
        transport = self._context.connector.gate.value
        membership = room.membership
        await self.load_cache(room)
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
                    async with asyncio.timeout(error.retry_after or JOIN_RETRY_DELAY):
                        await transport.wait_closed()
            except ChatError as error:
                self._on_rejected(room, error)
            except Exception:
                gate.clear(transport)  # joined on the server, but not applied
                membership.last_error = InternalError("client_error")
                raise
            else:
                self._rooms.add_pushed_name(room)
                if not room.is_basic_server:
                    await self._set_guest_key(response.guest_key)
                return

    async def _set_guest_key(self, guest_key: str) -> None:
        old_key, self._context.guest_key = self._context.guest_key, guest_key
        if self._outbox is not None and old_key != guest_key:
            try:
                await self._outbox.update_guest(self._context.url, hash_guest_key(old_key), hash_guest_key(guest_key))
            except LocalStorageError as error:
                log.warning("outbox: update of the guest key failed: %s; queued items remain under the old key", error)

    def _on_rejected(self, room: Room, error: ChatError) -> None:
        was_open = room.membership.was_opened and not room.membership.context.gate.has_failed
        room.membership.close(error)
        self._rooms.remove(room.membership)
        if was_open:
            self._context.emit(RoomLost(room.name, error.copy()))
