"""Bounded indexes of one room: recent speakers and replies by their parent message."""

MAX_TYPING_MEMBERS = 100
"""Maximum number of members with a typing indicator in one room."""

MAX_RECENT_SPEAKERS = 1_000
"""Maximum number of speakers in `RecentSpeakers`."""


class RecentSpeakers:
    """Nicknames of the `MAX_RECENT_SPEAKERS` most recent speakers by member id."""

    def __init__(self) -> None:
        self._nicks: dict[str, str] = {}  # oldest first

    def add(self, member_id: str, nick: str) -> None:
        """Record the newest speaker."""
        self._nicks.pop(member_id, None)
        self._nicks[member_id] = nick
        if len(self._nicks) > MAX_RECENT_SPEAKERS:
            del self._nicks[next(iter(self._nicks))]

    def newest_first(self) -> dict[str, str]:
        """Return the nicknames by member id."""
        return dict(reversed(self._nicks.items()))


class ReplyIndex:
    """Replies in a transcript by the `seq` of their parent message."""

    def __init__(self) -> None:
        self._replies: dict[int, set[int]] = {}

    def add(self, parent: int, reply: int) -> None:
        """Add a reply; no effect if present."""
        self._replies.setdefault(parent, set()).add(reply)

    def replies_to(self, parent: int) -> set[int]:
        """Return the `seq` numbers of the replies to a message."""
        return self._replies.get(parent, set())

    def trim(self, first: int) -> None:
        """Remove the replies with a `seq` below `first`."""
        remaining = {parent: {seq for seq in replies if seq >= first} for parent, replies in self._replies.items()}
        self._replies = {parent: replies for parent, replies in remaining.items() if replies}

    def clear(self) -> None:
        """Remove all replies."""
        self._replies.clear()
