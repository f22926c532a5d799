"""Log entries, notices and other pushes of the server.

`seq` starts at 1 and increases by exactly 1 per entry of a room, including edits and reactions. `id` is unique per
server and increases within a room. `ts` is in milliseconds since the epoch, UTC (docs/protocol.md, "Entries").
"""

from typing import Literal

from tui_chat.protocol.policies import PolicyFields
from tui_chat.protocol.wire_struct import WireStruct


class Member(WireStruct, frozen=True):
    """Member of a room.

    Attributes:
        member_id: Stable identifier, independent of the nickname and of reconnects.
        nick_name: Nickname, unique among the present members.
        role: `member`, `moderator` or `owner`.
        account: Account name, None for guests.
        via: Dialect of a basic client (docs/dialects.md), which may show neither edits nor reactions; otherwise None.
        confusable: At its assignment, the nickname looked like that of another present member, or for a guest like a
            name of an account.
        away: Status text of a member that is away, possibly empty; None for a member that is not away.
        bot: The account belongs to a bot.
    """

    member_id: str
    nick_name: str
    role: str
    account: str | None = None
    via: str | None = None
    confusable: bool = False
    away: str | None = None
    bot: bool = False


class Reactor(WireStruct, frozen=True):
    """Member with a reaction; the nickname is that at the time of the reaction."""

    member_id: str
    nick_name: str


class ReactionSummary(WireStruct, frozen=True):
    """Reactions with one emoji on a message.

    Attributes:
        count: Number of members with this reaction.
        by: Sample of these members, at most `REACTION_NAMES`, in order of their reactions.
        own: The reader is one of these members.
    """

    count: int
    by: list[Reactor]
    own: bool


class Attachment(WireStruct, frozen=True):
    """File of a message; paths are relative to the server and unsigned (docs/protocol.md, "Attachments").

    Attributes:
        id: Identifier of the upload.
        name: File name without a directory.
        type: Media type, derived from the content.
        size: Size in bytes.
        path: Path of the file.
        width: Width of an image in pixels, None for other files.
        height: Height of an image in pixels, None for other files.
        preview: Path of a smaller version of an image, a WebP image; None without one.
        poster: Path of the title image of a video, None without one.
    """

    id: str
    name: str
    type: str
    size: int
    path: str
    width: int | None = None
    height: int | None = None
    preview: str | None = None
    poster: str | None = None


class Message(WireStruct, frozen=True, tag_field="kind", tag="message"):
    """Message entry. In responses, later edits, deletions and reactions are already applied.

    Attributes:
        room: Display name of the room.
        seq: Position in the room log.
        id: Server-wide identifier.
        nick_name: Nickname of the author at the time of the message.
        member_id: Member id of the author.
        message: Body, empty after a deletion.
        ts: Server time in milliseconds since the epoch.
        account: Account name of the author, None for guests.
        reply_to: `seq` of the message to which this one replies.
        n: Ordinal among the messages of the room, including deleted ones, from 1; None from servers without this field.
        edited: `seq` of the last edit, None for an unedited message.
        deleted: The message was deleted.
        reactions: Summaries by emoji, in order of appearance; None without reactions.
        attachments: Files of the message, None without files.
        bot: The author is a bot or a webhook.
    """

    room: str
    seq: int
    id: int
    nick_name: str
    member_id: str
    message: str
    ts: int
    account: str | None = None
    reply_to: int | None = None
    n: int | None = None
    edited: int | None = None
    deleted: bool = False
    reactions: dict[str, ReactionSummary] | None = None
    attachments: list[Attachment] | None = None
    bot: bool = False


class ChangeEntry(WireStruct, frozen=True):
    """Common fields of entries that change a message or the room."""

    room: str
    seq: int
    id: int
    ts: int
    member_id: str
    nick_name: str


class Edit(ChangeEntry, frozen=True, tag_field="kind", tag="edit"):
    """Replacement of the text of message `target` by `message`."""

    target: int
    message: str


class Deletion(ChangeEntry, frozen=True, tag_field="kind", tag="delete"):
    """Deletion of message `target`."""

    target: int


class Reaction(ChangeEntry, frozen=True, tag_field="kind", tag="reaction"):
    """Addition (`on`) or removal of reaction `emoji` on message `target`."""

    target: int
    emoji: str
    on: bool


class TopicChange(ChangeEntry, frozen=True, tag_field="kind", tag="topic"):
    """New topic of the room, empty for none."""

    topic: str


class MemberRef(WireStruct, frozen=True):
    """Member as an author or target of an action.

    Attributes:
        member_id: Member id.
        nick_name: Nickname at the time of the action.
        account: Account name, None for a guest and a webhook.
        bot: The member is a webhook.
    """

    member_id: str
    nick_name: str
    account: str | None = None
    bot: bool = False


_ResourceAction = Literal["hookCreated", "hookRevoked", "inviteCreated", "inviteRevoked"]
MemberAction = Literal[
    "joined", "left", "invited", "kicked", "banned", "unbanned", "muted", "unmuted", "role", _ResourceAction
]
"""Kinds of `MemberChange`; the target is a webhook for changes of webhooks, the acting member for those of invites."""


