"""Loading of the durable memberships of the account.

- Schedule: after each connection, once a room is open, then every `REFRESH_INTERVAL` seconds and on request.
- Guests: a guest has no durable memberships.
"""

import asyncio
from collections.abc import Callable

from tui_chat.client.events import Online
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.request_errors import log_chat_errors
from tui_chat.session.server_link import ServerLink
from tui_chat.session.session_events import DurableRoomsReceived

REFRESH_INTERVAL = 60.0
"""Interval of the refresh in seconds; the server pushes no messages of rooms that are not open."""


class DurableRoomLoader:
    """Loader of the memberships of one session; results arrive as `DurableRoomsReceived`, a `ChatError` is logged."""

    def __init__(self, session: ChatSession, server_link: ServerLink, has_account: Callable[[], bool]) -> None:
        self._session = session
        self._server_link = server_link
        self._has_account = has_account
        self._is_started = False
        self._is_first = True
        self._timer: asyncio.TimerHandle | None = None

    def load_once(self) -> None:
        """Start to load the memberships unless a load has started over the current connection.

        No load starts before a room is open. For a guest, the memberships become empty. A call without a connection
        prepares the first load of the next one.
        """
        if not isinstance(self._session.connection_state, Online):
            self._is_started, self._is_first = False, True
        elif not self._has_account():
            self._session.set_durable_rooms(())
        elif not self._is_started and self._session.rooms:
            self._is_started = True
            self._start()

    def refresh(self) -> None:
        """Load the memberships again; no effect for a guest, without a connection, or before the first load started."""
        if self._is_started and self._has_account():
            self._start()

    def stop(self) -> None:
        """End the periodic refresh until the start of another load."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        """Start a load, and the timer of the next one."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(REFRESH_INTERVAL, self.refresh)
        self._server_link.start(log_chat_errors(self._load()))

    async def _load(self) -> None:
        rooms = await self._server_link.require_client().owned_rooms.list_memberships()
        self._server_link.event_queue.put(DurableRoomsReceived(tuple(rooms), self._is_first))
        self._is_first = False
