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

from server.domain.presence_delta import PresenceDelta
from server.domain.room_registry import JoinResult, LeaveResult, LiveRoom, Participant
from server.domain.token_bucket import Rate, TokenBucket
from server.engineio.connection import ClientConnection
from server.gateway.fanout import Fanout
from tui_chat.protocol import events

PRESENCE_INTERVAL = 0.1
"""Seconds over which presence, and notices beyond the rate, are gathered."""

NOTICE_RATE = Rate(10, 10)
"""Notices of one kind in one room, to those who are there."""


_NoticeType = type[events.JoinNotice] | type[events.LeaveNotice]


@dataclass(slots=True)
class _CoalescedNotices:
    """Notices of one kind in one room that went beyond the rate."""

    bucket: TokenBucket
    count: int = 0
    last_participant: Participant[ClientConnection] | None = None


@dataclass(slots=True)
class _PendingUpdates:
    """What has to be told in one room."""

    presence_delta: PresenceDelta = field(default_factory=PresenceDelta)
    presence_changed: bool = False
    coalesced: dict[_NoticeType, _CoalescedNotices] = field(default_factory=dict["_NoticeType", _CoalescedNotices])
    rename_bucket: TokenBucket | None = None


class PresenceBroadcaster:
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
        self._pending: dict[LiveRoom[ClientConnection], _PendingUpdates] = {}
        self._flush_timer: asyncio.TimerHandle | None = None

    def on_join(self, join_result: JoinResult[ClientConnection]) -> None:
        """A member is in the room, or is shown otherwise since it joined again."""
        member = join_result.participant.to_member()
        if join_result.is_new or join_result.client_changed:
            self._get_presence_delta(join_result.room).record_join(member)
        elif join_result.old_nick is not None:
            self._get_presence_delta(join_result.room).record_rename(member)

    def send_join_notice(self, join_result: JoinResult[ClientConnection], joiner: ClientConnection) -> None:
        """Say it to everybody, the newcomer included, once the room's name is known."""
        room, participant = join_result.room, join_result.participant
        if join_result.is_new:
            if not self._send_or_coalesce(room, participant, events.JoinNotice):
                self._fanout.send_to_one(room, self._build_notice(room, participant, events.JoinNotice, more=0), joiner)
        elif join_result.old_nick is not None:
            self._send_nick_notice(room, participant, join_result.old_nick)

    def on_leave(self, leave_result: LeaveResult[ClientConnection]) -> None:
        """A member is not in the room any more."""
        self._get_presence_delta(leave_result.room).record_leave(leave_result.participant.member_id)
        self._send_or_coalesce(leave_result.room, leave_result.participant, events.LeaveNotice)

    def on_join_aborted(self, leave_result: LeaveResult[ClientConnection]) -> None:
        """A member is not in the room any more, and had not been welcomed yet: nobody is to hear of it."""
        self._get_presence_delta(leave_result.room).record_leave(leave_result.participant.member_id)

    def on_nick_change(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection], old_nick: str
    ) -> None:
        """A member has another nickname."""
        self._get_presence_delta(room).record_rename(participant.to_member())
        self._send_nick_notice(room, participant, old_nick)

    def close(self) -> None:
        """Forget what was gathered."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()

    def _send_or_coalesce(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection], notice_type: _NoticeType
    ) -> bool:
        """Tell the room now, or fold it into what is told later; False for later."""
        pending = self._get_pending_updates(room)
        coalesced = pending.coalesced.get(notice_type)
        if coalesced is None:
            coalesced = pending.coalesced[notice_type] = _CoalescedNotices(TokenBucket(NOTICE_RATE, self._monotonic()))
        if coalesced.count or coalesced.bucket.acquire(self._monotonic()):
            coalesced.count += 1
            coalesced.last_participant = participant
            return False
        self._fanout.send_to_room(room, self._build_notice(room, participant, notice_type, more=0))
        return True

    def _build_notice(
        self,
        room: LiveRoom[ClientConnection],
        participant: Participant[ClientConnection],
        notice_type: _NoticeType,
        more: int,
    ) -> events.JoinNotice | events.LeaveNotice:
        subject = f"{participant.nick_name} 等 {more + 1} 人" if more else participant.nick_name
        verb = "加入" if notice_type is events.JoinNotice else "离开"
        return notice_type(
            room=room.name,
            nick_name=participant.nick_name,
            member_id=participant.member_id,
            message=f"{subject} {verb}了 {room.name} 房间",
            ts=self._now(),
            via=participant.client_kind,
            more=more,
        )

    def _send_nick_notice(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection], old_nick: str
    ) -> None:
        pending = self._get_pending_updates(room)
        if pending.rename_bucket is None:
            pending.rename_bucket = TokenBucket(NOTICE_RATE, self._monotonic())
        if pending.rename_bucket.acquire(self._monotonic()):
            return
        notice = events.NickNotice(
            room=room.name,
            nick_name=participant.nick_name,
            old_nick_name=old_nick,
            member_id=participant.member_id,
            message=f"{old_nick} 改名为 {participant.nick_name}",
            ts=self._now(),
            via=participant.client_kind,
        )
        self._fanout.send_to_room(room, notice)

    def _get_presence_delta(self, room: LiveRoom[ClientConnection]) -> PresenceDelta:
        pending = self._get_pending_updates(room)
        pending.presence_changed = True
        return pending.presence_delta

    def _get_pending_updates(self, room: LiveRoom[ClientConnection]) -> _PendingUpdates:
        self._schedule_flush()
        pending = self._pending.get(room)
        if pending is None:
            pending = self._pending[room] = _PendingUpdates()
        return pending

    def _schedule_flush(self) -> None:
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(PRESENCE_INTERVAL, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        for room, pending in list(self._pending.items()):
            if pending.presence_changed:
                presence_delta, pending.presence_delta, pending.presence_changed = (
                    pending.presence_delta,
                    PresenceDelta(),
                    False,
                )
                self._fanout.send_to_room(room, presence_delta.to_push(room.name))
            if not self._flush_coalesced(room, pending):
                del self._pending[room]
        if self._pending:
            self._schedule_flush()

    def _flush_coalesced(self, room: LiveRoom[ClientConnection], pending: _PendingUpdates) -> bool:
        """Tell what was folded, as the rate allows; False when the room's rates need not be remembered."""
        now = self._monotonic()
        for notice_type, coalesced in pending.coalesced.items():
            if coalesced.count and coalesced.last_participant is not None and not coalesced.bucket.acquire(now):
                self._fanout.send_to_room(
                    room, self._build_notice(room, coalesced.last_participant, notice_type, more=coalesced.count - 1)
                )
                coalesced.count = 0
        if pending.rename_bucket is not None and not pending.rename_bucket.is_full(now):
            return True
        return any(folded.count or not folded.bucket.is_full(now) for folded in pending.coalesced.values())
