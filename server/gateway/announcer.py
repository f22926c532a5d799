"""Tells a room who came, left and changed nickname: a notice for people, presence for programs.

Rule 1  The newcomer gets its own notice at once, whatever else happens.
Rule 2  The others get at most `NOTICES` notices a second of each kind in each
        room; the rest are folded into one that says how many more they are. Of
        new nicknames the rest are left to presence, which has them all.
Rule 3  Presence is gathered per room and sent once a tick: a storm of joins is
        a few pushes, not one for each pair of members.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from server.domain.presence import PresenceDelta
from server.domain.rates import Rate, TokenBucket
from server.domain.rooms import JoinResult, LeaveResult, LiveRoom, Participant
from server.gateway.connection import Connection
from server.gateway.fanout import Fanout
from server.protocol import entries

PRESENCE_TICK = 0.1
"""Seconds over which presence, and notices beyond the rate, are gathered."""

NOTICES = Rate(10, 10)
"""Notices of one kind in one room, to those who are there."""


_Kind = type[entries.JoinNotice] | type[entries.LeaveNotice]


@dataclass(slots=True)
class _Folded:
    """Notices of one kind in one room that went beyond the rate."""

    bucket: TokenBucket
    count: int = 0
    last: Participant[Connection] | None = None


@dataclass(slots=True)
class _RoomNews:
    """What has to be told in one room."""

    presence: PresenceDelta = field(default_factory=PresenceDelta)
    changed: bool = False
    folded: dict[_Kind, _Folded] = field(default_factory=dict["_Kind", _Folded])
    renames: TokenBucket | None = None


class Announcer:
    """Announces what happens in rooms.

    Args:
        now: Gives milliseconds since the epoch, UTC.
        monotonic: Gives seconds that never go back.
        fanout: Tells rooms what happens in them.
    """

    def __init__(self, now: Callable[[], int], monotonic: Callable[[], float], fanout: Fanout) -> None:
        self._now = now
        self._monotonic = monotonic
        self._fanout = fanout
        self._news: dict[LiveRoom[Connection], _RoomNews] = {}
        self._timer: asyncio.TimerHandle | None = None

    def arrived(self, arrival: JoinResult[Connection]) -> None:
        """A member is in the room, or is shown otherwise since it joined again."""
        member = arrival.participant.to_member()
        if arrival.is_new or arrival.client_changed:
            self._presence(arrival.room).record_join(member)
        elif arrival.old_nick is not None:
            self._presence(arrival.room).record_rename(member)

    def welcome(self, arrival: JoinResult[Connection], newcomer: Connection) -> None:
        """Say it to everybody, the newcomer included, once the room's name is known."""
        room, occupant = arrival.room, arrival.participant
        if arrival.is_new:
            if not self._notify(room, occupant, entries.JoinNotice):
                self._fanout.to_one(room, self._notice(room, occupant, entries.JoinNotice, more=0), newcomer)
        elif arrival.old_nick is not None:
            self._say_renamed(room, occupant, arrival.old_nick)

    def left(self, departure: LeaveResult[Connection]) -> None:
        """A member is not in the room any more."""
        self._presence(departure.room).record_leave(departure.participant.member_id)
        self._notify(departure.room, departure.participant, entries.LeaveNotice)

    def withdrew(self, departure: LeaveResult[Connection]) -> None:
        """A member is not in the room any more, and had not been welcomed yet: nobody is to hear of it."""
        self._presence(departure.room).record_leave(departure.participant.member_id)

    def renamed(self, room: LiveRoom[Connection], occupant: Participant[Connection], old_nick: str) -> None:
        """A member has another nickname."""
        self._presence(room).record_rename(occupant.to_member())
        self._say_renamed(room, occupant, old_nick)

    def close(self) -> None:
        """Forget what was gathered."""
        if self._timer is not None:
            self._timer.cancel()

    def _notify(self, room: LiveRoom[Connection], occupant: Participant[Connection], kind: _Kind) -> bool:
        """Tell the room now, or fold it into what is told later; False for later."""
        news = self._of(room)
        folded = news.folded.get(kind)
        if folded is None:
            folded = news.folded[kind] = _Folded(TokenBucket(NOTICES, self._monotonic()))
        if folded.count or folded.bucket.acquire(self._monotonic()):
            folded.count += 1
            folded.last = occupant
            return False
        self._fanout.to_room(room, self._notice(room, occupant, kind, more=0))
        return True

    def _notice(
        self,
        room: LiveRoom[Connection],
        occupant: Participant[Connection],
        kind: _Kind,
        more: int,
    ) -> entries.JoinNotice | entries.LeaveNotice:
        who = f"{occupant.nick_name} 等 {more + 1} 人" if more else occupant.nick_name
        did = "加入" if kind is entries.JoinNotice else "离开"
        return kind(
            room=room.name,
            nick_name=occupant.nick_name,
            member_id=occupant.member_id,
            message=f"{who} {did}了 {room.name} 房间",
            ts=self._now(),
            via=occupant.client_kind,
            more=more,
        )

    def _say_renamed(self, room: LiveRoom[Connection], occupant: Participant[Connection], old_nick: str) -> None:
        news = self._of(room)
        if news.renames is None:
            news.renames = TokenBucket(NOTICES, self._monotonic())
        if news.renames.acquire(self._monotonic()):
            return
        notice = entries.NickNotice(
            room=room.name,
            nick_name=occupant.nick_name,
            old_nick_name=old_nick,
            member_id=occupant.member_id,
            message=f"{old_nick} 改名为 {occupant.nick_name}",
            ts=self._now(),
            via=occupant.client_kind,
        )
        self._fanout.to_room(room, notice)

    def _presence(self, room: LiveRoom[Connection]) -> PresenceDelta:
        news = self._of(room)
        news.changed = True
        return news.presence

    def _of(self, room: LiveRoom[Connection]) -> _RoomNews:
        self._start_timer()
        news = self._news.get(room)
        if news is None:
            news = self._news[room] = _RoomNews()
        return news

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PRESENCE_TICK, self._tell)

    def _tell(self) -> None:
        self._timer = None
        for room, news in list(self._news.items()):
            if news.changed:
                presence, news.presence, news.changed = news.presence, PresenceDelta(), False
                self._fanout.to_room(room, presence.to_push(room.name))
            if not self._unfold(room, news):
                del self._news[room]
        if self._news:
            self._start_timer()

    def _unfold(self, room: LiveRoom[Connection], news: _RoomNews) -> bool:
        """Tell what was folded, as the rate allows; False when the room's rates need not be remembered."""
        now = self._monotonic()
        for kind, folded in news.folded.items():
            if folded.count and folded.last is not None and not folded.bucket.acquire(now):
                self._fanout.to_room(room, self._notice(room, folded.last, kind, more=folded.count - 1))
                folded.count = 0
        if news.renames is not None and not news.renames.is_full(now):
            return True
        return any(folded.count or not folded.bucket.is_full(now) for folded in news.folded.values())
