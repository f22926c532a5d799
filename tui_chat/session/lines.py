"""What a timeline shows: an ordered list of lines, and how it changes.

The session makes them and knows no screen; the timeline widget draws them and
knows no network. There can be very many, so they are structs that the garbage
collector need not look at and that `LongList` can pack.
"""

from enum import Enum

from msgspec import Struct

ACTION_PREFIX = "/me "
"""Begins a message that says what somebody does; stored as it is typed."""


class DeliveryState(Enum):
    """How far a message has come. Others' messages are always `SENT`; a doubtful one was sent, perhaps."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNCONFIRMED = "doubtful"


class ReactionCount(Struct, frozen=True, array_like=True, gc=False):
    """An emoji under a message.

    Attributes:
        emoji: Cleaned, one line.
        count: How many members chose it.
        own: You are one of them.
    """

    emoji: str
    count: int
    is_own: bool


class MessageLine(Struct, frozen=True, array_like=True, gc=False, tag="message"):
    """Something that somebody said.

    Attributes:
        key: Unique in its timeline and stable while the line lives.
        seq: Its place in the room's log, None until it is sent.
        ts: Milliseconds since the epoch, UTC; the client's own clock until it is sent.
        nick: Who said it, cleaned.
        member_id: Who said it, stable over changes of nickname.
        own: You said it.
        text: What was said, cleaned; may hold newlines.
        delivery: How far it has come.
        problem: Why it failed, one sentence; empty otherwise.
        edited: It was changed after it was said.
        deleted: It was taken back; `text` is empty.
        mention: It names you.
        reply_to: The `seq` of the message that it answers.
        quoted: Who said that message and what, in one line; empty when it is not here.
        reactions: In the order they came.
    """

    key: str
    seq: int | None
    ts: int
    nick: str
    member_id: str
    is_own: bool
    text: str
    delivery: DeliveryState = DeliveryState.SENT
    problem: str = ""
    edited: bool = False
    deleted: bool = False
    is_mention: bool = False
    reply_to: int | None = None
    quote: str = ""
    reactions: tuple[ReactionCount, ...] = ()

    @property
    def is_action(self) -> bool:
        """It says what somebody does (`/me waves`), and is shown as `* ann waves`."""
        return self.text.startswith(ACTION_PREFIX) and not self.deleted


class NoticeLine(Struct, frozen=True, array_like=True, gc=False, tag="notice"):
    """Something that happened: somebody came, left or changed nickname, or a word of the program's own."""

    key: str
    ts: int
    text: str


class GapLine(Struct, frozen=True, array_like=True, gc=False, tag="gap"):
    """Entries that exist and are not here.

    Attributes:
        after: The `seq` before the first missing one.
        before: The `seq` after the last missing one.
    """

    key: str
    after: int
    before: int

    @property
    def missing_count(self) -> int:
        """How many entries are missing."""
        return self.before - self.after - 1


class UnreadLine(Struct, frozen=True, array_like=True, gc=False, tag="unread"):
    """Stands above the first message that has not been seen."""

    key: str = "unread"


Line = MessageLine | NoticeLine | GapLine | UnreadLine


class Splice(Struct, frozen=True):
    """At `index`, `removed` lines go and `lines` come: every change of a timeline is one of these."""

    index: int
    removed: int
    lines: tuple[Line, ...]
