"""Broadcaster of joins, leaves and nickname changes: notices for users, presence for programs.

- Joining connection: the connection receives the join notice of its member immediately, independent of the rate.
- Coalescing: a room receives at most `_PUSH_RATE` notices of each type. Excess joins and leaves are coalesced into one
  notice with a count; excess nickname changes appear in presence only.
- Large rooms: above `_READERS_PER_TOKEN` readers, the rates of notices and of presence decrease with the number of
  readers, because each push costs one write per reader.
- Order: a join and a leave of the same member cancel out while the earlier one is coalesced, so that the later notice
  never precedes the earlier one.
- Unannounced members: a member has a leave or nickname notice only after its join notice.
- Presence: changes are collected per room and sent every `PRESENCE_INTERVAL` within the rate, so that a join
  storm causes a few pushes instead of one per pair of members.
- Other nodes: changes of this node are forwarded to a `PresenceForwarder`. The changes of other nodes pass through the
  same methods.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from server.domain.live_room import JoinResult, LeaveResult, LiveRoom, Participant
from server.domain.presence_delta import PresenceDelta
from server.domain.rate_limits import Rate, TokenBucket
from server.engineio.connection import ClientConnection
from server.gateway.fanout import Fanout, MembershipNotice
from server.gateway.notice_texts import format_notice_room
from tui_chat.protocol import events

log = logging.getLogger("chat.gateway")

PRESENCE_INTERVAL = 0.1
"""Seconds between two flushes of presence and coalesced notices."""

_PUSH_RATE = Rate(10, 10)  # rate of each notice type, and of presence, in one room: a burst of 10, then 10 per second

_READERS_PER_TOKEN = 200  # number of readers whose pushes cost one token together

_MAX_PUSH_COST = 5  # tokens; at least two pushes per second, so that the changes in between fit the send queue

_NoticeType = type[events.JoinNotice] | type[events.LeaveNotice]

_LimitedPush = type[MembershipNotice] | type[events.PresencePush]

_Coalesced = tuple[Participant[ClientConnection], ClientConnection | None]


class PresenceForwarder(Protocol):
    """Sender of the changes of this node to the other nodes of a cluster."""

    def record_change(self, room_key: str, member_id: str) -> None:
        """Record a change of a present or former member."""
        ...

    async def claim_nick(self, room_key: str, member_id: str, requested: str) -> None:
        """Claim a nickname for a present member on all nodes; a nickname in use yields the next free suffix.

        Raises:
            Unavailable: The database failed.
        """
        ...

    def send_typing(self, room_key: str, member_id: str, on: bool) -> None:
        """Send the start or end of a typing indicator."""
        ...


@dataclass(slots=True)
class _PendingUpdates:
    """Unsent updates and notice rates of one room.

    Attributes:
        presence_delta: Unsent presence changes.
        buckets: Rate limit of each notice type, and of presence.
        coalesced: Participants of the coalesced notices of each type by member id, in order of the notices; a join with
            the connection that has received its notice, if on this node.
    """

    presence_delta: PresenceDelta = field(default_factory=PresenceDelta)
    buckets: dict[_LimitedPush, TokenBucket] = field(default_factory=dict[_LimitedPush, TokenBucket])
    coalesced: defaultdict[_NoticeType, dict[str, _Coalesced]] = field(
        default_factory=lambda: defaultdict[_NoticeType, dict[str, _Coalesced]](dict)
    )


class PresenceBroadcaster:
    """Sender of notices and presence to all rooms.

    Args:
        now: Wall clock, as Unix time in milliseconds.
        monotonic: Monotonic clock, in seconds.
        fanout: Sender of room events.

    Attributes:
        forwarder: Sender to the other nodes, None for a single node.
    """

    def __init__(self, now: Callable[[], int], monotonic: Callable[[], float], fanout: Fanout) -> None:
        self._now = now
        self._monotonic = monotonic
        self._fanout = fanout
        self._pending: defaultdict[LiveRoom[ClientConnection], _PendingUpdates] = defaultdict(_PendingUpdates)
        self._flush_timer: asyncio.TimerHandle | None = None
        self.forwarder: PresenceForwarder | None = None

    def on_join(self, join_result: JoinResult[ClientConnection]) -> None:
        """Record a new member, or a repeated join with another nickname or client, for the next presence push.

        A nickname change is announced as in `on_nick_change`. Another connection of an unchanged member is reported to
        the other nodes only.
        """
        room, participant = join_result.room, join_result.participant
        self._forward(room, participant)
        if join_result.is_new or join_result.client_changed:
            self._get_pending_updates(room).presence_delta.record_join(participant.member)
        if join_result.old_nick is not None:
            self.on_nick_change(room, participant, join_result.old_nick)

    def send_join_notice(
        self,
        room: LiveRoom[ClientConnection],
        participant: Participant[ClientConnection],
        joiner: ClientConnection | None,
    ) -> None:
        """Send the join notice of a member; without effect for an announced one.

        Above the rate, the notice is coalesced for the other members. A coalesced leave notice of the member is
        cancelled instead, and the others receive neither.

        Args:
            room: Room of the participant, with its stored name.
            participant: Participant that may be announced already.
            joiner: Joining connection, which receives the notice in any case; None for a join on another node.
        """
        if not participant.announced:
            participant.announced = True
            is_sent = self._send_or_coalesce(room, participant, events.JoinNotice, joiner)
            if not is_sent and joiner is not None:
                self._fanout.send_to_one(room, self._build_notice(room, participant, events.JoinNotice, more=0), joiner)

    def on_leave(self, leave_result: LeaveResult[ClientConnection]) -> None:
        """Record the leave of a member for the next presence push, and send the leave notice of an announced member.

        Above the rate, the notice is coalesced. A coalesced join notice of the member is cancelled instead, and neither
        is sent. A leave of a member with another connection in the room is reported to the other nodes only.
        """
        room, participant = leave_result.room, leave_result.participant
        self._forward(room, participant)
        if leave_result.is_last:
            self._get_pending_updates(room).presence_delta.record_leave(participant.member.member_id)
            if participant.announced:
                self._send_or_coalesce(room, participant, events.LeaveNotice)

    def on_room_removed(self, leave_result: LeaveResult[ClientConnection]) -> None:
        """Report the leave of a member of a deleted room to the other nodes; no push and no notice is sent."""
        self._forward(leave_result.room, leave_result.participant)

    def on_nick_change(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection], old_nick: str
    ) -> None:
        """Record a nickname change for the next presence push, and send the nickname notice of an announced member.

        The participant has the new nickname; one that equals `old_nick` has no notice. Above the rate, the notice is
        dropped.
        """
        self._forward(room, participant)
        pending, member = self._get_pending_updates(room), participant.member
        pending.presence_delta.record_rename(member)
        is_changed = member.nick_name != old_nick
        if is_changed and participant.announced and self._acquire_tokens(room, pending, events.NickNotice):
            notice = events.NickNotice(
                room=room.name,
                nick_name=member.nick_name,
                old_nick_name=old_nick,
                member_id=member.member_id,
                message=f"{old_nick} 改名为 {member.nick_name}",
                ts=self._now(),
                via=member.via,
                confusable=member.confusable,
            )
            self._fanout.send_to_room(room, notice)

    def on_status_change(self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection]) -> None:
        """Record a changed member, such as one with a new status, for the next presence push."""
        self._forward(room, participant)
        self._get_pending_updates(room).presence_delta.record_join(participant.member)

    async def claim_nick(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection], requested: str
    ) -> None:
        """Claim the nickname of a participant (`PresenceForwarder.claim_nick`); without effect on a single node."""
        if self.forwarder is not None:
            await self.forwarder.claim_nick(room.key, participant.member.member_id, requested)

    def send_typing(
        self, room: LiveRoom[ClientConnection], member_id: str, on: bool, sender: ClientConnection | None
    ) -> None:
        """Send the start (`on`) or end of a typing indicator to a room, except to `sender`.

        With None, for a member on another node, the indicator is not forwarded.
        """
        self._fanout.send_to_room(room, events.TypingPush(room=room.name, member_id=member_id, on=on), exclude=sender)
        if sender is not None and self.forwarder is not None:
            self.forwarder.send_typing(room.key, member_id, on)

    def close(self) -> None:
        """Discard pending presence updates and coalesced notices."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()

    def _forward(self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection]) -> None:
        """Report a possible change of a member to the other nodes, if any."""
        if self.forwarder is not None:
            self.forwarder.record_change(room.key, participant.member.member_id)

    def _send_or_coalesce(
        self,
        room: LiveRoom[ClientConnection],
        participant: Participant[ClientConnection],
        notice_type: _NoticeType,
        joiner: ClientConnection | None = None,
    ) -> bool:
        """Send a notice if the rate allows, otherwise coalesce the notice; return whether the notice was sent.

        Notices after a coalesced one are coalesced until a flush sends all of them. A coalesced notice of the other
        type for the same member is cancelled instead.
        """
        pending = self._get_pending_updates(room)
        member_id = participant.member.member_id
        opposite_type = events.LeaveNotice if notice_type is events.JoinNotice else events.JoinNotice
        if pending.coalesced[opposite_type].pop(member_id, None) is not None:
            return False
        if pending.coalesced[notice_type] or not self._acquire_tokens(room, pending, notice_type):
            pending.coalesced[notice_type][member_id] = participant, joiner
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
        """Return the notice of a participant and `more` other members, with its Chinese sentence."""
        member = participant.member
        subject = f"{member.nick_name} 等 {more + 1} 人" if more else member.nick_name
        verb = "加入" if notice_type is events.JoinNotice else "离开"
        return notice_type(
            room=room.name,
            nick_name=member.nick_name,
            member_id=member.member_id,
            message=f"{subject} {verb}了{format_notice_room(room)}",
            ts=self._now(),
            via=member.via,
            confusable=member.confusable,
            more=more,
        )

    def _acquire_tokens(
        self, room: LiveRoom[ClientConnection], pending: _PendingUpdates, push_type: _LimitedPush
    ) -> bool:
        """Acquire the tokens of one push to a room; return whether they were available."""
        now = self._monotonic()
        bucket = pending.buckets.setdefault(push_type, TokenBucket(_PUSH_RATE, now))
        return bucket.acquire(now, _get_push_cost(room)) == 0

    def _get_pending_updates(self, room: LiveRoom[ClientConnection]) -> _PendingUpdates:
        """Return the unsent updates of a room, created on demand, and schedule a flush."""
        self._schedule_flush()
        return self._pending[room]

    def _schedule_flush(self) -> None:
        """Schedule a flush after `PRESENCE_INTERVAL`, unless one is scheduled."""
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(PRESENCE_INTERVAL, self._flush)

    def _flush(self) -> None:
        """Send the presence changes and the coalesced notices of all rooms, and drop the state of idle rooms.

        Further flushes follow while notices wait or a bucket is not full. The exceptions of rooms are logged as one
        line; their changes may be lost, and the other rooms receive theirs.
        """
        self._flush_timer = None
        failures: list[Exception] = []
        for room, pending in list(self._pending.items()):
            try:
                self._flush_presence(room, pending)
                if not self._flush_coalesced(room, pending):
                    del self._pending[room]
            except Exception as error:
                failures.append(error)
        if failures:
            log.error("presence failed, rooms with lost changes: %d", len(failures), exc_info=failures[0])
        if self._pending:
            self._schedule_flush()

    def _flush_presence(self, room: LiveRoom[ClientConnection], pending: _PendingUpdates) -> None:
        """Send the presence changes of a room, if any, within the rate."""
        if pending.presence_delta != PresenceDelta() and self._acquire_tokens(room, pending, events.PresencePush):
            presence_delta, pending.presence_delta = pending.presence_delta, PresenceDelta()
            self._fanout.send_to_room(room, presence_delta.to_push(room.name, len(room.participants)))

    def _flush_coalesced(self, room: LiveRoom[ClientConnection], pending: _PendingUpdates) -> bool:
        """Send coalesced notices within the rate; return whether notices wait or a bucket is not full.

        One notice of the last participant represents all coalesced ones; `more` counts the others. The notice of a
        single join excludes the joining connection, which has received the notice before.
        """
        for notice_type, coalesced in pending.coalesced.items():
            if coalesced and self._acquire_tokens(room, pending, notice_type):
                participant, joiner = next(reversed(coalesced.values()))
                more = len(coalesced) - 1
                coalesced.clear()
                notice = self._build_notice(room, participant, notice_type, more)
                self._fanout.send_to_room(room, notice, exclude=None if more else joiner)
        now = self._monotonic()
        return any(pending.coalesced.values()) or any(not bucket.is_full(now) for bucket in pending.buckets.values())


def _get_push_cost(room: LiveRoom[ClientConnection]) -> float:
    """Return the cost of a push: one token per `_READERS_PER_TOKEN` readers, from 1 to `_MAX_PUSH_COST`."""
    readers = sum(map(len, room.subscribers.values()))
    return min(max(1.0, readers / _READERS_PER_TOKEN), _MAX_PUSH_COST)
