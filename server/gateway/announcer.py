"""Tells a room who came, left and changed nickname: a notice for people, presence for programs.

A notice goes out at once. Presence is gathered per room and sent once a tick,
never one push per join in a storm.
"""

import asyncio
from collections.abc import Callable

from server.domain.presence import PresenceDelta
from server.domain.rooms import Arrival, Departure, Occupant, Room
from server.gateway import fanout
from server.gateway.connection import Connection
from server.protocol import entries

PRESENCE_TICK = 0.1
"""Seconds over which presence is gathered."""


class Announcer:
    """Announces what happens in rooms.

    Args:
        now: Gives milliseconds since the epoch, UTC.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._gathered: dict[Room[Connection], PresenceDelta] = {}
        self._timer: asyncio.TimerHandle | None = None

    def arrived(self, arrival: Arrival[Connection]) -> None:
        """A member is in the room, or has another nickname since it joined again."""
        member = arrival.occupant.member()
        if arrival.came:
            self._delta(arrival.room).came(member)
        elif arrival.old_nick is not None:
            self._delta(arrival.room).took_nick(member)

    def welcome(self, arrival: Arrival[Connection]) -> None:
        """Say it to everybody, the newcomer included, once the room's name is known."""
        room, occupant = arrival.room, arrival.occupant
        if arrival.came:
            text = f"{occupant.nick_name} 加入了 {room.name} 房间"
            notice = entries.JoinNotice(
                room=room.name,
                nick_name=occupant.nick_name,
                member_id=occupant.member_id,
                message=text,
                ts=self._now(),
            )
            fanout.to_room(room, fanout.push_frame(entries.MESSAGE, notice))
        elif arrival.old_nick is not None:
            self._say_renamed(room, occupant, arrival.old_nick)

    def left(self, departure: Departure[Connection]) -> None:
        """A member is not in the room any more."""
        room, occupant = departure.room, departure.occupant
        self._delta(room).went(occupant.member_id)
        notice = entries.LeaveNotice(
            room=room.name,
            nick_name=occupant.nick_name,
            member_id=occupant.member_id,
            message=f"{occupant.nick_name} 离开了 {room.name} 房间",
            ts=self._now(),
        )
        fanout.to_room(room, fanout.push_frame(entries.MESSAGE, notice))

    def renamed(self, room: Room[Connection], occupant: Occupant[Connection], old_nick: str) -> None:
        """A member has another nickname."""
        self._delta(room).took_nick(occupant.member())
        self._say_renamed(room, occupant, old_nick)

    def close(self) -> None:
        """Forget what was gathered."""
        if self._timer is not None:
            self._timer.cancel()

    def _say_renamed(self, room: Room[Connection], occupant: Occupant[Connection], old_nick: str) -> None:
        notice = entries.NickNotice(
            room=room.name,
            nick_name=occupant.nick_name,
            old_nick_name=old_nick,
            member_id=occupant.member_id,
            message=f"{old_nick} 改名为 {occupant.nick_name}",
            ts=self._now(),
        )
        fanout.to_room(room, fanout.push_frame(entries.MESSAGE, notice))

    def _delta(self, room: Room[Connection]) -> PresenceDelta:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PRESENCE_TICK, self._tell)
        return self._gathered.setdefault(room, PresenceDelta())

    def _tell(self) -> None:
        gathered, self._gathered = self._gathered, {}
        self._timer = None
        for room, delta in gathered.items():
            fanout.to_room(room, fanout.push_frame(entries.PRESENCE, delta.push(room.name)))
