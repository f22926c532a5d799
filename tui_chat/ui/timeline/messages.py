"""What a timeline tells whoever holds it: small typed messages.

Handle them by `@on(GapWanted)` or by a method of that name, `on_gap_wanted`.
"""

from textual.message import Message


class OlderMessagesRequested(Message):
    """The reader is near the top of what is here. Said once, until the top changes."""


class GapRequested(Message):
    """A gap came into view, or was chosen.

    Attributes:
        key: The gap's line.
        after: The `seq` before the first missing entry.
        before: The `seq` after the last missing entry.
        from_above: The reader comes from the older side: what is next to that is wanted first.
    """

    def __init__(self, key: str, after: int, before: int, *, from_above: bool) -> None:
        super().__init__()
        self.key = key
        self.after = after
        self.before = before
        self.from_above = from_above


class CursorMoved(Message):
    """The cursor stands on another line.

    Attributes:
        key: That line, None when picking ended.
    """

    def __init__(self, key: str | None) -> None:
        super().__init__()
        self.key = key


class MessageActivated(Message):
    """Enter was pressed on the picked message.

    Attributes:
        key: That message's line.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class RetryRequested(Message):
    """The row that says why a message was not sent was clicked.

    Attributes:
        key: That message's line.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class LinkClicked(Message):
    """An address was clicked; nothing was opened yet.

    Attributes:
        url: Where it leads: `http`, `https` or `mailto`, printable ASCII.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url


class FollowChanged(Message):
    """The newest line came into view, or left it.

    Attributes:
        value: It is in view, and new lines will be followed.
    """

    def __init__(self, is_following: bool) -> None:
        super().__init__()
        self.is_following = is_following
