"""What a request is answered with, one struct per kind (docs/protocol.md, "Requests").

The codec puts `"ok": true` before the fields, or `"ok": false` and the error.
"""

from tui_chat.protocol.events import Entry, Member, Message, WireStruct


class RoomState(WireStruct, frozen=True):
    """A room as it is now.

    Attributes:
        last_seq: The `seq` of its newest entry, 0 while there is none.
    """

    name: str
    topic: str
    last_seq: int
    visibility: str


class Empty(WireStruct, frozen=True):
    """It was done, and there is nothing else to say."""


class JoinResponse(WireStruct, frozen=True):
    """You are in the room.

    Attributes:
        nick_name: The one you got; the one you asked for may have been taken.
        member_id: Your own.
        guest_key: Your secret, to come back as the same member.
        messages: The newest entries, or the newest of those after `since`, ascending.
        has_more: There are entries before the first of `messages` (after `since`).
    """

    room: RoomState
    nick_name: str
    member_id: str
    guest_key: str
    members: list[Member]
    messages: list[Entry]
    has_more: bool


class SendResponse(WireStruct, frozen=True):
    """The message is on disk.

    Attributes:
        duplicate: This `clientId` was taken before; this is its first answer again.
    """

    seq: int
    id: int
    ts: int
    duplicate: bool


class HistoryPage(WireStruct, frozen=True):
    """A piece of a room's log, ascending, each message in its present state.

    Attributes:
        has_more: There is more in the direction that was asked for.
        last_seq: The room's newest `seq` when the page was read: the state of
            its messages includes every change up to there.
    """

    messages: list[Entry]
    has_more: bool
    last_seq: int


class ChangeAccepted(WireStruct, frozen=True):
    """The change is on disk as an entry of its own, with this `seq`."""

    revision: int


class UnreadCount(WireStruct, frozen=True):
    """How many messages come after the mark."""

    unread: int


class SearchResponse(WireStruct, frozen=True):
    """What the search found, newest first, each message in its present state.

    Attributes:
        has_more: There may be more: ask again with `before` set to `next`.
        next: How far the search came, as an `id`; it may have found nothing up to there.
        incomplete: Older messages are still being indexed, and were not looked at.
    """

    messages: list[Message]
    has_more: bool
    next: int | None = None
    incomplete: bool = False


class RoomSummary(WireStruct, frozen=True):
    """A room in a list; `members` counts those present."""

    name: str
    topic: str
    members: int
    last_seq: int


class RoomListResponse(WireStruct, frozen=True):
    """The rooms that match, those with most members first."""

    rooms: list[RoomSummary]


class NickChanged(WireStruct, frozen=True):
    """The nickname you got."""

    nick_name: str


class InviteCode(WireStruct, frozen=True):
    """A code that lets others in."""

    invite: str
