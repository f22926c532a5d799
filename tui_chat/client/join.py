"""Join verification and leave request of one connection."""

import asyncio
import logging
from typing import TYPE_CHECKING

from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import History, LeaveRoom
from tui_chat.protocol.responses import Empty, HistoryPage, JoinResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

log = logging.getLogger("chat.client")

LEAVE_TIMEOUT = 5.0
"""Time limit of the `leaveRoom` request, in seconds."""


async def is_log_replaced(
    transport: "Transport", response: JoinResponse, last_known_seq: int, cached_message: Message | None
) -> bool:
    """Return whether the server's log differs from the cached log.

    Without `cached_message`, only a lower `last_seq` counts, and no request is sent.

    Args:
        transport: Connection on which the room was joined.
        response: Server response to the join.
        last_known_seq: Highest cached `seq`.
        cached_message: Newest message of the local cache, None once the server has confirmed the cache.

    Raises:
        ChatError: The server rejected the `history` request, or the connection closed.
    """
    if response.room.last_seq < last_known_seq:
        return True
    if cached_message is None:
        return False
    page = await transport.request(
        History(room=response.room.name, before=cached_message.seq + 1, limit=1), HistoryPage
    )
    server_message = page.messages[0] if page.messages else None
    return server_message is None or (server_message.seq, server_message.id) != (cached_message.seq, cached_message.id)


async def send_leave(transport: "Transport", room: str) -> None:
    """Leave a room on the connection of its join. A failure is only logged.

    On a basic server, the connection is aborted instead.
    """
    if transport.basic_room is not None:
        transport.abort()  # basic servers have no `leaveRoom` request
        return
    try:
        async with asyncio.timeout(LEAVE_TIMEOUT):
            await transport.request(LeaveRoom(room=room), Empty)
    except (ChatError, TimeoutError) as error:
        log.debug("leave request failed: %s; room closed locally", type(error).__name__)
