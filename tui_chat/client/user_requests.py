"""Requests of the user that concern no single room: status and mentions."""

from msgspec import structs

from tui_chat.client import sanitize
from tui_chat.client.room_context import ClientContext
from tui_chat.protocol.codec import WireStructT
from tui_chat.protocol.limits import HISTORY_DEFAULT
from tui_chat.protocol.requests import Request, SetStatus
from tui_chat.protocol.responses import Empty, MentionList
from tui_chat.protocol.room_requests import ListMentions

REQUEST_TIMEOUT = 30.0
"""Default time limit of a join or request, in seconds."""


class UserRequests:
    """Requests of one client; without a connection, a request waits for one.

    Each method raises `BadRequest` or `TooLong` for an invalid argument, `Forbidden` without the permission,
    `RateLimited`, `UnsupportedByServer` on a basic server, and `Unavailable` without a response in time.

    Args:
        context: Services of the client.
    """

    def __init__(self, context: ClientContext) -> None:
        self._context = context

    async def set_status(self, *, away: bool, text: str = "") -> None:
        """Mark the user as away in all rooms, or remove the mark. The client repeats the mark after a reconnect.

        Args:
            away: The user is away.
            text: Text for the other members, possibly empty; ignored unless `away`.
        """
        request = SetStatus(away=away, status_text=text)
        self._context.away_status = request if away else None
        await self._request(request, Empty)

    async def list_mentions(self, *, cursor: str | None = None, limit: int = HISTORY_DEFAULT) -> MentionList:
        """Return the messages that mention the account in its rooms, newest first; `Forbidden` for a guest.

        Args:
            cursor: `next` of the previous page, None for the first page.
            limit: Maximum number of messages, at most 100.
        """
        page = await self._request(ListMentions(cursor=cursor, limit=limit), MentionList)
        return structs.replace(page, messages=[sanitize.received(message) for message in page.messages])

    async def _request(self, request: Request, response_type: type[WireStructT]) -> WireStructT:
        connector = self._context.connector
        return await connector.request(connector.gate, request, response_type, REQUEST_TIMEOUT)
