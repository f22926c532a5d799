"""Commands of the room log: sanitized changes; `BatchWriter` checks author and target."""

from secrets import token_urlsafe
from uuid import UUID

from msgspec import Struct, field

from server.domain.room_access import MembershipRole
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Member, MemberAction, MemberRef
from tui_chat.protocol.policies import PolicyFields

ROOM_CHANGE_RETRY = 0.5
"""`retryAfter` of requests during a change of the room, in seconds."""


class StaleAccess(Unavailable):
    """Rejected permission check against stale state; the check can be repeated with the state of `room_key`."""

    def __init__(self, room_key: str) -> None:
        self.room_key = room_key
        super().__init__("room_changing", retry_after=ROOM_CHANGE_RETRY)


def generate_log_id() -> str:
    """Return a random `log_id` of 12 characters."""
    return token_urlsafe(9)


class RoomRef(Struct, frozen=True, kw_only=True):
    """Reference to a room that may not exist in storage yet.

    Attributes:
        key: Canonical key of the name (`tui_chat.protocol.names.canonical_key`).
        name: Display name, stored by the command that creates the room.
        log_id: Random identifier of the log, stored by the command that creates the room.
    """

    key: str
    name: str
    log_id: str = field(default_factory=generate_log_id)


class RoomCommand(Struct, frozen=True, kw_only=True):
    """Base of all commands.

    Attributes:
        room: Target room.
        author: Author of the change, as of the time of the command.
        client_id: Idempotency key chosen by the client, unique in the room.
        policy_seq: `policy_seq` of the permission check; another value at the time of the append rejects the command
            with `StaleAccess`. None for changes of the server, which need no permission.
    """

    room: RoomRef
    author: Member
    client_id: UUID | None = None
    policy_seq: int | None = None


class MentionTargets(Struct, frozen=True, kw_only=True):
    """Mentioned accounts of a message text.

    Attributes:
        candidates: Per mention the member ids of the accounts with a matching name, the longest name first; the first
            one that is a durable member of the room is mentioned.
        all_members: The text mentions all members, and the author may do so; `candidates` then has no effect.
    """

    candidates: tuple[tuple[str, ...], ...] = ()
    all_members: bool = False


class AttachedUpload(Struct, frozen=True, kw_only=True):
    """File of a new message.

    Attributes:
        upload_id: Upload of the author, which may be in other messages of the room.
        poster_id: Upload with the title image of a video, None without one.
    """

    upload_id: str
    poster_id: str | None = None

    @property
    def all_ids(self) -> tuple[str, ...]:
        """Ids of the file, and of its poster if it has one."""
        return (self.upload_id,) if self.poster_id is None else (self.upload_id, self.poster_id)


class AppendMessage(RoomCommand, frozen=True, kw_only=True):
    """Command that appends a message.

    Attributes:
        message: Sanitized body.
        reply_to: `seq` of the message to which this one replies; the message must exist.
        mentions: Mentioned accounts.
        attachments: Files of the message.
    """

    message: str
    reply_to: int | None = None
    mentions: MentionTargets = MentionTargets()
    attachments: tuple[AttachedUpload, ...] = ()


class AppendEdit(RoomCommand, frozen=True, kw_only=True):
    """Command that replaces the text of the author's message with `seq` `target` with `message`.

    `mentions` are the mentioned accounts of the new text, and replace those of the message.
    """

    target: int
    message: str
    mentions: MentionTargets = MentionTargets()


class AppendDeletion(RoomCommand, frozen=True, kw_only=True):
    """Command that deletes a message.

    Attributes:
        target: `seq` of the message.
        any_author: The permission check allows the author to delete messages of other members.
    """

    target: int
    any_author: bool = False


class AppendReaction(RoomCommand, frozen=True, kw_only=True):
    """Command that adds (`on`) or removes the author's reaction `emoji` on the message with `seq` `target`."""

    target: int
    emoji: str
    on: bool


class AppendTopic(RoomCommand, frozen=True, kw_only=True):
    """Command that sets the room topic; an empty `topic` removes the topic."""

    topic: str


REVOKING_ACTIONS = frozenset({"left", "kicked", "banned", "muted", "role", "hookRevoked"})
"""Actions of `AppendMemberChange` that may revoke a permission, and therefore move `policy_seq` of the room."""


class AppendMemberChange(RoomCommand, frozen=True, kw_only=True):
    """Command that changes the membership, the role or a sanction of `target`; `author` is the acting member.

    Attributes:
        action: Kind of the change (`tui_chat.protocol.events.MemberChange`). `joined` and `invited` create a durable
            membership; `left`, `kicked` and `banned` end it. `hookCreated` and `hookRevoked` change the webhooks,
            `inviteCreated` and `inviteRevoked` the invites.
        target: Affected member or webhook; the author for an invite.
        until: End of a ban, mute or invite in milliseconds since the epoch, None for no end.
        reason: Reason of a kick, ban or mute, None without one.
        role: New role of the action `role`.
        invite_digest: SHA-256 of the code of a new invite, or of the invite code that admits the target of `joined`;
            a join consumes one use.
        invite_uses: Maximum number of redemptions of a new invite.
        invite_id: Invite to revoke.
        reusable_code: Code of the conversation dialect that admits the target of `joined`.
        address_hash: Keyed hash of the address of a banned guest.
        hook_digest: SHA-256 of the secret of a new webhook.
    """

    action: MemberAction
    target: MemberRef
    until: int | None = None
    reason: str | None = None
    role: MembershipRole | None = None
    invite_digest: bytes | None = None
    invite_uses: int | None = None
    invite_id: int | None = None
    reusable_code: str | None = None
    address_hash: bytes | None = None
    hook_digest: bytes | None = None


class AppendPolicyChange(RoomCommand, frozen=True, kw_only=True):
    """Command that changes the policy, the name or the title of a room; None keeps a value.

    Attributes:
        changes: New values.
        new_room: Key and display form of a new name.
        title: New title of a room with an address.
    """

    changes: PolicyFields = PolicyFields()
    new_room: RoomRef | None = None
    title: str | None = None


class AppendCreation(RoomCommand, frozen=True, kw_only=True):
    """Command that creates a room with `author` as its owner, or a direct room.

    Attributes:
        policy: Values of the policy other than the defaults.
        title: Display name of a room with an address, otherwise empty.
        topic: First topic, stored without an entry.
        direct_key: Identity of the set of members of a direct room; None for other rooms.
        members: Other members of a direct room.
    """

    policy: PolicyFields = PolicyFields()
    title: str = ""
    topic: str = ""
    direct_key: str | None = None
    members: tuple[MemberRef, ...] = ()


AccessCommand = AppendCreation | AppendMemberChange | AppendPolicyChange
"""Commands that change memberships, sanctions or policies."""

ContentCommand = AppendMessage | AppendEdit | AppendDeletion | AppendReaction | AppendTopic
"""Commands that change messages or the topic."""

LogCommand = ContentCommand | AccessCommand


def to_member_ref(member: Member) -> MemberRef:
    """Return the reference to a member other than a webhook."""
    return MemberRef(member_id=member.member_id, nick_name=member.nick_name, account=member.account)
