"""Summary of consecutive membership events in one line, so that a join storm does not displace the messages."""

from collections import deque

from tui_chat.protocol.events import JoinNotice, LeaveNotice, NickNotice
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings

MAX_TRACKED_MEMBERS = 1_000
"""Maximum number of members tracked by id in one summary; further members are only counted."""

MAX_RENAMES = 3
"""Maximum number of nickname changes in one summary; the oldest are dropped."""


MembershipNotice = JoinNotice | LeaveNotice | NickNotice


class MembershipSummary:
    """Accumulator for the events of one line.

    Attributes:
        ts: Time of the newest event in milliseconds since the epoch, 0 without events.
    """

    def __init__(self) -> None:
        self.ts = 0
        self._types: dict[type[MembershipNotice], None] = {}  # in the order of their first events
        self._joined: dict[str, str] = {}
        self._left: dict[str, str] = {}
        self._joined_and_left: dict[str, str] = {}
        self._renamed: deque[tuple[str, str]] = deque(maxlen=MAX_RENAMES)
        self._untracked_joins = 0
        self._untracked_leaves = 0

    def add(self, notice: MembershipNotice) -> None:
        """Add an event; a member with joins and leaves is listed once, as both.

        Above `MAX_TRACKED_MEMBERS` members, an event is only counted, like the unnamed members in `notice.more`.
        """
        self.ts = notice.ts
        self._types[type(notice)] = None
        match notice:
            case NickNotice():
                self._renamed.append(
                    (
                        chat_strings.quote_nick(notice.old_nick_name),
                        chat_strings.notice_nick(notice.nick_name, notice.confusable),
                    )
                )
            case JoinNotice():
                self._untracked_joins += notice.more + self._add(notice, self._joined, self._left)
            case LeaveNotice():
                self._untracked_leaves += notice.more + self._add(notice, self._left, self._joined)

    def _add(self, notice: MembershipNotice, same_change: dict[str, str], opposite_change: dict[str, str]) -> int:
        """Add a join or leave; a member with both moves to those with both. The latest nickname counts.

        Returns:
            1 for an untracked member above `MAX_TRACKED_MEMBERS`, otherwise 0.
        """
        member_id, nick = notice.member_id, chat_strings.notice_nick(notice.nick_name, notice.confusable)
        if member_id in opposite_change or member_id in self._joined_and_left:
            opposite_change.pop(member_id, None)
            self._joined_and_left[member_id] = nick
        elif member_id in same_change or self._count_tracked() < MAX_TRACKED_MEMBERS:
            same_change[member_id] = nick
        else:
            return 1
        return 0

    def _count_tracked(self) -> int:
        return len(self._joined) + len(self._left) + len(self._joined_and_left)

    def format(self) -> str:
        """Return the summary text: joins, leaves, members with both, newest `MAX_RENAMES` nickname changes.

        Joins, leaves and nickname changes are in the order of their first events. An enumeration lists at most five
        names. Without events, the text is empty.
        """
        joined, left, both = (list(nicks.values()) for nicks in (self._joined, self._left, self._joined_and_left))
        parts = {
            JoinNotice: [chat_strings.joined(joined, self._untracked_joins) if joined or self._untracked_joins else ""],
            LeaveNotice: [
                chat_strings.left(left, self._untracked_leaves) if left or self._untracked_leaves else "",
                tr("{names} joined and left", names=chat_strings.summarize_names(both)) if both else "",
            ],
            NickNotice: [tr(chat_strings.RENAMED, old=old, new=new) for old, new in self._renamed],
        }
        return " · ".join(part for notice_type in self._types for part in parts[notice_type] if part)
