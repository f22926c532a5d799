"""Requests for owned rooms, moderation, direct rooms and read markers (docs/protocol.md, "Requests").

`tui_chat.protocol.request_base` defines the validation of all requests.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from tui_chat.protocol.errors import BadRequest
from tui_chat.protocol.limits import (
    DELETE_RECENT_SECONDS,
    DIRECT_MEMBERS,
    HISTORY_DEFAULT,
    HISTORY_PAGE,
    INVITE_DEFAULT_SECONDS,
    INVITE_DEFAULT_USES,
    INVITE_SECONDS,
    INVITE_USES,
    SEARCH_PAGE,
)
from tui_chat.protocol.policies import PolicyFields
from tui_chat.protocol.request_base import NonNegative, Request, RoomRequest, Seq
from tui_chat.protocol.wire_struct import OpaqueString


class CreateRoom(Request, PolicyFields, frozen=True, kw_only=True):
    """Create a room with the account of the requester as owner, and join the room with its nickname.

    Attributes:
        room_name: Name of a public or unlisted room.
        title: Display name of a private room, whose address the server generates.

    Raises:
        BadRequest: The visibility is `direct`, or not exactly one of the two names is given: `title` for the visibility
            `private`, otherwise `room_name`.
    """

    event: ClassVar[str] = "createRoom"
    rate_class: ClassVar[str] = "joins"
    room_name: str | None = None
    title: str | None = None

    def __post_init__(self) -> None:
        is_private = self.visibility == "private"
        if self.visibility == "direct" or (self.title is None) == is_private or (self.room_name is None) != is_private:
            raise BadRequest("room_name_or_title")
        super().__post_init__()


class SetPolicy(Request, PolicyFields, frozen=True, kw_only=True):
    """Change fields of the policy of a room; None keeps a value."""

    event: ClassVar[str] = "setPolicy"
    rate_class: ClassVar[str] = "messages"
    room: str


class UpdateRoom(SetPolicy, frozen=True, kw_only=True):
    """Change the name or title and the policy of a room; None keeps a value.

    Attributes:
        room_name: New name of a public or unlisted room.
        title: New display name of a private room.
    """

    event: ClassVar[str] = "updateRoom"
    room_name: str | None = None
    title: str | None = None


class DeleteRoom(RoomRequest, frozen=True):
    """Delete a room with its log."""

    event: ClassVar[str] = "deleteRoom"
    rate_class: ClassVar[str] = "messages"


class MyRooms(Request, frozen=True):
    """List the durable memberships of the account, with their read markers."""

    event: ClassVar[str] = "myRooms"


class CreateInvite(RoomRequest, frozen=True):
    """Create an invite to a room.

    Attributes:
        uses: Maximum number of redemptions.
        expires_in: Validity in seconds.
    """

    event: ClassVar[str] = "createInvite"
    rate_class: ClassVar[str] = "joins"
    uses: Annotated[int, Meta(ge=1, le=INVITE_USES)] = INVITE_DEFAULT_USES
    expires_in: Annotated[int, Meta(ge=1, le=INVITE_SECONDS)] = INVITE_DEFAULT_SECONDS


class ListInvites(RoomRequest, frozen=True):
    """List the valid invites to a room, without their codes."""

    event: ClassVar[str] = "listInvites"


class RevokeInvite(RoomRequest, frozen=True):
    """Revoke the invite `id`."""

    event: ClassVar[str] = "revokeInvite"
    rate_class: ClassVar[str] = "joins"
    id: OpaqueString


class ReplaceGroupCode(RoomRequest, frozen=True):
    """Replace the reusable invite code of a private room in the conversation dialect; the old code becomes invalid."""

    event: ClassVar[str] = "replaceGroupCode"
    rate_class: ClassVar[str] = "joins"


class CreateHook(RoomRequest, frozen=True):
    """Create a webhook, which posts messages to a room with the permissions of the requester.

    Attributes:
        nick_name: Name of the webhook, the author of its messages.
    """

    event: ClassVar[str] = "createHook"
    rate_class: ClassVar[str] = "joins"
    nick_name: str


class ListHooks(RoomRequest, frozen=True):
    """List the webhooks of a room; without the permission to manage all of them, those that the account created."""

    event: ClassVar[str] = "listHooks"


class RevokeHook(RoomRequest, frozen=True):
    """Revoke the webhook `id`."""

    event: ClassVar[str] = "revokeHook"
    rate_class: ClassVar[str] = "messages"
    id: OpaqueString


class MemberRequest(RoomRequest, frozen=True):
    """Base of requests that target the member `member_id` of a room."""

    rate_class: ClassVar[str] = "messages"
    member_id: OpaqueString


class SetRole(MemberRequest, frozen=True):
    """Set the role of a member."""

    event: ClassVar[str] = "setRole"
    role: Literal["member", "moderator", "owner"]


class Kick(MemberRequest, frozen=True):
    """Remove a member; a later join is permitted."""

    event: ClassVar[str] = "kick"
    reason: str | None = None


class Ban(MemberRequest, frozen=True):
    """Remove a member and reject its later requests in the room.

    Attributes:
        until: End of the ban in milliseconds since the epoch; None for no end.
        delete_recent: Maximum age in seconds of the messages of the member to delete; 0 deletes none.
    """

    event: ClassVar[str] = "ban"
    reason: str | None = None
    until: NonNegative | None = None
    delete_recent: Annotated[int, Meta(ge=0, le=DELETE_RECENT_SECONDS)] = 0


class Unban(MemberRequest, frozen=True):
    """End a ban."""

    event: ClassVar[str] = "unban"


class Mute(MemberRequest, frozen=True):
    """Reject messages, edits, reactions, uploads, topics and webhooks of a member.

    Attributes:
        until: End of the mute in milliseconds since the epoch; None for no end.
    """

    event: ClassVar[str] = "mute"
    until: NonNegative | None = None
    reason: str | None = None


class Unmute(MemberRequest, frozen=True):
    """End a mute."""

    event: ClassVar[str] = "unmute"


class ReadAudit(RoomRequest, frozen=True):
    """Request a page of the newest audited entries (docs/protocol.md, "Moderation").

    Attributes:
        before: Entries before this `seq`; None for the end of the log.
    """

    event: ClassVar[str] = "audit"
    rate_class: ClassVar[str] = "searches"
    before: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_PAGE)] = HISTORY_DEFAULT


class OpenDirect(Request, frozen=True):
    """Join the direct room of the requester and other members, created on demand."""

    event: ClassVar[str] = "openDirect"
    rate_class: ClassVar[str] = "joins"
    member_ids: Annotated[list[OpaqueString], Meta(min_length=1, max_length=DIRECT_MEMBERS - 1)]


class BlockMember(Request, frozen=True):
    """Reject direct messages between the account and a member, and ignore mentions by the member."""

    event: ClassVar[str] = "block"
    member_id: OpaqueString


class UnblockMember(Request, frozen=True):
    """End a block."""

    event: ClassVar[str] = "unblock"
    member_id: OpaqueString


class ListBlocks(Request, frozen=True):
    """List the members that the account has blocked."""

    event: ClassVar[str] = "listBlocks"


class MarkRead(RoomRequest, frozen=True):
    """Move the read marker of the account to `seq`.

    Attributes:
        seq: `seq` of the newest read entry; without `unread`, a lower one than the current has no effect.
        unread: Mark later entries as unread: `seq` may be lower than the current one.
    """

    event: ClassVar[str] = "markRead"
    seq: NonNegative
    unread: bool = False


class ListMentions(Request, frozen=True):
    """List the messages that mention the account, in all of its rooms.

    Attributes:
        cursor: `next` of the previous page, None for the first page.
    """

    event: ClassVar[str] = "listMentions"
    rate_class: ClassVar[str] = "searches"
    cursor: OpaqueString | None = None
    limit: Annotated[int, Meta(ge=1, le=SEARCH_PAGE)] = HISTORY_DEFAULT


REQUEST_TYPES: tuple[type[Request], ...] = (
    CreateRoom,
    UpdateRoom,
    DeleteRoom,
    SetPolicy,
    MyRooms,
    CreateInvite,
    ListInvites,
    RevokeInvite,
    ReplaceGroupCode,
    CreateHook,
    ListHooks,
    RevokeHook,
    SetRole,
    Kick,
    Ban,
    Unban,
    Mute,
    Unmute,
    ReadAudit,
    OpenDirect,
    BlockMember,
    UnblockMember,
    ListBlocks,
    MarkRead,
    ListMentions,
)
"""Requests of this module."""
