"""Member list of one room.

- Source: the members of the last join response, updated by presence pushes and member pages.
- Throttling: a notification contains the whole list, which is expensive for large rooms. The minimum interval before
  the notification of a push grows with the list by `NOTIFY_INTERVAL_PER_MEMBER`; changes in between coalesce.
- Bound: at most `MAX_MEMBERS` members are stored; further members are only counted.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.protocol.events import Member, PresencePush

NOTIFY_INTERVAL_PER_MEMBER = 20e-6
"""Interval per member in seconds: ten times the cost of sorting and rendering one list row."""

MAX_MEMBERS = 10_000
"""Maximum number of stored members of a room."""


class Roster:
    """Members of one room.

    Args:
        on_change: Callback for the stored members after a change.
        on_excess: Callback for received members above `MAX_MEMBERS`; may be called for each of them.

    Attributes:
        members: Stored members by member id, including the user.
    """

    def __init__(self, on_change: Callable[[tuple[Member, ...]], None], on_excess: Callable[[], None]) -> None:
        self.members: dict[str, Member] = {}
        self._on_change = on_change
        self._on_excess = on_excess
        self._unlisted_count = 0
        self._next_notify_at = 0.0
        self._notify_timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """Number of present members, including members that are not stored."""
        return len(self.members) + self._unlisted_count

    def reset(self, members: Sequence[Member], count: int | None = None) -> None:
        """Replace the list by received members, and notify as `add`; `count` is by default that of `members`."""
        self.members = {}
        self.add(map(sanitize.received, members[: MAX_MEMBERS + 1]), len(members) if count is None else count)

    def add(self, members: Iterable[Member], count: int) -> None:
        """Insert or replace sanitized members, set the number of present members, and notify immediately.

        Members above `MAX_MEMBERS` are only counted.
        """
        for member in members:
            self._store(member)
        self._unlisted_count = max(0, count - len(self.members))
        self._notify()

    def apply_presence(self, push: PresencePush) -> None:
        """Apply leaves, then joins, then nickname changes; notify immediately or after the minimum interval.

        Nickname changes of unknown ids are ignored. Joins above `MAX_MEMBERS` and leaves of unknown ids only change
        `count`, which a member count in the push replaces. A push without effect notifies too.
        """
        for member_id in push.left:
            if self.members.pop(sanitize.member_id(member_id), None) is None:
                self._unlisted_count = max(0, self._unlisted_count - 1)
        for member in map(sanitize.received, push.joined):
            if not self._store(member):
                self._unlisted_count += 1
        for renamed in push.renamed:
            if (member := self.members.get(sanitize.member_id(renamed.member_id))) is not None:
                self.members[member.member_id] = replace(
                    member, nick_name=sanitize.nickname(renamed.nick_name), confusable=renamed.confusable
                )
        if push.member_count is not None:
            self._unlisted_count = max(0, push.member_count - len(self.members))
        if self._notify_timer is None:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._next_notify_at:
                self._notify()
            else:
                self._notify_timer = loop.call_at(self._next_notify_at, self._notify)

    def cancel(self) -> None:
        """Cancel the pending notification, if any; later changes notify again."""
        if self._notify_timer is not None:
            self._notify_timer.cancel()
            self._notify_timer = None

    def _store(self, member: Member) -> bool:
        """Insert or replace a member and return True; call `on_excess` and return False if the list is full."""
        if len(self.members) >= MAX_MEMBERS and member.member_id not in self.members:
            self._on_excess()
            return False
        self.members[member.member_id] = member
        return True

    def _notify(self) -> None:
        self.cancel()
        self._next_notify_at = asyncio.get_running_loop().time() + len(self.members) * NOTIFY_INTERVAL_PER_MEMBER
        self._on_change(tuple(self.members.values()))
