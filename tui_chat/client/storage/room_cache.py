"""The log of one room and what is kept of it on this computer: read when the room is opened, written as it grows.

Rule 1  Nothing waits for the disk but whoever opens a room or wants what is older.
Rule 2  What is learnt is written `WRITE_AFTER` seconds later, and at the end: in
        transactions of `WRITTEN_AT_ONCE` messages, so that a flood does not hold up the
        program, and which stretches are known with the last.
Rule 3  Without a disk everything works and nothing is kept; that is told once. When
        something could not be written the disk is no longer read: it would bring
        messages back without the changes that were lost.
"""

import asyncio
import logging
from collections.abc import Callable

from tui_chat.client.storage.history_db import CachedRoom, LocalHistory, RoomKey
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.client.task_set import TaskSet

log = logging.getLogger("chat.client")

WRITE_DELAY = 0.5
WRITE_BATCH_SIZE = 500
MESSAGES_ON_LOAD = 200
"""Messages that are read when a room is opened; what is older is read when somebody wants it."""


class RoomCache:
    """What is kept of one room.

    Args:
        history: Where.
        shelf: Which room.
        room_log: What is known of it.
        tell: Told why something cannot be kept, in a sentence.
    """

    def __init__(
        self,
        history: LocalHistory,
        room_key: RoomKey,
        room_log: RoomLog,
        tasks: TaskSet,
        on_error: Callable[[str], None],
    ) -> None:
        self._history = history
        self._room_key = room_key
        self._room_log = room_log
        self._tasks = tasks
        self._on_error = on_error
        self._failure_reported = False
        self._write_failed = False
        self._write_task: asyncio.Task[None] | None = None
        self._flush_requested = asyncio.Event()
        room_log.track_changes()

    async def load(self) -> CachedRoom | None:
        """Take what is kept into the log; None when there is nothing."""
        try:
            cached = await self._history.open(self._room_key, MESSAGES_ON_LOAD)
        except LocalStorageError as error:
            self._report_failure(error)
            return None
        if cached is not None:
            self._room_log.restore(cached.segment)
        return cached

    async def load_older(self, limit: int, *, allow_gap: bool) -> tuple[int, ...] | None:
        """Take in what is older than the log; the `seq` of what is new in it, None when nothing is here."""
        await self.flush()
        if self._write_failed:
            return None
        first_seq = self._room_log.first
        try:
            segment = await self._history.read_before(self._room_key, first_seq, limit, allow_gap=allow_gap)
        except LocalStorageError as error:
            self._report_failure(error)
            return None
        if segment is None or not segment.ranges or first_seq != self._room_log.first:
            return None
        return self._room_log.restore(segment)

    async def load_around(self, *, seq: int | None = None, at: int | None = None, limit: int) -> tuple[int, ...] | None:
        """Take in what is here about a message or a time; the `seq` of what is new in the log, None when nothing is."""
        await self.flush()
        if self._write_failed:
            return None
        try:
            segment = await self._history.read_around(self._room_key, seq=seq, at=at, limit=limit)
        except LocalStorageError as error:
            self._report_failure(error)
            return None
        return None if segment is None else self._room_log.restore(segment)

    def schedule_write(self) -> None:
        """The log has grown or changed."""
        if self._room_log.is_dirty and (self._write_task is None or self._write_task.done()):
            self._flush_requested.clear()
            self._write_task = self._tasks.start(self._write_dirty(), "keeping history")

    async def save_room_info(self, name: str, topic: str, member_id: str, nick_key: str) -> None:
        """The room was entered as this member (`nick` is the key of its nickname), or is about something else."""
        try:
            await self._history.save_room_info(self._room_key, name, topic, member_id, {self._room_key.nick, nick_key})
        except LocalStorageError as error:
            self._report_failure(error)

    async def clear(self) -> None:
        """The server has another log by now."""
        self._room_log.pop_dirty()
        try:
            await self._history.clear_room(self._room_key)
        except LocalStorageError as error:
            self._report_failure(error)

    async def flush(self) -> None:
        """Wait until the disk holds all that the log does, as far as it can."""
        self.schedule_write()
        self._flush_requested.set()
        while self._write_task is not None and not self._write_task.done():
            await asyncio.wait({self._write_task})

    async def _write_dirty(self) -> None:
        try:
            async with asyncio.timeout(WRITE_DELAY):
                await self._flush_requested.wait()
        except TimeoutError:
            log.debug("history is written")
        while self._room_log.is_dirty:
            try:
                await self._history.write(self._room_key, self._room_log.pop_dirty(WRITE_BATCH_SIZE))
            except LocalStorageError as error:
                # What is lost is a gap on disk, which is filled when the room is opened the next time.
                self._write_failed = True
                self._report_failure(error)

    def _report_failure(self, error: LocalStorageError) -> None:
        log.warning("history cannot be kept: %s", error.reason)
        if not self._failure_reported:
            self._failure_reported = True
            self._on_error(f"What is said here cannot be kept on this computer: {error.reason}")
