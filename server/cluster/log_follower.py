"""Delivery of the entries of all nodes to the readers of this node, in the order of each log.

- Follow: for the first reader of a room, the follower subscribes to the room on the bus, then reads the end of the log.
  The snapshot of the reader is read afterwards. Each later entry is delivered once.
- Order: an entry with the next `seq` is delivered at once, a known one is dropped, and a later one waits. A gap that
  lasts `GAP_DELAY` is read from the database.
- Lost messages: nodes send the positions of active rooms every `DIGEST_INTERVAL` and after a reconnection of the bus,
  and compare the positions of all followed rooms with the database every `POLL_INTERVAL`, or every
  `DEGRADED_POLL_INTERVAL` without the bus.
- End: a room without readers for `UNFOLLOW_DELAY` is no longer followed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from typing import Any

from server.cluster.bus import Bus
from server.cluster.entry_exchange import CommittedEntries, EntryExchange
from server.cluster.log_cursor import LogCursor
from server.storage.log_tail_reader import LogPosition, LogTail, LogTailReader
from tui_chat.protocol import errors, events, names

GAP_DELAY = 0.03
"""Time for the arrival of a missing entry over the bus, in seconds."""

DIGEST_INTERVAL = 2.0
"""Interval of the position messages, in seconds."""

POLL_INTERVAL = 15.0
"""Interval of the comparison with the database, in seconds."""

DEGRADED_POLL_INTERVAL = 1.0
"""Interval of the comparison with the database without the bus, in seconds."""

UNFOLLOW_DELAY = 30.0
"""Time without a reader before a room is no longer followed, in seconds."""

TICK = 0.5
"""Interval of the checks of the other intervals, in seconds."""

_MAX_READS = 3  # rooms that are read from the database at the same time

log = logging.getLogger("chat.cluster")


class _FollowedRoom:
    """Followed room.

    Attributes:
        key: Canonical key of the name, which a rename changes.
        room_id: Id of the room, 0 before its first read from storage.
        cursor: Position in the log.
        opening: Task that subscribes and reads the start position, None afterwards.
        catch_up: Timer or task of the read of a gap, None without one.
        idle_since: Time since which the room has no reader, in seconds; None with a reader.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.room_id = 0
        self.cursor = LogCursor()
        self.opening: asyncio.Task[None] | None = None
        self.catch_up: asyncio.TimerHandle | asyncio.Task[None] | None = None
        self.idle_since: float | None = None


