"""Responses of the server without `"ok": true`, one struct per kind (docs/protocol.md, "Requests").

A response with an opaque string above `SECRET_CHARACTERS` is invalid.
"""

from tui_chat.protocol.events import Entry, Member, MemberRef, Message
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.protocol.wire_struct import OpaqueString, WireStruct


class RoomState(WireStruct, frozen=True):
    """Current state of a room.

    Attributes:
        name: Display name.
        topic: Topic, empty if unset.
        log_id: Identifier of the log; another value means that the log was replaced. Empty on a basic server.
        first_seq: `seq` of the oldest entry that was not removed, `last_seq + 1` without one; entries missing below are
            no gap.
        last_seq: `seq` of the newest entry, 0 for an empty log.
        visibility: Value of `tui_chat.protocol.policies.Visibility`, or `admins` for `AUDIT_ROOM`.
        title: Display name of a private room, whose `name` is an address.
        policy: Policy of the room; None for the default policy of a room without an owner.
        role: Role of the requester (`admin`, `owner`, `moderator` or `member`); None for a guest without a durable
            membership, and for an observer.
    """

    name: str
    topic: str
    log_id: OpaqueString
    first_seq: int
    last_seq: int
    visibility: str
    title: str | None = None
    policy: RoomPolicy | None = None
    role: str | None = None


class ReadState(WireStruct, frozen=True):
    """Read marker of an account in a room.

    Attributes:
        seq: `seq` of the newest read entry, 0 for none.
        unread: Number of later messages.
        mentions: Number of later mentions of the account.
    """

    seq: int
    unread: int
    mentions: int


class Empty(WireStruct, frozen=True):
    """Success without further fields."""


class ObserveResponse(WireStruct, frozen=True):
    """Successful observation of a room without membership.

    Attributes:
        room: State of the room.
        members: Present members, in order of arrival; a part of them above a limit in members and bytes
            (docs/protocol.md, "Members").
        messages: Newest entries (after `since`, if given), in ascending order.
        has_more: Entries exist before the first of `messages` (and after `since`).
        member_count: Number of present members; None for servers without a limit of `members`.
    """

    room: RoomState
    members: list[Member]
    messages: list[Entry]
    has_more: bool
    member_count: int | None = None


class JoinResponse(ObserveResponse, frozen=True, kw_only=True):
    """Successful join.

    Attributes:
        nick_name: Assigned nickname, which may differ from the requested one.
        member_id: Member id of the client.
        guest_key: Credential for later joins as the same member; empty for accounts.
        read: Read marker of the account; None for guests, and without a durable membership.
        upload_max_bytes: Maximum size of a file, 0 if the server accepts none; None for servers without attachments.
    """

    nick_name: str
    member_id: str
    guest_key: OpaqueString
    read: ReadState | None = None
    upload_max_bytes: int | None = None


class MemberListResponse(WireStruct, frozen=True):
    """Page of the present members, in order of their ids.

    Attributes:
        members: Members of the page.
        has_more: Members with greater ids exist; repeat the request with `after` set to the last id.
        member_count: Number of present members of the room.
    """

    members: list[Member]
    has_more: bool
    member_count: int


class SendResponse(WireStruct, frozen=True):
    """Stored message.

    Attributes:
        seq: Position in the room log.
        id: Server-wide identifier.
        ts: Server time in milliseconds since the epoch.
        duplicate: The `clientId` was stored before; the fields belong to the original message.
        nick_name: Assigned nickname of a message with `as`, otherwise None.
        guest_key: Credential for later messages of the same author; None without `as`, for an account and a duplicate.
    """

    seq: int
    id: int
    ts: int
    duplicate: bool
    nick_name: str | None = None
    guest_key: OpaqueString | None = None


class SignedAddresses(WireStruct, frozen=True):
    """Addresses of files that need no credentials.

    Attributes:
        urls: Paths with a signature, in the order of the request; None for a file that does not exist or is invisible.
        expires_at: Earliest expiry of the addresses in milliseconds since the epoch.
    """

    urls: list[str | None]
    expires_at: int


class HistoryPage(WireStruct, frozen=True):
    """Page of a room log in ascending order, with messages in their current state.

    Attributes:
        messages: Entries of the page.
        has_more: Further entries exist in the direction of `before` or `after`; for other positions, in any direction.
        log_id: As in `RoomState`.
        first_seq: As in `RoomState`.
        last_seq: Newest `seq` of the room at the time of the read; message states include all changes up to this entry.
    """

    messages: list[Entry]
    has_more: bool
    log_id: OpaqueString
    first_seq: int
    last_seq: int


