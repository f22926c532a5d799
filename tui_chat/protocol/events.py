"""What the server tells: entries of a room's log, notices and other pushes.

An entry has a `seq`, which starts at 1 and grows by exactly 1 per entry of its
room, edits and reactions included, and an `id`, which is unique over the server
and grows. `ts` is in milliseconds since the epoch, UTC. (docs/protocol.md, "Entries")
"""

from typing import Literal

from msgspec import Struct


class WireStruct(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The common shape: camelCase names, optional fields left out, unknown ones ignored."""


class Member(WireStruct, frozen=True):
    """Somebody in a room.

    Attributes:
        member_id: Stable over reconnects; tells people apart when nicknames change.
        nick_name: Unique in the room while its owner is there.
        role: What the member may do: `member`, `moderator` or `owner`.
        account: The name of the account, for those who have one.
        via: The form of the client, when it is a plain one (docs/dialects.md): it may
            show neither edits nor reactions.
    """

    member_id: str
    nick_name: str
    role: str
    account: str | None = None
    via: str | None = None


class Message(WireStruct, frozen=True, tag_field="kind", tag="message"):
    """Something that somebody said, in its present state when it comes from history.

    Attributes:
        reply_to: The `seq` of the message that this one answers.
        edited: The `seq` of the last edit.
        deleted: The text is gone; `message` is empty.
        reactions: Emoji to the ids of the members who chose it, in that order.
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
    edited: int | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] | None = None


class ChangeEntry(WireStruct, frozen=True):
    """The fields of every entry that changes something said before (or the room)."""

    room: str
    seq: int
    id: int
    ts: int
    member_id: str
    nick_name: str


class Edit(ChangeEntry, frozen=True, tag_field="kind", tag="edit"):
    """The message with `seq` `target` now reads `message`."""

    target: int
    message: str


class Deletion(ChangeEntry, frozen=True, tag_field="kind", tag="delete"):
    """The message with `seq` `target` is gone."""

    target: int


class Reaction(ChangeEntry, frozen=True, tag_field="kind", tag="reaction"):
    """A member put `emoji` under message `target`, or took it away (`on` false)."""

    target: int
    emoji: str
    on: bool


class TopicChange(ChangeEntry, frozen=True, tag_field="kind", tag="topic"):
    """The room has a new topic; an empty one takes it away."""

    topic: str


Update = Edit | Deletion | Reaction | TopicChange
"""What event `update` carries."""

Entry = Message | Edit | Deletion | Reaction | TopicChange
"""One place in a room's log."""


class Notice(WireStruct, frozen=True):
    """The fields of every ephemeral line: shown to those present, never stored.

    `message` says it in words for clients that know no other field; `via` is the member's.
    """

    room: str
    nick_name: str
    member_id: str
    message: str
    ts: int
    via: str | None = None


class JoinNotice(Notice, frozen=True, tag_field="kind", tag="join"):
    """Somebody came; in a storm of joins, `more` others too."""

    more: int = 0


class LeaveNotice(Notice, frozen=True, tag_field="kind", tag="leave"):
    """Somebody left; when many do, `more` others too."""

    more: int = 0


class NickNotice(Notice, frozen=True, kw_only=True, tag_field="kind", tag="nick"):
    """Somebody has a new nickname, `nick_name`; it was `old_nick_name`."""

    old_nick_name: str


MessagePush = Message | JoinNotice | LeaveNotice | NickNotice
"""What event `message` carries."""


class RenamedMember(WireStruct, frozen=True):
    """A member with its new nickname."""

    member_id: str
    nick_name: str


class PresencePush(WireStruct, frozen=True):
    """Who came, left or changed nickname since the last such push of the room."""

    room: str
    joined: list[Member]
    left: list[str]
    renamed: list[RenamedMember]


class TypingPush(WireStruct, frozen=True):
    """A member began to type, or stopped."""

    room: str
    member_id: str
    on: bool


class ReadMarkerPush(WireStruct, frozen=True):
    """How far you have read, told to your other connections."""

    room: str
    seq: int
    unread: int


class ErrorPush(WireStruct, frozen=True):
    """A request that asked for no acknowledgement was refused; the fields are those of an answer's `error`."""

    code: str
    message: str
    retry_after: float | None = None


class GoingAwayPush(WireStruct, frozen=True):
    """The server stops as planned: come back after this many seconds, with jitter."""

    reconnect_after: float


class AuthFailPush(WireStruct, frozen=True):
    """The token is not valid; the connection is then closed."""

    message: str = "the token is not valid"


MESSAGE: Literal["message"] = "message"
UPDATE: Literal["update"] = "update"
PRESENCE: Literal["presence"] = "presence"
TYPING: Literal["typing"] = "typing"
READ_MARKER: Literal["readMarker"] = "readMarker"
ERROR: Literal["error"] = "error"
GOING_AWAY: Literal["goingAway"] = "goingAway"
AUTH_FAIL: Literal["authFail"] = "authFail"
