"""Write-behind cache of one room log in the local history.

- Latency: changes of the log never wait for the disk.
- Batching: changes are written after `WRITE_DELAY` seconds or at `flush`, in transactions of at most
  `WRITE_BATCH_SIZE` messages. The last transaction contains the ranges.
- Failures: each failure is logged, and the first one of the client is reported. The client continues in memory. A
  failed write discards all unsaved changes. Older messages are then not read from disk, because their changes may be
  missing there.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from tui_chat.client.log import log
from tui_chat.client.room_context import RoomContext
from tui_chat.client.storage.history_db import CachedRoom, LocalHistory, RoomKey
from tui_chat.client.storage.sqlite_file import log_failure
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol import names
from tui_chat.protocol.errors import Unavailable

T = TypeVar("T")

WRITE_DELAY = 0.5
"""Delay of a write after a change, in seconds."""
WRITE_BATCH_SIZE = 500
"""Maximum number of messages in one transaction."""
MESSAGES_ON_LOAD = 200
"""Number of messages read by `load`; older ones are read on demand."""


class RoomCache:
    """Cache of one room log, whose tracking of unsaved changes is enabled. No method raises for a failed access."""

    def __init__(self, context: RoomContext, history: LocalHistory, room_log: RoomLog) -> None:
        self._context = context
        self._history = history
        self._room_key = RoomKey(context.client.url, context.key, context.nick_key)
        self._room_log = room_log
        self._write_failed = False
        self._write_task: asyncio.Task[None] | None = None
        self._flush_requested = asyncio.Event()
        room_log.track_changes()

    async def load(self) -> CachedRoom | None:
        """Restore the newest `MESSAGES_ON_LOAD` cached messages, the member id and the log id into the log.

        Returns:
            The cached room; None if the room is not cached or not readable, and the log is then unchanged.
        """
        cached = await self._attempt(self._history.read_room(self._room_key, MESSAGES_ON_LOAD))
        if cached is not None:
            self._room_log.member_id, self._room_log.log_id = cached.member_id, cached.log_id
            self._room_log.restore(cached.segment)
        return cached

    async def load_older(self, limit: int, *, allow_gap: bool) -> tuple[int, ...] | None:
        """Write unsaved changes, then restore messages before the start of the log.

        Args:
            limit: Maximum number of messages.
            allow_gap: Include messages that a gap separates from the log.

        Returns:
            `seq` of each new or modified message. None without cached messages, after a failed read or any failed
            write, or if the start of the log has changed during the read.
        """
        await self.flush()
        if self._write_failed:
            return None
        first_seq = self._room_log.first
        segment = await self._attempt(self._history.read_before(self._room_key, first_seq, limit, allow_gap=allow_gap))
        if segment is None or not segment.ranges or first_seq != self._room_log.first:
            return None
        return self._room_log.restore(segment)

    async def load_around(self, *, seq: int | None = None, at: int | None = None, limit: int) -> tuple[int, ...] | None:
        """Write unsaved changes, then restore the messages around a message or a time.

        Args:
            seq: Message at the center; ignored if `at` is set.
            at: Time at the center in milliseconds since the epoch.
            limit: Maximum number of messages.

        Returns:
            `seq` of each new or modified message. None if the center is not cached, and after a failed read or any
            failed write.
        """
        await self.flush()
        if self._write_failed:
            return None
        segment = await self._attempt(self._history.read_around(self._room_key, seq=seq, at=at, limit=limit))
        return None if segment is None else self._room_log.restore(segment)

    def schedule_write(self) -> None:
        """Write unsaved changes in the background after `WRITE_DELAY` seconds; no effect without such changes.

        A scheduled or running write includes later changes.
        """
        if self._room_log.is_dirty and (self._write_task is None or self._write_task.done()):
            self._flush_requested.clear()
            self._write_task = self._context.client.tasks.start(self._write_dirty(), "history write")

    async def save_room_info(self) -> None:
        """Store name, topic and title of the room, and the user's member id for the requested and assigned nickname."""
        room = self._context
        nick_keys = {self._room_key.nick, names.canonical_key(room.nick)}
        await self._attempt(
            self._history.save_room_info(
                self._room_key, room.name, room.topic, room.member_id, nick_keys, title=room.title
            )
        )

    async def rename(self) -> None:
        """Move the cached room to the current name, which later operations use."""
        old_key, self._room_key = self._room_key, replace(self._room_key, room=self._context.key)
        await self._attempt(self._history.rename_room(old_key, self._context.key, self._context.name))

    async def clear(self) -> None:
        """Discard unsaved changes, and delete the cached log and member ids after a replacement of the server log."""
        self._room_log.pop_dirty()
        await self._attempt(self._history.clear_room(self._room_key))

    async def flush(self) -> None:
        """Write all unsaved changes without delay and wait for the end. A failed write is not repeated."""
        self.schedule_write()
        self._flush_requested.set()
        while self._write_task is not None and not self._write_task.done():
            await asyncio.wait({self._write_task})

    async def _write_dirty(self) -> None:
        """Wait for `WRITE_DELAY` seconds or `flush`, then write until no unsaved change remains; report failures."""
        try:
            async with asyncio.timeout(WRITE_DELAY):
                await self._flush_requested.wait()
        except TimeoutError:
            log.debug("history: writing unsaved changes")
        while self._room_log.is_dirty:
            try:
                segment = self._room_log.pop_dirty(WRITE_BATCH_SIZE)
                await self._history.write(self._room_key, segment, self._room_log.log_id)
            except Exception as error:
                # A gap on disk, which the next session fetches again; a later range would include the lost entries.
                self._room_log.pop_dirty()
                self._write_failed = True
                self._report_failure(error)

    async def _attempt(self, operation: Coroutine[Any, Any, T]) -> T | None:
        """Return the result of a history operation; None after a failure, which is logged and reported."""
        try:
            return await operation
        except Exception as error:
            self._report_failure(error)
            return None

    def _report_failure(self, error: Exception) -> None:
        log_failure("history", error)
        self._context.client.report_once(Unavailable("history_unsaved", problem=str(error)))
