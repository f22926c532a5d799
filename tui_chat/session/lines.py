"""Timeline line types and the splice operation on them.

- Layering: the session creates lines without a screen; the timeline widget renders lines without a network.
- Memory: lines are structs without garbage collector tracking, and `CompressedList` can compress them.
"""

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from tui_chat.protocol.events import ReactionSummary
from tui_chat.protocol.sanitize import is_blank

ACTION_PREFIX = "/me "
"""Prefix of action messages, part of the stored text."""

CONFUSABLE_SIGN = "!"
"""Sign before a confusable nickname (docs/protocol.md, "Members")."""

REGISTERED_SIGN = "*"
"""Sign after the nickname of a member with an account."""

BOT_LABEL = " [bot]"
"""Label after the nickname of a bot or a webhook in the timeline."""


def action_text(text: str) -> str:
    """Return the stripped text of an action message (`/me waves`) without the prefix.

    Empty for all other messages, and for a `/me` without text.
    """
    action = text.removeprefix(ACTION_PREFIX)
    return "" if action == text or is_blank(action) else action.strip()


class DeliveryState(Enum):
    """Delivery state of a message.

    The delivery of an `UNCONFIRMED` message to a basic server is unknown.
    """

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"


class DeletionState(Enum):
    """State of the user's request to delete a message: none, delayed for an undo, or in the outbox."""

    NONE = "none"
    DELAYED = "delayed"
    QUEUED = "queued"


class ReactionCount(Struct, frozen=True, array_like=True, gc=False):
    """Number of reactions with one emoji on a message, and sanitized nicknames of some of their authors.

    The emoji is sanitized single-line text. `is_own` is True if the user has this reaction.
    """

    emoji: str
    count: int
    is_own: bool
    names: tuple[str, ...] = ()


def count_reactions(reactions: Mapping[str, ReactionSummary] | None) -> tuple[ReactionCount, ...]:
    """Return the reactions of a message for its line, in the order of the mapping; empty for None."""
    return tuple(
        ReactionCount(emoji, summary.count, summary.own, tuple(reactor.nick_name for reactor in summary.by))
        for emoji, summary in (reactions or {}).items()
    )


class LineImage(Struct, frozen=True, array_like=True, gc=False):
    """Image of a message, with the path of the file to show and the size of the original in pixels.

    For a large image, the file is the preview.
    """

    path: str
    width: int
    height: int


class MessageLine(Struct, frozen=True, array_like=True, gc=False, tag="message"):
    """Timeline line of a message.

    Attributes:
        key: Timeline-unique key, constant for the lifetime of the line.
        seq: Log position, None before the acknowledgement.
        ts: Milliseconds since the epoch (UTC), from the client's clock before the acknowledgement.
        nick: Author's nickname, sanitized.
        is_own: True for a message of the user.
        text: Sanitized message body, possibly with newlines; "" if deleted.
        problem: Reason of a failed delivery as one sentence, otherwise "".
        reply_to: `seq` of the parent message, None without one.
        quote: Author and text of the parent message in one line, "" if not loaded.
        reactions: Reactions in the order of their first use.
        is_confusable: True if the nickname looks like the nickname of another member who was present.
        deletion: State of a deletion that is not confirmed yet.
        captions: Captions of the files, one per line; "" without files.
        is_bot: True if the author is a bot or a webhook.
        files: Files as a phrase for sentences; "" without files, and before the acknowledgement.
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
    is_confusable: bool = False
    deletion: DeletionState = DeletionState.NONE
    captions: str = ""
    images: tuple[LineImage, ...] = ()
    is_bot: bool = False
    files: str = ""

    @property
    def content(self) -> str:
        """Text, followed by the captions of the files."""
        return f"{self.text}\n{self.captions}".strip("\n") if self.captions else self.text

    @property
    def marked_nick(self) -> str:
        """Nickname with `CONFUSABLE_SIGN` before a confusable one and `BOT_LABEL` after the nickname of a bot."""
        return f"{CONFUSABLE_SIGN * self.is_confusable}{self.nick}{BOT_LABEL * self.is_bot}"

    @property
    def is_text_hidden(self) -> bool:
        """True for a deleted message, and during its deletion."""
        return self.deleted or self.deletion is not DeletionState.NONE

    @property
    def is_action(self) -> bool:
        """True for an action message (`/me waves`), rendered as `* ann waves`; False while `is_text_hidden`."""
        return not self.is_text_hidden and action_text(self.text) != ""


class NoticeLine(Struct, frozen=True, array_like=True, gc=False, tag="notice"):
    """Timeline line of membership events or of a client notice, with a translated text, possibly with newlines.

    The time is in milliseconds since the epoch; in a membership summary, that of the newest visible event.
    """

    key: str
    ts: int
    text: str


class GapLine(Struct, frozen=True, array_like=True, gc=False, tag="gap"):
    """Timeline line for the missing log entries between the entries `after` and `before` (exclusive)."""

    key: str
    after: int
    before: int

    @property
    def missing_count(self) -> int:
        """Number of missing entries."""
        return self.before - self.after - 1


class UnreadLine(Struct, frozen=True, array_like=True, gc=False, tag="unread"):
    """Separator above the first unread message."""

    key: str = "unread"


Line = MessageLine | NoticeLine | GapLine | UnreadLine


class Splice(Struct, frozen=True):
    """Replacement of `removed` lines at `index` with `lines`, the only timeline operation."""

    index: int
    removed: int
    lines: tuple[Line, ...]
