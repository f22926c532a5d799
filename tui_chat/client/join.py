"""What goes over one connection when a room is entered or left."""

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


async def is_log_replaced(
    transport: "Transport", response: JoinResponse, last_known_seq: int, cached_message: Message | None
) -> bool:
    """Whether the server's log of a room that was joined is not the one known.

    Args:
        transport: The connection.
        answer: To the join.
        held: The live end of what is known.
        kept: The newest message that was kept on this computer, None when the server has shown it since.

    Raises:
        ChatError: The server refused, or the connection ended.
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
    """Leave a room over the connection on which it was joined; that it is not confirmed is no error."""
    if transport.basic_room is not None:
        transport.abort()  # to such a server that is what leaving is
        return
    try:
        async with asyncio.timeout(LEAVE_TIMEOUT):
            await transport.request(LeaveRoom(room=room), Empty)
    except (ChatError, TimeoutError) as error:
        # Whoever is not there has left as well.
        log.debug("leaving a room was not confirmed: %s", type(error).__name__)