class MemberChange(ChangeEntry, frozen=True, tag_field="kind", tag="member"):
    """Durable change of the membership, role or sanctions of a member; the author of the entry is `by`.

    Attributes:
        action: Kind of the change, a `MemberAction` or an unknown one of a newer server.
        target: Affected member.
        by: Acting member.
        until: End of a ban, mute or invite in milliseconds since the epoch, None for no end.
        reason: Reason of the acting member, None without one.
        role: New role of the action `role`, `owner` for the join of the creator of an owned room, otherwise None.
    """

    action: str
    target: MemberRef
    by: MemberRef
    until: int | None = None
    reason: str | None = None
    role: str | None = None


class PolicyChange(PolicyFields, frozen=True, kw_only=True, tag_field="kind", tag="policy"):
    """Change of the policy, name or title of the room; fields without a new value are None.

    The common fields are those of `ChangeEntry`; two structs with fields cannot be combined by inheritance.

    Attributes:
        new_name: New name of the room.
        title: New display name of a private room.
    """

    room: str
    seq: int
    id: int
    ts: int
    member_id: str
    nick_name: str
    new_name: str | None = None
    title: str | None = None


class UnknownEntry(ChangeEntry, frozen=True, tag_field="kind", tag="unknown"):
    """Entry of a kind that this version does not know, with an empty author."""


MessageChange = Edit | Deletion | Reaction
"""Entry types with a target message."""

Update = MessageChange | TopicChange | MemberChange | PolicyChange | UnknownEntry
"""Body types of the `update` event."""

Entry = Message | Update
"""Entry of a room log."""


class Notice(WireStruct, frozen=True):
    """Common fields of ephemeral notices, which are sent to present members and never stored.

    `message` is the text for basic clients; `via` is the dialect of a basic client, None for a native client;
    `confusable` as in `Member`.
    """

    room: str
    nick_name: str
    member_id: str
    message: str
    ts: int
    via: str | None = None
    confusable: bool = False


class JoinNotice(Notice, frozen=True, tag_field="kind", tag="join"):
    """Join of a member; `more` counts further joins coalesced into the notice."""

    more: int = 0


class LeaveNotice(Notice, frozen=True, tag_field="kind", tag="leave"):
    """Leave of a member; `more` counts further leaves coalesced into the notice."""

    more: int = 0


class NickNotice(Notice, frozen=True, kw_only=True, tag_field="kind", tag="nick"):
    """Nickname change from `old_nick_name` to `nick_name`."""

    old_nick_name: str


MessagePush = Message | JoinNotice | LeaveNotice | NickNotice
"""Body types of the `message` event."""


class RenamedMember(WireStruct, frozen=True):
    """New nickname of a member; `confusable` as in `Member`."""

    member_id: str
    nick_name: str
    confusable: bool = False


class PresencePush(WireStruct, frozen=True):
    """Membership changes of a room since the previous presence push.

    Attributes:
        room: Display name of the room.
        joined: New members who are still present, and present members with another `via` or `away`.
        left: Member ids of former members, including those who joined since the previous push.
        renamed: Members with a new nickname.
        member_count: Number of present members; None from servers without this field.
    """

    room: str
    joined: list[Member]
    left: list[str]
    renamed: list[RenamedMember]
    member_count: int | None = None


class TypingPush(WireStruct, frozen=True):
    """Start (`on`) or end of the typing indicator of a member."""

    room: str
    member_id: str
    on: bool


class ReadMarkerPush(WireStruct, frozen=True):
    """Read marker of the account, for its other connections.

    Attributes:
        room: Name of the room.
        seq: `seq` of the newest read entry.
        unread: Number of later messages.
        mentions: Number of later mentions of the account.
    """

    room: str
    seq: int
    unread: int
    mentions: int = 0


class BlockPush(WireStruct, frozen=True):
    """Start (`on`) or end of a block of a member by the account, for its other connections."""

    member: MemberRef
    on: bool


class DirectRoomPush(WireStruct, frozen=True):
    """New message in a direct room that the connection has not joined.

    Attributes:
        room: Address of the room.
        direct: Other members.
    """

    room: str
    direct: list[MemberRef]


class RoomRenamedPush(WireStruct, frozen=True):
    """New name of a joined or observed room; the membership or observation continues under this name."""

    room: str
    new_name: str


class RoomRemovedPush(WireStruct, frozen=True):
    """Removal of a joined or observed room, which ends the membership or observation."""

    room: str


class GoingAwayPush(WireStruct, frozen=True):
    """Announcement of a planned shutdown or a move to another server.

    Attributes:
        reconnect_after: Seconds until a reconnect, to which the client adds jitter.
    """

    reconnect_after: float


class AuthFailPush(WireStruct, frozen=True, omit_defaults=False):
    """Announcement of an invalid token or a suspended account, followed by the close of the connection.

    Attributes:
        message: English message for logs.
        reason: Reason of the error (docs/protocol.md, "Errors").
    """

    message: str = "the token is not valid"
    reason: str = "token_invalid"


MESSAGE: Literal["message"] = "message"
UPDATE: Literal["update"] = "update"
PRESENCE: Literal["presence"] = "presence"
TYPING: Literal["typing"] = "typing"
READ_MARKER: Literal["readMarker"] = "readMarker"
BLOCKS: Literal["blocks"] = "blocks"
DIRECT_ROOM: Literal["directRoom"] = "directRoom"
ROOM_RENAMED: Literal["roomRenamed"] = "roomRenamed"
ROOM_REMOVED: Literal["roomRemoved"] = "roomRemoved"
ERROR: Literal["error"] = "error"
GOING_AWAY: Literal["goingAway"] = "goingAway"
AUTH_FAIL: Literal["authFail"] = "authFail"