class ChangeAccepted(WireStruct, frozen=True):
    """Accepted change; `revision` is the `seq` of its entry, or the newest `seq` for a change without an entry."""

    revision: int


class SearchResponse(WireStruct, frozen=True):
    """Matching messages, newest first, in their current state.

    Attributes:
        messages: Messages of this page.
        has_more: Further results may exist; repeat the request with `cursor` set to `next`.
        next: Opaque cursor of the next page; None if `has_more` is False.
        incomplete: The index does not cover all messages, so matches may be missing.
    """

    messages: list[Message]
    has_more: bool
    next: str | None = None
    incomplete: bool = False


class RoomSummary(WireStruct, frozen=True):
    """Room in a room list; `members` is the number of present members."""

    name: str
    topic: str
    members: int
    last_seq: int


class RoomListResponse(WireStruct, frozen=True):
    """Matching rooms, largest number of members first, then latest activity; rooms above the `limit` are omitted."""

    rooms: list[RoomSummary]


class NickChanged(WireStruct, frozen=True):
    """Assigned nickname, possibly with a suffix: that in the last of several rooms, the requested one without rooms."""

    nick_name: str


class OwnRoom(WireStruct, frozen=True):
    """Room with a durable membership of the account.

    Attributes:
        name: Name or address of the room.
        role: Role of the account in the room.
        last_seq: `seq` of the newest entry.
        read: Read marker.
        title: Display name of a private room.
        direct: Other members of a direct room; None for other rooms.
        muted_until: End of a mute of the account in milliseconds since the epoch; 0 for a mute without end, None
            without a mute.
    """

    name: str
    role: str
    last_seq: int
    read: ReadState
    title: str | None = None
    direct: list[MemberRef] | None = None
    muted_until: int | None = None


class OwnRoomList(WireStruct, frozen=True):
    """Rooms with a durable membership of the account, latest activity first, up to a limit in bytes."""

    rooms: list[OwnRoom]


class Invite(WireStruct, frozen=True):
    """Invite to a room.

    Attributes:
        id: Identifier for the revocation.
        uses: Remaining redemptions.
        expires_at: End of the validity in milliseconds since the epoch.
        code: Code for `joinRoom`; only in the response of the creation.
        url: Address of the room with the code, for chat programs; only in the response of the creation, and None if the
            server does not know its address.
    """

    id: str
    uses: int
    expires_at: int
    code: OpaqueString | None = None
    url: str | None = None


class InviteCreated(WireStruct, frozen=True):
    """New invite."""

    invite: Invite


class InviteList(WireStruct, frozen=True):
    """Valid invites to a room, newest first."""

    invites: list[Invite]


class GroupCode(WireStruct, frozen=True):
    """Reusable invite code of a private room in the conversation dialect."""

    code: OpaqueString


class Hook(WireStruct, frozen=True):
    """Webhook of a room.

    Attributes:
        id: Identifier for the revocation; the member id of its messages.
        nick_name: Name of the webhook.
        created_by: Creator, whose permissions apply to the messages.
        created_at: Time of the creation in milliseconds since the epoch.
    """

    id: str
    nick_name: str
    created_by: MemberRef
    created_at: int


class HookCreated(WireStruct, frozen=True):
    """New webhook.

    Attributes:
        id: Identifier for the revocation.
        url: Address for messages, which contains the secret; only the path if the server does not know its address.
    """

    id: str
    url: str


class HookList(WireStruct, frozen=True):
    """Webhooks of a room, newest first."""

    hooks: list[Hook]


class BlockList(WireStruct, frozen=True):
    """Members that the account has blocked, newest first."""

    blocks: list[MemberRef]


class MentionList(WireStruct, frozen=True):
    """Messages that mention the account, newest first, in their current state.

    Attributes:
        messages: Messages of this page.
        has_more: Further mentions may exist; repeat the request with `cursor` set to `next`.
        next: Opaque cursor of the next page; None if `has_more` is False.
    """

    messages: list[Message]
    has_more: bool
    next: str | None = None


class ReadMarkerMoved(WireStruct, frozen=True):
    """Read marker after a request."""

    read: ReadState
