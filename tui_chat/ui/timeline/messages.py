"""Messages that the timeline posts."""

from dataclasses import dataclass

from textual.message import Message


class OlderMessagesRequested(Message):
    """Request for history before the oldest line, posted once per oldest line until `reset_requests`."""


@dataclass
class GapRequested(Message):
    """Request to load a gap, after the gap came into view or was activated.

    Attributes:
        after: Last known `seq` before the gap.
        oldest_first: True if the older end of the gap, which is closer to the visible messages, loads first.
    """

    after: int
    oldest_first: bool


@dataclass
class CursorMoved(Message):
    """Change of the line under the message cursor.

    Attributes:
        key: Key of the selected line; None after the cursor was hidden or became a highlight.
    """

    key: str | None


@dataclass
class MessageActivated(Message):
    """Activation of a message, by Enter or by a click on its quote, its delivery error or its delayed deletion."""

    key: str


@dataclass
class LinkClicked(Message):
    """Click on a hyperlink; the receiver decides about opening the link.

    Attributes:
        url: Link target with the scheme `http`, `https`, `chat`, `chats` or `mailto`, in printable ASCII.
    """

    url: str


@dataclass
class FollowChanged(Message):
    """Start or end of follow mode.

    Attributes:
        is_following: True while the viewport shows the newest line and scrolls with new lines.
    """

    is_following: bool
