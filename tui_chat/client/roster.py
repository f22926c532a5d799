"""Who is in a room.

Rule 1  Who is there is what the last join said, and what presence has told since.
Rule 2  A list is told whole, which for a long one is much work for whoever reads it: after
        each time it rests for `REST_FOR_EACH` member, and what changes until then is told
        together. So a server that tells of thousands who come and go holds up nobody.
Rule 3  At most `MEMBERS_MAX` are known; who comes beyond is not.
"""

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.protocol.events import Member, PresencePush

NOTIFY_INTERVAL_PER_MEMBER = 20e-6
"""Seconds: ten times what a screen needs to sort and draw one more member."""

MAX_MEMBERS = 100_000


class Roster:
    """The members of one room.

    Args:
        tell: Gets them whenever they changed.

    Attributes:
        members: By member id, yourself included.
    """

    def __init__(self, on_change: Callable[[tuple[Member, ...]], None]) -> None:
        self.members: dict[str, Member] = {}
        self._on_change = on_change
        self._next_notify_at = 0.0
        self._notify_timer: asyncio.TimerHandle | None = None

    def reset(self, members: Iterable[Member]) -> None:
        """These are there, as a join has it; told at once."""
        self.members = {member.member_id: member for member in map(sanitize.member, islice(members, MAX_MEMBERS))}
        self._notify()

    def apply_presence(self, push: PresencePush) -> None:
        """Members came, left or changed nickname; told at once or after a rest."""
        for member_id in push.left:
            self.members.pop(sanitize.member_id(member_id), None)
        for member in map(sanitize.member, push.joined):
            if len(self.members) < MAX_MEMBERS or member.member_id in self.members:
                self.members[member.member_id] = member
        for renamed in push.renamed:
            if (member := self.members.get(sanitize.member_id(renamed.member_id))) is not None:
                self.members[member.member_id] = replace(member, nick_name=sanitize.nickname(renamed.nick_name))
        if self._notify_timer is None:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._next_notify_at:
                self._notify()
            else:
                self._notify_timer = loop.call_at(self._next_notify_at, self._notify)

    def cancel(self) -> None:
        """Nothing more is told."""
        if self._notify_timer is not None:
            self._notify_timer.cancel()
            self._notify_timer = None

    def _notify(self) -> None:
        self.cancel()
        self._next_notify_at = asyncio.get_running_loop().time() + len(self.members) * NOTIFY_INTERVAL_PER_MEMBER
        self._on_change(tuple(self.members.values()))
