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

from server.protocol.entries import Member, PresencePush
from tui_chat.client import cleaning

REST_FOR_EACH = 20e-6
"""Seconds: ten times what a screen needs to sort and draw one more member."""

MEMBERS_MAX = 100_000


class Roster:
    """The members of one room.

    Args:
        tell: Gets them whenever they changed.

    Attributes:
        members: By member id, yourself included.
    """

    def __init__(self, tell: Callable[[tuple[Member, ...]], None]) -> None:
        self.members: dict[str, Member] = {}
        self._tell = tell
        self._rests_until = 0.0
        self._later: asyncio.TimerHandle | None = None

    def joined(self, members: Iterable[Member]) -> None:
        """These are there, as a join has it; told at once."""
        self.members = {member.member_id: member for member in map(cleaning.member, islice(members, MEMBERS_MAX))}
        self._tell_now()

    def changed(self, push: PresencePush) -> None:
        """Members came, left or changed nickname; told at once or after a rest."""
        for member_id in push.left:
            self.members.pop(cleaning.member_id(member_id), None)
        for member in map(cleaning.member, push.joined):
            if len(self.members) < MEMBERS_MAX or member.member_id in self.members:
                self.members[member.member_id] = member
        for renamed in push.renamed:
            if (member := self.members.get(cleaning.member_id(renamed.member_id))) is not None:
                self.members[member.member_id] = replace(member, nick_name=cleaning.nickname(renamed.nick_name))
        if self._later is None:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._rests_until:
                self._tell_now()
            else:
                self._later = loop.call_at(self._rests_until, self._tell_now)

    def end(self) -> None:
        """Nothing more is told."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def _tell_now(self) -> None:
        self.end()
        self._rests_until = asyncio.get_running_loop().time() + len(self.members) * REST_FOR_EACH
        self._tell(tuple(self.members.values()))
