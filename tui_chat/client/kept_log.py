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

from tui_chat.client.local_history import Kept, LocalHistory, Shelf
from tui_chat.client.room_log import RoomLog
from tui_chat.client.sqlite_file import StorageFault
from tui_chat.client.tasks import Tasks

log = logging.getLogger("chat.client")

WRITE_AFTER = 0.5
WRITTEN_AT_ONCE = 500
OPENED_WITH = 200
"""Messages that are read when a room is opened; what is older is read when somebody wants it."""


class KeptLog:
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
        shelf: Shelf,
        room_log: RoomLog,
        tasks: Tasks,
        tell: Callable[[str], None],
    ) -> None:
        self._history = history
        self._shelf = shelf
        self._log = room_log
        self._tasks = tasks
        self._tell = tell
        self._told = False
        self._behind = False
        self._writing: asyncio.Task[None] | None = None
        self._at_once = asyncio.Event()
        room_log.record()

    async def open(self) -> Kept | None:
        """Take what is kept into the log; None when there is nothing."""
        try:
            kept = await self._history.open(self._shelf, OPENED_WITH)
        except StorageFault as fault:
            self._unkept(fault)
            return None
        if kept is not None:
            self._log.restore(kept.newest)
        return kept

    async def load_older(self, limit: int, *, over_gaps: bool) -> tuple[int, ...] | None:
        """Take in what is older than the log; the `seq` of what is new in it, None when nothing is here."""
        await self.settled()
        if self._behind:
            return None
        first = self._log.first
        try:
            found = await self._history.before(self._shelf, first, limit, over_gaps=over_gaps)
        except StorageFault as fault:
            self._unkept(fault)
            return None
        if found is None or not found.spans or first != self._log.first:
            return None
        return self._log.restore(found)

    async def load_around(self, *, seq: int | None = None, at: int | None = None, limit: int) -> tuple[int, ...] | None:
        """Take in what is here about a message or a time; the `seq` of what is new in the log, None when nothing is."""
        await self.settled()
        if self._behind:
            return None
        try:
            found = await self._history.around(self._shelf, seq=seq, at=at, limit=limit)
        except StorageFault as fault:
            self._unkept(fault)
            return None
        return None if found is None else self._log.restore(found)

    def changed(self) -> None:
        """The log has grown or changed."""
        if self._log.unsaved and (self._writing is None or self._writing.done()):
            self._at_once.clear()
            self._writing = self._tasks.start(self._write_soon(), "keeping history")

    async def entered(self, name: str, topic: str, member_id: str, nick: str) -> None:
        """The room was entered as this member (`nick` is the key of its nickname), or is about something else."""
        try:
            await self._history.entered(self._shelf, name, topic, member_id, {self._shelf.nick, nick})
        except StorageFault as fault:
            self._unkept(fault)

    async def drop(self) -> None:
        """The server has another log by now."""
        self._log.take_unsaved()
        try:
            await self._history.drop(self._shelf)
        except StorageFault as fault:
            self._unkept(fault)

    async def settled(self) -> None:
        """Wait until the disk holds all that the log does, as far as it can."""
        self.changed()
        self._at_once.set()
        while self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})

    async def _write_soon(self) -> None:
        try:
            async with asyncio.timeout(WRITE_AFTER):
                await self._at_once.wait()
        except TimeoutError:
            log.debug("history is written")
        while self._log.unsaved:
            try:
                await self._history.write(self._shelf, self._log.take_unsaved(WRITTEN_AT_ONCE))
            except StorageFault as fault:
                # What is lost is a gap on disk, which is filled when the room is opened the next time.
                self._behind = True
                self._unkept(fault)

    def _unkept(self, fault: StorageFault) -> None:
        log.warning("history cannot be kept: %s", fault.reason)
        if not self._told:
            self._told = True
            self._tell(f"What is said here cannot be kept on this computer: {fault.reason}")
