"""What was said in one room: kept whole, and fetched where it is not.

Rule 1  The log is the truth (`RoomLog`); pushes, joins and pages go into it and nowhere else.
Rule 2  Holes of up to `MENDED_MAX` entries are filled without being asked; a larger one
        stays a gap until somebody wants it.
Rule 3  A reader gets every entry from the first join on, once, in order, whatever breaks.
        What it missed is fetched when it gets there (`Feed`).
Rule 4  What is kept on this computer (`KeptLog`) comes before what has to be fetched.
Rule 5  One page is fetched at a time, so that nobody asks for what is on its way.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.client.net.connector import Connector
from tui_chat.client.net.gate import Gate
from tui_chat.client.storage.room_cache import RoomCache
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.client.sync.seq_ranges import Gap
from tui_chat.client.task_set import TaskSet
from tui_chat.protocol.errors import ChatError, NotJoined, Unavailable
from tui_chat.protocol.events import Entry
from tui_chat.protocol.limits import HISTORY_PAGE
from tui_chat.protocol.requests import History
from tui_chat.protocol.responses import HistoryPage, JoinResponse

MAX_BUFFERED_ENTRIES = 1_000


class EntryCursor:
    """The entries that come next.

    Attributes:
        cursor: The `seq` of the last entry that the reader took.
    """

    def __init__(self) -> None:
        self.position = 0
        self._buffer: deque[Entry] = deque()

    @property
    def buffered_to(self) -> int:
        """The `seq` of the last entry that is here; the next is to follow it."""
        return self.position + len(self._buffer)

    def reset(self, position: int) -> None:
        """What comes after this `seq` is next."""
        self.position = position
        self._buffer.clear()

    def offer(self, entries: Iterable[Entry]) -> bool:
        """Take what follows, of entries in ascending order; whether any did."""
        size_before = len(self._buffer)
        for entry in entries:
            if entry.seq == self.buffered_to + 1 and len(self._buffer) < MAX_BUFFERED_ENTRIES:
                self._buffer.append(entry)
        return len(self._buffer) > size_before

    def pop(self) -> Entry | None:
        """The next entry, if it is here."""
        if not self._buffer:
            return None
        self.position += 1
        return self._buffer.popleft()


if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

log = logging.getLogger("chat.client")

MAX_AUTO_FILL = 1_000
FETCH_TIMEOUT = 60.0


class HistorySync:
    """The log of one room, and the ways to fill it.

    Attributes:
        room: The room's name as the server writes it.
        log: What is known.
        feed: Where the reader stands.
        kept: What this computer keeps of it, None when nothing is kept.

    Args:
        bound: Messages beyond which, twice over, the oldest are let go from memory; None for never.
        gate: Open with the connection on which the room is joined.
        changed: Told the `seq` of the messages that changed, and whether they were said just now.
    """

    def __init__(
        self,
        room: str,
        gate: "Gate[Transport]",
        connector: Connector,
        tasks: TaskSet,
        on_change: Callable[[tuple[int, ...], bool], None],
        *,
        max_messages: int | None = None,
    ) -> None:
        self.room = room
        self.log = RoomLog()
        self.cache: RoomCache | None = None
        self.cursor = EntryCursor()
        self._gate = gate
        self._connector = connector
        self._tasks = tasks
        self._on_change = on_change
        self._max_messages = max_messages
        self._closed = False
        self._trim_task: asyncio.Task[None] | None = None
        self._fill_task: asyncio.Task[None] | None = None
        self._fetch_lock = asyncio.Lock()
        self._entries_available = asyncio.Event()

    def on_join(self, response: JoinResponse, since: int | None, *, rejoined: bool) -> None:
        """The room was joined; the answer is clean."""
        if not rejoined:
            self.cursor.reset(response.room.last_seq)
        self.cursor.offer(response.messages)
        changed_seqs = self.log.apply_join(response, since)
        self._entries_available.set()
        self._notify(changed_seqs, False)
        self.fill_gaps()

    def on_push(self, entry: Entry) -> None:
        """A clean entry was pushed."""
        changed_seqs = self.log.apply_push(entry)
        if self.cursor.offer((entry,)) or self.log.last > self.cursor.buffered_to:
            self._entries_available.set()
        self._notify(changed_seqs, True)
        if self.log.missing_after() is not None:
            self.fill_gaps()
        if self._max_messages is not None and len(self.log) > 2 * self._max_messages and (self._trim_task is None):
            self._trim_task = self._tasks.start(self._trim_to(self._max_messages), "letting old messages go")

    def reset(self, position: int) -> None:
        """The server has another log by now; the reader goes on after `cursor` in it."""
        self.log.reset()
        self.cursor.reset(position)

    def close(self, *, silent: bool) -> None:
        """Nothing follows: a reader's loop ends, `quietly` or by the error that the gate is locked with."""
        self._closed = self._closed or silent
        self.log.on_disconnected()
        self._entries_available.set()

    def fill_gaps(self) -> None:
        """Begin to fill what is to be filled, if that is not going on."""
        if self._fill_task is None or self._fill_task.done():
            self._fill_task = self._tasks.start(self._fill_small_gaps(), "filling holes")

    async def load_older(self, limit: int) -> bool:
        """Bring in what was said before the log begins; whether there is still more."""
        async with self._fetch_lock:
            if self.cache is not None and self.log.has_older:
                changed_seqs = await self.cache.load_older(limit, allow_gap=self._gate.value is None)
                if changed_seqs is not None:
                    self._notify(changed_seqs, False)
                    return self.log.has_older
            if self.log.has_older:
                await self._fetch(History(room=self.room, before=self.log.first, limit=min(limit, HISTORY_PAGE)))
        return self.log.has_older

    async def load_around(self, *, seq: int | None = None, at: int | None = None, limit: int) -> None:
        """Bring in what was said about a message, or a time (milliseconds since the epoch)."""
        async with self._fetch_lock:
            if self._gate.value is None and seq is not None and seq in self.log:
                return
            if self._gate.value is None and self.cache is not None:
                changed_seqs = await self.cache.load_around(seq=seq, at=at, limit=limit)
                if changed_seqs is not None:
                    self._notify(changed_seqs, False)
                    return
            await self._fetch(History(room=self.room, around=seq, at=at, limit=min(limit, HISTORY_PAGE)))

    async def trim(self, keep: int) -> bool:
        """Let the oldest messages go from memory, so that `kept` stay; whether any did."""
        if self.cache is not None:
            await self.cache.flush()
        return self.log.trim(keep)

    async def fill_gap(self, gap: Gap, limit: int | None, *, oldest_first: bool) -> None:
        """Fetch what is missing in a gap, at most `limit` entries."""
        remaining = gap.missing_count if limit is None else limit
        while remaining > 0:
            async with self._fetch_lock:
                subgaps = [
                    subgap for subgap in self.log.gaps() if subgap.after >= gap.after and subgap.before <= gap.before
                ]
                if not subgaps:
                    return
                part = subgaps[0] if oldest_first else subgaps[-1]
                page_size = min(HISTORY_PAGE, remaining, part.missing_count)
                if oldest_first:
                    request = History(room=self.room, after=part.after, limit=page_size)
                else:
                    request = History(room=self.room, before=part.before, limit=page_size)
                if not await self._fetch(request):
                    return
            remaining -= page_size

    async def next_entry(self) -> Entry | None:
        """What comes next for the reader, None when nothing does any more.

        Raises:
            ChatError: The room was lost.
        """
        while (entry := self.cursor.pop()) is None:
            if self._closed:
                return None
            if self._gate.has_failed or self.cursor.buffered_to < self.log.last:
                await self._fetch_next()
            else:
                self._entries_available.clear()
                await self._entries_available.wait()
        return entry

    async def _trim_to(self, max_messages: int) -> None:
        try:
            await self.trim(max_messages)
        finally:
            self._trim_task = None

    def _notify(self, seqs: tuple[int, ...], live: bool) -> None:
        if self.cache is not None:
            self.cache.schedule_write()
        self._on_change(seqs, live)

    async def _fetch_next(self) -> None:
        """Fetch what the reader is to get next, however long there is no connection."""
        try:
            await self._gate.wait()
            async with self._fetch_lock:
                if self.cursor.buffered_to < self.log.last:
                    await self._fetch(History(room=self.room, after=self.cursor.buffered_to, limit=HISTORY_PAGE))
        except (Unavailable, NotJoined) as error:
            if self._closed or (isinstance(error, Unavailable) and not self._gate.has_failed):
                return
            raise

    async def _fill_small_gaps(self) -> None:
        """Rule 2. It ends when nothing is missing, or a page brings nothing, or the server refuses."""
        progress = True
        while progress:
            async with self._fetch_lock:
                request, live = self._next_request()
                if request is None:
                    return
                try:
                    progress = await self._fetch(request, live=live)
                except ChatError as error:
                    log.debug("a hole stays for now: %s", type(error).__name__)
                    return

    def _next_request(self) -> tuple[History | None, bool]:
        """What to ask for next, and whether it was said just now."""
        after = self.log.missing_after()
        if after is not None:
            return History(room=self.room, after=after, limit=HISTORY_PAGE), True
        for gap in reversed(self.log.gaps()):
            if gap.missing_count <= MAX_AUTO_FILL:
                return History(room=self.room, after=gap.after, limit=min(HISTORY_PAGE, gap.missing_count)), False
        return None, False

    async def _fetch(self, request: History, *, live: bool = False) -> bool:
        """Take a page into the log; whether it brought anything. `_fetching` must be held."""
        page = await self._connector.request(self._gate, request, HistoryPage, FETCH_TIMEOUT, wait_for_rate_limit=True)
        page = replace(page, messages=sanitize.entries(page.messages))
        state_before = (self.log.last, self.log.first, self.log.gaps(), self.cursor.buffered_to)
        changed_seqs = self.log.apply_page(page, request)
        self.cursor.offer(sorted(page.messages, key=_entry_seq))
        self._entries_available.set()
        self._notify(changed_seqs, live)
        return state_before != (self.log.last, self.log.first, self.log.gaps(), self.cursor.buffered_to)


def _entry_seq(entry: Entry) -> int:
    return entry.seq