class LogFollower:
    """Follower of the logs of all rooms with readers on this node.

    Args:
        bus: Message bus; the follower sets its callbacks.
        reader: Reader of log ends.
        deliver: Receiver of the entries of followed rooms in the order of each log, and of all entries of this node.
        record_access: Receiver of entries that change permissions, of other nodes and of rooms whose follow is not
            complete; in any order, and among other entries.
        reload_access: Called after the loss of such entries; raises `Unavailable` if the database is not readable.
        on_replaced: Called with the key of a followed room that was deleted or replaced.
        on_renamed: Called with the former key and the new name of a followed room that was renamed without an entry.
        get_live_keys: Returns the canonical keys of all rooms with readers.

    Attributes:
        gap_reads: Number of reads of missing entries.
    """

    def __init__(
        self,
        bus: Bus,
        reader: LogTailReader,
        *,
        deliver: Callable[[Sequence[events.Entry]], None],
        record_access: Callable[[Sequence[events.Entry]], None],
        reload_access: Callable[[], Awaitable[None]],
        on_replaced: Callable[[str], None],
        on_renamed: Callable[[str, str], None],
        get_live_keys: Callable[[], Collection[str]],
    ) -> None:
        self._bus = bus
        self._exchange = EntryExchange(
            bus, on_entries=self._receive_entries, on_position=self._receive_position, on_access=record_access
        )
        self._reader = reader
        self._deliver = deliver
        self._record_access = record_access
        self._reload_access = reload_access
        self._connect_count = 0  # of the bus
        self._access_loaded_at = 0  # `_connect_count` at the last load of the permissions
        self._on_replaced = on_replaced
        self._on_renamed = on_renamed
        self._get_live_keys = get_live_keys
        self._loop = asyncio.get_running_loop()
        self._rooms: dict[str, _FollowedRoom] = {}
        self._reads = asyncio.Semaphore(_MAX_READS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_poll = 0.0
        self._next_digest = 0.0
        self.gap_reads = 0
        bus.on_connect.append(self._resynchronize)

    @property
    def room_count(self) -> int:
        """Number of followed rooms."""
        return len(self._rooms)

    async def run(self) -> None:
        """Send positions, compare them with the database, update follows and reload permissions; never returns.

        The permissions are reloaded once after each connection of the bus. A failed read is repeated after
        `DEGRADED_POLL_INTERVAL`.
        """
        await self._exchange.open()
        while True:
            now = self._loop.time()
            if now >= self._next_digest:
                self._next_digest = now + DIGEST_INTERVAL
                self._exchange.send_positions()
            self._update_followed(now)
            if not self._bus.is_healthy:
                self._next_poll = min(self._next_poll, now + DEGRADED_POLL_INTERVAL)
            if now >= self._next_poll:
                self._next_poll = now + POLL_INTERVAL
                try:
                    await self._poll()
                    connect_count = self._connect_count
                    if connect_count != self._access_loaded_at:
                        await self._reload_access()
                        self._access_loaded_at = connect_count
                except errors.Unavailable:  # logged by the reader
                    self._next_poll = self._loop.time() + DEGRADED_POLL_INTERVAL
            await asyncio.sleep(TICK)

    async def close(self) -> None:
        """Cancel all reads and changes of subscriptions, and wait for their end; call after the end of `run`."""
        for room in self._rooms.values():
            if room.catch_up is not None:
                room.catch_up.cancel()
        while self._tasks:  # again, because a cancelled start of a follow unsubscribes in another task
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    async def follow(self, key: str) -> None:
        """Follow a room; returns after the subscription and the read of its end.

        A snapshot of the log that is read afterwards contains all entries that are not delivered. A call for a followed
        room waits for its start only. Without readers, the follow ends after `UNFOLLOW_DELAY`.

        Args:
            key: Canonical key of the room, which need not be stored.

        Raises:
            Unavailable: The database is not readable, and the room is not followed.
        """
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = _FollowedRoom(key)
            room.opening = self._start_task(self._open(room))
        room.idle_since = None
        if room.opening is not None:
            await asyncio.shield(room.opening)

    def publish(self, committed: Sequence[events.Entry]) -> None:
        """Send entries that this node has committed to the other nodes, and deliver them on this node.

        Entries of a room that is not followed are delivered immediately, those of a followed room in the order of its
        log, after entries that are missing. During the start of a follow, `record_access` receives the entries too.

        Args:
            committed: Entries of any rooms; those of a room in ascending order.
        """
        by_room: dict[str, list[events.Entry]] = {}  # before a rename, by the former key
        for entry in committed:
            by_room.setdefault(names.canonical_key(entry.room), []).append(entry)
        for key, room_entries in by_room.items():
            self._exchange.send(key, room_entries)
            room = self._rooms.get(key)
            if room is None:
                self._deliver(room_entries)
                continue
            if room.cursor.delivered_seq is None:  # the start position may include the entries
                self._record_access(room_entries)
            self._offer(room, room_entries)

    def rename(self, key: str, new_key: str) -> None:
        """Follow a room under its new key, after a rename without an entry; no effect without a follow of `key`."""
        room = self._rooms.get(key)
        if room is not None:
            self._rename(room, new_key)

    def unfollow(self, key: str) -> None:
        """End the follow of a room that this node has deleted; no effect for a room that is not followed."""
        room = self._rooms.get(key)
        if room is not None:
            self._unfollow(room)

    def poll_soon(self) -> None:
        """Compare the positions of all followed rooms with the database at the next tick."""
        self._next_poll = 0.0

    # -- messages of other nodes

    def _receive_entries(self, message: CommittedEntries) -> None:
        room = self._rooms.get(message.room)
        if room is not None:
            room.cursor.announce(message.last_seq)
            self._offer(room, message.entries)

    def _receive_position(self, key: str, seq: int) -> None:
        room = self._rooms.get(key)
        if room is not None:
            room.cursor.announce(seq)
            self._check_gap(room)

    # -- delivery

    def _offer(self, room: _FollowedRoom, room_entries: Sequence[events.Entry]) -> None:
        self._deliver_to(room, room.cursor.offer(room_entries))
        if room.cursor.is_replaced:
            self._replace(room)
        else:
            self._check_gap(room)

    def _deliver_to(self, room: _FollowedRoom, ready: Sequence[events.Entry]) -> None:
        if not ready:
            return
        self._deliver(ready)
        for entry in ready:
            if isinstance(entry, events.PolicyChange) and entry.new_name is not None:
                self._rename(room, names.canonical_key(entry.new_name))

    def _rename(self, room: _FollowedRoom, new_key: str) -> None:
        if new_key == room.key or self._rooms.get(room.key) is not room:
            return
        del self._rooms[room.key]
        self._start_task(self._exchange.unsubscribe(room.key))
        room.key = new_key
        self._rooms[new_key] = room
        self._start_task(self._subscribe_renamed(new_key))

    async def _subscribe_renamed(self, key: str) -> None:
        await self._exchange.subscribe(key)
        self.poll_soon()  # for entries before the subscription

    def _replace(self, room: _FollowedRoom) -> None:
        if self._rooms.get(room.key) is room:
            self._unfollow(room)
            self._on_replaced(room.key)

    # -- gaps

    def _check_gap(self, room: _FollowedRoom) -> None:
        if room.cursor.has_gap and room.catch_up is None:
            delay = GAP_DELAY if self._bus.is_healthy else 0.0
            room.catch_up = self._loop.call_later(delay, self._start_catch_up, room)

    def _start_catch_up(self, room: _FollowedRoom) -> None:
        room.catch_up = None
        if room.cursor.has_gap and self._rooms.get(room.key) is room:
            room.catch_up = self._start_task(self._catch_up(room))

    async def _catch_up(self, room: _FollowedRoom) -> None:
        """Read and deliver the missing entries; the next comparison with the database repeats a failed read."""
        try:
            async with self._reads:
                while room.cursor.has_gap and room.cursor.delivered_seq is not None:
                    self.gap_reads += 1
                    tail = await self._reader.read_tail(room.room_id, room.key, room.cursor.delivered_seq)
                    if self._rooms.get(room.key) is not room or not self._apply_tail(room, tail):
                        return
        except errors.Unavailable:  # logged by the reader
            self._next_poll = min(self._next_poll, self._loop.time() + DEGRADED_POLL_INTERVAL)
        finally:
            room.catch_up = None

    def _apply_tail(self, room: _FollowedRoom, tail: LogTail | None) -> bool:
        """Deliver the entries of a read, without those before `first_seq`; return False if the room is not stored.

        Without a stored room or a next entry, the announced entry does not exist, and the gap ends. The follow of a
        room that was stored before ends with a call of `on_replaced`.
        """
        cursor = room.cursor
        if tail is None:
            cursor.announced_seq = cursor.delivered_seq or 0
            if room.room_id:
                self._replace(room)
            return False
        room.room_id = tail.position.room_id
        delivered_seq = cursor.delivered_seq
        self._deliver_to(room, cursor.skip_to(tail.first_seq - 1))
        self._deliver_to(room, cursor.offer(tail.restore_names(room.key)))
        if cursor.delivered_seq == delivered_seq:  # the log ends before the announced entry
            cursor.announced_seq = delivered_seq or 0
        return True

    # -- followed rooms

    async def _open(self, room: _FollowedRoom) -> None:
        """Subscribe to a room, read its end in storage, and deliver the entries that have arrived after this end.

        A room that is not stored ends at 0. A failure ends the follow, and is raised.
        """
        key, positions = "", list[LogPosition]()
        try:
            while key != room.key:  # again after a rename during the read
                key = room.key
                await self._exchange.subscribe(key)
                positions = await self._reader.read_positions((), (key,))
        except BaseException:
            if self._rooms.get(room.key) is room:
                self._unfollow(room)
            raise
        finally:
            room.opening = None
        position = positions[0] if positions else LogPosition(0, room.key, room.key, 0, 0)
        room.room_id = position.room_id
        self._deliver_to(room, room.cursor.start(position.last_seq, position.last_id))
        self._check_gap(room)

    def _update_followed(self, now: float) -> None:
        """Start tasks that follow the rooms with readers; end the follow of rooms without one for `UNFOLLOW_DELAY`."""
        live_keys = self._get_live_keys()
        for key in live_keys:
            if key not in self._rooms:
                self._start_task(self.follow(key))
        for room in list(self._rooms.values()):
            if room.key in live_keys:
                room.idle_since = None
            elif room.idle_since is None:
                room.idle_since = now
            elif now - room.idle_since >= UNFOLLOW_DELAY and room.opening is None:
                self._unfollow(room)

    def _unfollow(self, room: _FollowedRoom) -> None:
        del self._rooms[room.key]
        self._start_task(self._exchange.unsubscribe(room.key))

    def _resynchronize(self) -> None:
        """Schedule positions, a comparison with the database and a reload of the permissions for the next tick."""
        self._connect_count += 1
        self._next_digest = 0.0
        self.poll_soon()

    async def _poll(self) -> None:
        """Compare the positions of all started follows with the database, and schedule the reads of gaps.

        A deleted room is no longer followed (`on_replaced`); one renamed without an entry still is (`on_renamed`).
        """
        started = {room: room.key for room in self._rooms.values() if room.cursor.delivered_seq is not None}
        by_id = {room.room_id: room for room in started if room.room_id}
        by_key = {room.key: room for room in started if not room.room_id}
        positions = await self._reader.read_positions(by_id.keys(), by_key.keys())
        for room_id in by_id.keys() - {position.room_id for position in positions}:
            self._replace(by_id[room_id])
        for position in positions:
            room = by_id.get(position.room_id) or by_key.get(position.key)
            if room is not None and self._rooms.get(started[room]) is room:  # not renamed during the read
                self._compare(room, position)

    def _compare(self, room: _FollowedRoom, position: LogPosition) -> None:
        room.room_id = position.room_id
        room.cursor.announce(position.last_seq)
        if position.key != room.key and position.last_seq == room.cursor.delivered_seq:  # renamed without an entry
            former_key = room.key
            self._rename(room, position.key)
            self._on_renamed(former_key, position.name)
        else:
            self._check_gap(room)

    def _start_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, errors.Unavailable):
            log.error("delivery of the entries of other nodes failed", exc_info=error)
