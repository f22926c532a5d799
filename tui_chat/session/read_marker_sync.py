"""Synchronization of the read markers of an account with the server.

- Rate: moves are sent together, `SEND_DELAY` seconds after the first one.
- Recovery: a move that is not acknowledged is sent again after the next move or join. A mark as unread is also stored
  and sent by a later session.
- Guests: their markers stay on this computer. A registration transfers the markers of the open rooms to the account.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from tui_chat.client.events import Online
from tui_chat.client.room import Room
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.request_errors import log_chat_errors
from tui_chat.session.room_view import RoomView

log = logging.getLogger("chat.session")

SEND_DELAY = 0.5
"""Delay of a move, in seconds."""

FLUSH_TIMEOUT = 1.0
"""Time limit of the moves at the end of the session, in seconds."""


class ReadMarkerSync:
    """Sender of read markers; `start` runs a request in the background, and reports its errors."""

    def __init__(
        self,
        session: ChatSession,
        find_room: Callable[[str], Room | None],
        *,
        has_account: Callable[[], bool],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._session = session
        self._find_room = find_room
        self._has_account = has_account
        self._start = start
        self._timer: asyncio.TimerHandle | None = None

    def schedule(self) -> None:
        """Send the moved markers after `SEND_DELAY` if connected; no effect for a guest, or if a send is scheduled."""
        if self._timer is None and self._has_account():
            self._timer = asyncio.get_running_loop().call_later(SEND_DELAY, self._send)

    def _send(self) -> None:
        self._cancel_timer()
        for request in self._due_requests():
            self._start(request)

    async def flush(self) -> None:
        """Send the moved markers now, and wait at most `FLUSH_TIMEOUT` for their acknowledgements.

        A scheduled send is cancelled. Without a connection, nothing is sent. Errors are only logged, and unacknowledged
        requests are cancelled at the time limit.
        """
        self._cancel_timer()
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_TIMEOUT):
                for result in await asyncio.gather(*self._due_requests(), return_exceptions=True):
                    if isinstance(result, Exception):
                        log.error("read marker not sent: unexpected error", exc_info=result)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due_requests(self) -> Iterable[Coroutine[Any, Any, None]]:
        """Yield a request for each room with an unsent mark as unread, or a marker after that of the server.

        No requests without a connection, and none for rooms without a marker of the server. A `ChatError` is only
        logged.
        """
        if not isinstance(self._session.connection_state, Online):
            return
        for view in self._session.rooms.values():
            room = self._find_room(view.name)
            state = room.read_marker.state if room is not None else None
            if room is None or state is None:
                continue
            if view.reading.has_unsent_mark:
                yield log_chat_errors(_send_unread_mark(view, room))
            elif view.read_seq > state.seq:
                yield log_chat_errors(room.read_marker.mark_read(view.read_seq))

    def transfer_to_account(self) -> None:
        """Replace the initial markers of a new account with those of the guest, after the next joins.

        An initial marker may precede or follow the marker of the guest.
        """
        for view in self._session.rooms.values():
            view.reading.has_unsent_mark = True

    def mark_unread(self, view: RoomView, seq: int) -> None:
        """Mark the messages from `seq` on as unread.

        For an account, the mark is sent immediately, or after the next join. For a guest, nothing is sent.
        """
        self._session.mark_unread(view, seq - 1)
        view.reading.has_unsent_mark = self._has_account()
        if view.reading.has_unsent_mark:
            self._send()


async def _send_unread_mark(view: RoomView, room: Room) -> None:
    """Send a mark as unread; the mark counts as sent unless the marker moved meanwhile."""
    seq = view.read_seq
    await room.read_marker.mark_read(seq, unread=True)
    if seq == view.read_seq:
        view.reading.has_unsent_mark = False
