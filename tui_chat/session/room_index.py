"""Bounded indexes of one room: recent speakers and replies by their parent message."""

from tui_chat.protocol.events import NickNotice
from tui_chat.session.membership_summary import MembershipNotice

MAX_TYPING_MEMBERS = 100
"""Maximum number of members with a typing indicator in one room."""

MAX_RECENT_SPEAKERS = 1_000
"""Maximum number of speakers in `RecentSpeakers`."""


SPEAKER_PERIOD = 30 * 60_000
"""Time after a message in milliseconds in which the joins and leaves of its author are relevant."""


class RecentSpeakers:
    """Nickname and time of the last message of the `MAX_RECENT_SPEAKERS` most recent speakers, by member id."""

    def __init__(self) -> None:
        self._speakers: dict[str, tuple[str, int]] = {}  # oldest first

    def add(self, member_id: str, nick: str, ts: int) -> None:
        """Record the newest speaker; `ts` is in milliseconds since the epoch."""
        self._speakers.pop(member_id, None)
        self._speakers[member_id] = (nick, ts)
        if len(self._speakers) > MAX_RECENT_SPEAKERS:
            del self._speakers[next(iter(self._speakers))]

    def newest_first(self) -> dict[str, str]:
        """Return the nicknames by member id, most recent speaker first."""
        return {member_id: nick for member_id, (nick, _) in reversed(self._speakers.items())}

    def is_relevant(self, notice: MembershipNotice) -> bool:
        """Return whether a notice concerns a recent speaker.

        A join or leave is relevant only up to `SPEAKER_PERIOD` after the last message of the member. A notice of a
        confusable nickname is always relevant.
        """
        if notice.confusable:
            return True
        if notice.member_id not in self._speakers:
            return False
        return isinstance(notice, NickNotice) or notice.ts - self._speakers[notice.member_id][1] <= SPEAKER_PERIOD


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
