"""Requests of accounts about rooms: creation, policies, memberships, invites and webhooks.

- Repetition: a change is sent once, because its repeat could create a second room or invite. After a connection loss
  (`ConnectionLost`), the outcome is unknown.
"""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import structs

from tui_chat.client import sanitize
from tui_chat.client.room import Room
from tui_chat.client.room_context import REQUEST_TIMEOUT, ClientContext
from tui_chat.protocol.codec import WireStructT
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.limits import INVITE_DEFAULT_SECONDS, INVITE_DEFAULT_USES
from tui_chat.protocol.policies import PolicyFields
from tui_chat.protocol.request_base import Request
from tui_chat.protocol.responses import (
    ChangeAccepted,
    Empty,
    GroupCode,
    Hook,
    HookCreated,
    HookList,
    Invite,
    InviteCreated,
    InviteList,
    JoinResponse,
    OwnRoom,
    OwnRoomList,
)
from tui_chat.protocol.room_requests import (
    CreateHook,
    CreateInvite,
    CreateRoom,
    DeleteRoom,
    ListHooks,
    ListInvites,
    MyRooms,
    ReplaceGroupCode,
    RevokeHook,
    RevokeInvite,
    UpdateRoom,
)

_NO_FIELDS = PolicyFields()


class OwnedRooms:
    """Rooms of an account, available as `ChatClient.owned_rooms`.

    All methods raise the `ChatError` of an invalid argument or of the server, `Forbidden` without the permission and
    for guests, `UnsupportedByServer` on a basic server, and `Unavailable` without a connection within
    `REQUEST_TIMEOUT`. The `list` methods repeat their request after a connection loss; the other methods raise
    `ConnectionLost` if the connection closes before the response.

    Args:
        join: Joins a room by its name or address with a nickname.
    """

    def __init__(self, context: ClientContext, join: Callable[[str, str], Awaitable[Room]]) -> None:
        self._context = context
        self._join = join

    async def create(
        self, name: str | None = None, *, title: str | None = None, policy: PolicyFields = _NO_FIELDS
    ) -> Room:
        """Create a room with the account as owner, and join the room as `ChatClient.join`.

        A failed join raises its error, and the created room remains.

        Args:
            name: Name of a public or unlisted room.
            title: Display name of a private room, whose address becomes `Room.name`; the visibility is `private`
                unless `policy` has another.
            policy: Values other than the defaults.
        """
        if title is not None and policy.visibility is None:
            policy = structs.replace(policy, visibility="private")
        response = await self._send(CreateRoom(room_name=name, title=title, **structs.asdict(policy)), JoinResponse)
        return await self._join(sanitize.room_name(response.room.name), sanitize.nickname(response.nick_name))

    async def update(
        self, room: str, *, name: str | None = None, title: str | None = None, policy: PolicyFields = _NO_FIELDS
    ) -> None:
        """Change the name or the title, and fields of the policy of a room; None keeps a value."""
        request = UpdateRoom(room=room, room_name=name, title=title, **structs.asdict(policy))
        await self._send(request, ChangeAccepted)

    async def delete(self, room: str) -> None:
        """Delete a room with its log. `RoomLost` follows for an open room."""
        await self._send(DeleteRoom(room=room), ChangeAccepted)

    async def list_memberships(self) -> list[OwnRoom]:
        """Return the rooms with a durable membership of the account, latest activity first.

        The `Room.title` of an open direct room changes to the current nicknames of its other members.
        """
        response = await self._context.request(MyRooms(), OwnRoomList)
        rooms = [sanitize.received(room) for room in response.rooms]
        for room in rooms:
            if room.direct is not None:
                self._context.name_direct_room(room.name, room.direct)
        return rooms

    async def create_invite(
        self, room: str, *, uses: int = INVITE_DEFAULT_USES, expires_in: int = INVITE_DEFAULT_SECONDS
    ) -> Invite:
        """Create an invite; its `code` is the `invite` of `ChatClient.join`, and `url` a link for chat programs.

        Args:
            room: Room name or address.
            uses: Maximum number of joins.
            expires_in: Validity in seconds.
        """
        request = CreateInvite(room=room, uses=uses, expires_in=expires_in)
        return sanitize.received((await self._send(request, InviteCreated)).invite)

    async def list_invites(self, room: str) -> list[Invite]:
        """Return the valid invites to a room without their codes, newest first."""
        response = await self._context.request(ListInvites(room=room), InviteList)
        return [sanitize.received(invite) for invite in response.invites]

    async def revoke_invite(self, room: str, invite_id: str) -> None:
        """Revoke an invite."""
        await self._send(RevokeInvite(room=room, id=invite_id), Empty)

    async def replace_group_code(self, room: str) -> str:
        """Replace the reusable invite code of a private room for web applications with groups, and return the new one.

        A server without the conversation dialect raises `BadRequest`.
        """
        response = await self._send(ReplaceGroupCode(room=room), GroupCode)
        return sanitize.received(response).code

    async def create_hook(self, room: str, name: str) -> HookCreated:
        """Create a webhook, whose `url` is the only copy of the secret; `name` is the author of its messages."""
        return sanitize.received(await self._send(CreateHook(room=room, nick_name=name), HookCreated))

    async def list_hooks(self, room: str) -> list[Hook]:
        """Return the webhooks of a room that the account may revoke, newest first."""
        response = await self._context.request(ListHooks(room=room), HookList)
        return [sanitize.received(hook) for hook in response.hooks]

    async def revoke_hook(self, room: str, hook_id: str) -> None:
        """Revoke a webhook; an unknown one raises `NotFound`."""
        await self._send(RevokeHook(room=room, id=hook_id), ChangeAccepted)

    async def _send(self, request: Request, response_type: type[WireStructT]) -> WireStructT:
        """Send a request once, over the current connection or one that opens within `REQUEST_TIMEOUT` seconds."""
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                transport = await self._context.connector.gate.wait()
        except TimeoutError:
            raise Unavailable("not_connected") from None
        return await transport.request(request, response_type)
