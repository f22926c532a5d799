"""Requests of the user that concern no single room: status, mentions, direct rooms and blocks."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import structs

from tui_chat.client import sanitize
from tui_chat.client.events import BlockChanged
from tui_chat.client.room import Room
from tui_chat.client.room_context import ClientContext
from tui_chat.protocol.events import Member, MemberRef
from tui_chat.protocol.limits import HISTORY_DEFAULT
from tui_chat.protocol.requests import SetStatus
from tui_chat.protocol.responses import BlockList, Empty, JoinResponse, MentionList
from tui_chat.protocol.room_requests import BlockMember, ListBlocks, ListMentions, OpenDirect, UnblockMember


class UserRequests:
    """Requests of one client; without a connection, a request waits for one.

    Each method raises `BadRequest` or `TooLong` for an invalid argument, `Forbidden` without the permission,
    `RateLimited`, `UnsupportedByServer` on a basic server, and `Unavailable` without a response in time.

    Args:
        join: Joins a room by its name or address with a nickname.
    """

    def __init__(self, context: ClientContext, join: Callable[[str, str], Awaitable[Room]]) -> None:
        self._context = context
        self._join = join

    @property
    def is_away(self) -> bool:
        """True after `set_status` with `away` by this client or another connection of the user, until one without."""
        return self._context.status.away is not None

    @property
    def status_change_count(self) -> int:
        """Number of changes of the status by other connections of the user, as far as the server has pushed them."""
        return self._context.status.change_count

    async def set_status(self, *, away: bool, text: str = "") -> None:
        """Mark the user as away in all rooms, or remove the mark.

        The client repeats the mark after a reconnect, even if this call fails. The call waits for the rate limit.

        Args:
            away: The user is away.
            text: Text for the other members, possibly empty; ignored unless `away`.
        """
        request = SetStatus(away=away, status_text=text)
        self._context.status.away = request if away else None
        with self._context.status.request_running():
            await self._context.request(request, Empty, wait_for_rate_limit=True)

    async def list_mentions(self, *, cursor: str | None = None, limit: int = HISTORY_DEFAULT) -> MentionList:
        """Return the messages that mention the account in its rooms, newest first; `Forbidden` for a guest.

        Args:
            cursor: `next` of the previous page, None for the first page.
            limit: Maximum number of messages, at most 100.
        """
        page = await self._context.request(ListMentions(cursor=cursor, limit=limit), MentionList)
        return structs.replace(page, messages=[*sanitize.found_messages(page.messages)])

    async def open_direct(self, members: Sequence[Member | MemberRef]) -> Room:
        """Join the direct room of the user and one to seven other members; the server creates the room on demand.

        The same members always share one room. `Room.title` consists of the nicknames.
        """
        response = await self._context.request(
            OpenDirect(member_ids=[member.member_id for member in members]), JoinResponse
        )
        name = sanitize.room_name(response.room.name)
        self._context.name_direct_room(name, members)
        return await self._join(name, sanitize.nickname(response.nick_name))

    async def block(self, member_id: str) -> None:
        """Reject direct rooms with a member, and ignore the mentions of the member. Emits `BlockChanged`."""
        await self._context.request(BlockMember(member_id=member_id), Empty)
        self._context.emit(BlockChanged(member_id, True))

    async def unblock(self, member_id: str) -> None:
        """End a block, if any. Emits `BlockChanged`."""
        await self._context.request(UnblockMember(member_id=member_id), Empty)
        self._context.emit(BlockChanged(member_id, False))

    async def list_blocks(self) -> list[MemberRef]:
        """Return the blocked members, newest first."""
        return [sanitize.received(ref) for ref in (await self._context.request(ListBlocks(), BlockList)).blocks]
