"""Indexes of one room: recent speakers, typing members, and replies by their parent message."""

from collections.abc import Iterable, Sequence

from tui_chat.protocol.events import Member, NickNotice
from tui_chat.session.lines import MessageLine
from tui_chat.session.membership_summary import MembershipNotice

MAX_RECENT_SPEAKERS = 1_000
"""Maximum number of speakers in `RecentSpeakers`."""

SPEAKER_PERIOD = 30 * 60_000
"""Time after a message in milliseconds in which the joins and leaves of its author are relevant."""

MAX_TYPING_MEMBERS = 100
"""Maximum number of members in `TypingMembers`."""


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


class TypingMembers:
    """Members with a typing indicator, without a timeout."""

    def __init__(self) -> None:
        self._member_ids: dict[str, None] = {}  # in order of their start

    def set(self, member_id: str, is_typing: bool) -> None:
        """Start or end the indicator of a member. A new one above `MAX_TYPING_MEMBERS` is ignored."""
        if not is_typing:
            self._member_ids.pop(member_id, None)
        elif len(self._member_ids) < MAX_TYPING_MEMBERS:
            self._member_ids[member_id] = None

    def end_absent(self, members: Sequence[Member]) -> None:
        """End the indicators of all members except the present ones."""
        for departed_id in self._member_ids.keys() - {member.member_id for member in members}:
            del self._member_ids[departed_id]

    def select(self, members: Sequence[Member]) -> list[Member]:
        """Return the typing ones among the members, in order of their start."""
        if not self._member_ids:
            return []
        by_id = {member.member_id: member for member in members}
        return [by_id[member_id] for member_id in self._member_ids if member_id in by_id]


class ReplyIndex:
    """Replies in a transcript by the `seq` of their parent message."""

    def __init__(self) -> None:
        self._replies: dict[int, set[int]] = {}

    def update(self, lines: Iterable[MessageLine]) -> list[int]:
        """Add the replies among new or changed lines of the log.

        Returns:
            Ascending `seq` numbers of the replies among the lines, and of all replies to one of them.
        """
        changed_seqs: set[int] = set()
        for line in lines:
            if line.reply_to is not None and line.seq is not None:
                self._replies.setdefault(line.reply_to, set()).add(line.seq)
                changed_seqs.add(line.seq)
            changed_seqs |= self._replies.get(line.seq or 0, set())
        return sorted(changed_seqs)

    def trim(self, first: int) -> None:
        """Remove the replies with a `seq` below `first`."""
        remaining = {parent: {seq for seq in replies if seq >= first} for parent, replies in self._replies.items()}
        self._replies = {parent: replies for parent, replies in remaining.items() if replies}
