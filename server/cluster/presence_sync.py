"""Members of all nodes in the rooms with readers on this node, with unique nicknames.

- Ownership: each node writes its own members to the database, and sends them to the other nodes after the commit.
  Members of other nodes are participants without connections.
- Repair: digests of all followed rooms are compared with the database every `POLL_INTERVAL` (without the bus, every
  `DEGRADED_POLL_INTERVAL`), after each connection of the bus and after the death of a node. Rooms with another digest
  are read. Missing rows of this node are inserted again, for example after a crash of PostgreSQL; other rows take
  precedence over the state of this node.
- Dead nodes: their members leave after the removal of the nodes from the database.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from server.cluster.bus import Bus
from server.cluster.presence_exchange import PresenceChanges, PresenceExchange
from server.cluster.presence_writer import PresenceWriter
from server.domain.live_room import JoinResult, LeaveResult, LiveRoom, Participant
from server.domain.remote_members import apply_member, remove_node
from server.domain.room_registry import RoomRegistry
from server.storage.presence_repository import PresenceRepository, PresentMember, digest_members, encode_member
from tui_chat.protocol import errors, names
from tui_chat.protocol.events import Member

POLL_INTERVAL = 15.0
"""Interval of the comparison with the database, in seconds."""

DEGRADED_POLL_INTERVAL = 3.0
"""Interval of the comparison with the database without the bus, in seconds."""

TICK = 0.5
"""Interval in which rooms are followed and unfollowed according to their readers, in seconds."""

COUNT_MAX_AGE = 2.0
"""Maximum age of the numbers of members in a list of rooms, in seconds."""

_CLOSE_TIMEOUT = 1.0  # seconds per step of the shutdown


class PresenceOutput(Protocol):
    """Sender of presence and notices to the readers of this node."""

    def on_join(self, join_result: JoinResult[Any]) -> None:
        """Send a new or changed member."""

    def send_join_notice(self, room: LiveRoom[Any], participant: Participant[Any], joiner: None) -> None:
        """Send the join notice of a member that is not announced."""

    def on_leave(self, leave_result: LeaveResult[Any]) -> None:
        """Send the leave of a member."""

    def on_status_change(self, room: LiveRoom[Any], participant: Participant[Any]) -> None:
        """Send a changed member without a notice."""

    def send_typing(self, room: LiveRoom[Any], member_id: str, on: bool, sender: None) -> None:
        """Send a typing indicator."""


class _RoomPresence:
    """Room with readers on this node.

    Attributes:
        room: Live room.
        key: Canonical key of the subscription, possibly a former one of the room; empty before the first subscription.
        opening: Task that subscribes and reads the members, None afterwards.
        waiting: Changes that arrived during a read, with their senders; None without a read.
    """

    def __init__(self, room: LiveRoom[Any]) -> None:
        self.room = room
        self.key = ""
        self.opening: asyncio.Task[None] | None = None
        self.waiting: list[tuple[str, PresenceChanges]] | None = None


class PresenceSync:
    """Synchronization of the members of all nodes; implements `PresenceForwarder` of the gateway."""

    def __init__(
        self,
        bus: Bus,
        repository: PresenceRepository,
        *,
        node_id: str,
        registry: RoomRegistry[Any],
        output: PresenceOutput,
    ) -> None:
        self._bus = bus
        self._repository = repository
        self._node_id = node_id
        self._registry = registry
        self._output = output
        self._exchange = PresenceExchange(
            bus, on_changes=self._receive_changes, on_nodes_departed=self._remove_departed
        )
        self._loop = asyncio.get_running_loop()
        self._followed: dict[LiveRoom[Any], _RoomPresence] = {}
        self._writer = PresenceWriter(
            repository,
            node_id,
            registry,
            send=self._exchange.send,
            apply_member=self._apply_member,
            on_rename=output.on_status_change,
        )
        self._is_applying = False  # a change of another node
        self._work: asyncio.Task[None] | None = None
        self._next_tick = 0.0
        self._next_poll = 0.0
        self._counts: dict[str, int] = {}
        self._counted_at = -COUNT_MAX_AGE
        bus.on_connect.append(self._poll_soon)

    # -- changes of this node

    def record_change(self, room_key: str, member_id: str) -> None:
        """Write the state of a member in the next run; without effect while a change of another node is applied."""
        if not self._is_applying:
            self._writer.record_change(room_key, member_id)

    async def claim_nick(self, room_key: str, member_id: str, requested: str) -> None:
        """Wait until the state of a member is written; a nickname in use yields `requested` with the next suffix.

        Raises:
            Unavailable: The database failed, or `close` was called during the wait.
        """
        await self._writer.claim(room_key, member_id, requested)

    def send_typing(self, room_key: str, member_id: str, on: bool) -> None:
        """Send the start or end of a typing indicator to the other nodes."""
        self._exchange.send(PresenceChanges(room_key, typing={member_id: on}))

    # -- rooms

    async def follow(self, key: str) -> None:
        """Read the members of a new or renamed live room, or wait for a read in progress; a new room sends no notices.

        Raises:
            Unavailable: The database failed.
        """
        room = self._registry.rooms.get(key)
        if room is None:
            return
        followed = self._followed.get(room)
        if followed is None:
            followed = self._followed[room] = _RoomPresence(room)
        if followed.key != key and followed.opening is None:
            followed.opening = self._loop.create_task(self._open(key, followed))
        if followed.opening is not None:
            await asyncio.shield(followed.opening)

    async def count_members(self) -> Mapping[str, int]:
        """Return the number of members of each room on all nodes, by canonical key, at most `COUNT_MAX_AGE` old.

        Raises:
            Unavailable: The database is not readable.
        """
        if self._loop.time() - self._counted_at >= COUNT_MAX_AGE:
            self._counts, self._counted_at = await self._repository.count_members(), self._loop.time()
        return self._counts

    def on_nodes_dead(self, _node_ids: Sequence[str]) -> None:
        """Schedule a comparison with the database, which removes the members of dead nodes on all nodes."""
        self._poll_soon()

    async def run(self) -> None:
        """Write changes, follow rooms and compare them with the database; retry after its failures; never returns."""
        await self._exchange.open()
        while True:
            self._writer.wakeup.clear()
            self._work = self._loop.create_task(self._update())
            await asyncio.shield(self._work)  # a cancelled transaction leaves its connection open
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._writer.wakeup.wait()

    async def close(self) -> None:
        """Fail waiting claims; remove the members of this node from a writable database and from the other nodes."""
        self._writer.close()
        running = [followed.opening for followed in self._followed.values() if followed.opening is not None]
        if self._work is not None:
            running.append(self._work)
        if running:
            await asyncio.wait(running, timeout=_CLOSE_TIMEOUT)
        with suppress(errors.Unavailable, TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._repository.remove_node()
        self._exchange.send_departed([self._node_id])
        await self._bus.flush(_CLOSE_TIMEOUT)

    async def _update(self) -> None:
        with suppress(errors.Unavailable):  # logged by the repository
            await self._writer.write_changes()
            if self._loop.time() >= self._next_tick:
                self._next_tick = self._loop.time() + TICK
                await self._update_followed()
            if self._loop.time() >= self._next_poll:
                interval = POLL_INTERVAL if self._bus.is_healthy else DEGRADED_POLL_INTERVAL
                self._next_poll = self._loop.time() + interval
                await self._poll()

    # -- changes of other nodes

    def _receive_changes(self, sender: str, changes: PresenceChanges) -> None:
        room = self._registry.rooms.get(changes.room)
        followed = None if room is None else self._followed.get(room)
        if followed is None:
            return
        if followed.waiting is None:
            self._apply_changes(followed.room, sender, changes)
        else:
            followed.waiting.append((sender, changes))

    def _apply_changes(self, room: LiveRoom[Any], sender: str, changes: PresenceChanges) -> None:
        for member in changes.present:
            self._apply_member(room, member, sender)
        for member in changes.changed:
            if member.member_id in room.participants:
                self._apply_member(room, member, None)
        for member_id in changes.left:
            if (participant := room.participants.get(member_id)) is not None:
                self._remove(room, participant, sender)
        for member_id, on in changes.typing.items():
            if member_id in room.participants:
                self._output.send_typing(room, member_id, on, None)

    def _apply_member(
        self, room: LiveRoom[Any], member: Member, node_id: str | None, *, is_silent: bool = False
    ) -> None:
        """Apply the stored state of a member, with connections to `node_id` if given, and send it unless `is_silent`.

        A newer state of a member of this node stays. A member of this node that loses its nickname claims another one.
        """
        participant = room.participants.get(member.member_id)
        if participant is not None and participant.connections:
            if self._writer.is_pending(room.key, member.member_id):
                if node_id is not None:
                    participant.nodes.add(node_id)
                return  # the state of this node is newer
            self._writer.record_row(room.key, member)
        owner = room.find_by_nick(names.canonical_key(member.nick_name))
        self._is_applying = True
        try:
            result = apply_member(self._registry, room, member, node_id)
            if is_silent:
                result.participant.announced = True
            else:
                self._output.on_join(result)
                if not result.participant.connections:
                    self._output.send_join_notice(room, result.participant, None)
        finally:
            self._is_applying = False
        if owner is not None and owner.connections and owner is not result.participant:
            self._writer.repeat(room.key, owner.member.member_id)

    def _remove(
        self, room: LiveRoom[Any], participant: Participant[Any], node_id: str, *, is_silent: bool = False
    ) -> None:
        """Remove a node from a participant, who leaves without any other connection; `is_silent` announces no leave."""
        if node_id not in participant.nodes:
            return
        result = remove_node(self._registry, room, participant, node_id)
        if not is_silent:
            self._is_applying = True
            try:
                self._output.on_leave(result)
            finally:
                self._is_applying = False

    def _remove_departed(self, node_ids: Sequence[str]) -> None:
        for room in list(self._registry.rooms.values()):
            for participant in list(room.participants.values()):
                for node_id in participant.nodes.intersection(node_ids):
                    self._remove(room, participant, node_id)

    # -- reads

    async def _open(self, key: str, followed: _RoomPresence) -> None:
        """Subscribe to a new or renamed room; read its members, and its log id if new.

        A failure ends the follow, but a failed rename of the rows keeps the follow under the former key.
        """
        old_key, is_new = followed.key, not followed.key
        try:
            if not is_new:
                await self._repository.rename_room(old_key, key)
                self._writer.move_members(followed.room, old_key, key)
            followed.key = key
            if is_new:
                followed.room.log_id = await self._repository.share_log_id(key, followed.room.log_id)
            await self._exchange.subscribe(key)
            if not is_new:
                await self._exchange.unsubscribe(old_key)
            await self._read(followed, is_silent=is_new)
        except BaseException:
            if followed.key == key:
                self._followed.pop(followed.room, None)
            raise
        finally:
            followed.opening = None

    async def _read(self, followed: _RoomPresence, *, is_silent: bool) -> None:
        """Read the members and apply the differences, without pushes if `is_silent`; skip a room renamed meanwhile.

        Changes received during the read are applied afterwards, with pushes.
        """
        key = followed.key
        waiting = followed.waiting = list[tuple[str, PresenceChanges]]()
        try:
            rows = await self._repository.read_members(key)
        finally:
            if followed.waiting is waiting:  # otherwise, the read of the new key has begun
                followed.waiting = None
        if followed.key == key and self._registry.rooms.get(key) is followed.room:
            self._apply_rows(followed.room, rows, is_silent=is_silent)
            for sender, changes in waiting:
                self._apply_changes(followed.room, sender, changes)

    def _apply_rows(self, room: LiveRoom[Any], rows: Sequence[PresentMember], *, is_silent: bool) -> None:
        """Apply the differences of the stored rows to a room, and repair missing and outdated rows of this node."""
        own_members = {row.member.member_id: row.member for row in rows if row.node_id == self._node_id}
        nodes = defaultdict[str, set[str]](set)
        for row in rows:
            if row.node_id != self._node_id:
                nodes[row.member.member_id].add(row.node_id)
                present = room.participants.get(row.member.member_id)
                if present is None or row.node_id not in present.nodes or not _is_equal(present.member, row.member):
                    self._apply_member(room, row.member, row.node_id, is_silent=is_silent)
        for member_id, participant in list(room.participants.items()):
            for node_id in participant.nodes - nodes[member_id]:
                self._remove(room, participant, node_id, is_silent=is_silent)
            if participant.connections and member_id not in own_members:
                self._writer.repeat(room.key, member_id)
        for member_id, member in own_members.items():
            present = room.participants.get(member_id)
            if present is None or not present.connections:
                self._writer.record_row(room.key, member)
                self._writer.record_change(room.key, member_id)
            elif not _is_equal(present.member, member):
                self._apply_member(room, member, None)

    async def _update_followed(self) -> None:
        """Follow new and renamed rooms, and end the subscriptions of rooms without readers."""
        for room, followed in list(self._followed.items()):
            if self._registry.rooms.get(room.key) is not room and followed.opening is None:
                del self._followed[room]
                if followed.key != room.key:  # renamed shortly before its end
                    self._writer.move_members(room, followed.key, room.key)
                if followed.key not in self._registry.rooms:
                    await self._exchange.unsubscribe(followed.key)
        for room in list(self._registry.rooms.values()):
            if room not in self._followed or self._followed[room].key != room.key:
                await self.follow(room.key)

    def _poll_soon(self) -> None:
        self._next_poll = 0.0
        self._writer.wakeup.set()

    async def _poll(self) -> None:
        """Remove unregistered nodes on all nodes, and read the rooms whose digest differs.

        The writer removes the rows of this node in rooms without readers afterwards.

        Raises:
            Unavailable: The database failed.
        """
        departed = await self._repository.remove_unregistered()
        if departed:
            self._remove_departed(departed)
            self._exchange.send_departed(departed)
        opened = {
            followed.key: followed
            for room, followed in self._followed.items()
            if followed.opening is None and self._registry.rooms.get(followed.key) is room
        }
        digests = await self._repository.read_digests(opened)
        for key, followed in opened.items():
            is_current = followed.opening is None and self._registry.rooms.get(key) is followed.room
            if is_current and digest_members(self._list_rows(followed.room)) != digests.get(key, 0):
                await self._read(followed, is_silent=False)
        for key in await self._repository.list_node_rooms():
            if key not in self._registry.rooms:
                for row in await self._repository.read_members(key):
                    if row.node_id == self._node_id:
                        self._writer.record_row(key, row.member)
                        self._writer.record_change(key, row.member.member_id)

    def _list_rows(self, room: LiveRoom[Any]) -> Iterable[tuple[str, str]]:
        """Yield the expected rows of a room for `digest_members`."""
        for participant in room.participants.values():
            text = encode_member(participant.member)
            for node_id in (*participant.nodes, *((self._node_id,) if participant.connections else ())):
                yield node_id, text


def _is_equal(member: Member, other: Member) -> bool:
    return encode_member(member) == encode_member(other)
