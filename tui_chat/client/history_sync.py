"""Synchronization of one room log with the server and the local cache.

- Automatic fill: missing newest entries and gaps of at most `MAX_AUTO_FILL` entries are fetched; larger gaps
  remain until requested.
- Iteration: `next_entry` returns every entry after the first join exactly once and in order, across reconnects. Missed
  entries are fetched at the speed of the iteration. Two kinds of entries are skipped: those that the server removes
  before their fetch, and those that a replacement of the server log contains at the rejoin.
- Cache: older entries come from the cache (`RoomCache`) if possible. A jump uses the cache only without a connection.
- Sequential fetches: one page at a time, which avoids duplicate requests.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from operator import attrgetter

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.client.events import LogChanged
from tui_chat.client.log import log
from tui_chat.client.room_context import RoomContext
from tui_chat.client.storage.room_cache import RoomCache
from tui_chat.client.sync.apply_change import is_excess_reaction
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.client.sync.seq_ranges import Gap
from tui_chat.protocol.errors import ChatError, NotJoined, Unavailable
from tui_chat.protocol.events import Entry, Message, Reaction
from tui_chat.protocol.limits import HISTORY_PAGE, REACTIONS_PER_MESSAGE
from tui_chat.protocol.requests import History
from tui_chat.protocol.responses import HistoryPage, ObserveResponse

MAX_BUFFERED_ENTRIES = 1_000
"""Capacity of the cursor's buffer, in entries."""
MAX_AUTO_FILL = 1_000
"""Maximum size of a gap that is filled automatically, in entries."""
FETCH_TIMEOUT = 60.0
"""Time limit of a page request, in seconds."""


class EntryCursor:
    """Read position in a room log with a bounded buffer.

    Attributes:
        position: Last `seq` that was read, initially 0.
    """

    def __init__(self) -> None:
        self.position = 0
        self._buffer: deque[Entry] = deque()

    @property
    def buffered_to(self) -> int:
        """`seq` of the last buffered entry; `position` without one."""
        return self.position + len(self._buffer)

    def reset(self, position: int) -> None:
        """Clear the buffer and move to a `seq`."""
        self.position = position
        self._buffer.clear()

    def offer(self, entries: Iterable[Entry]) -> bool:
        """Buffer the entries that continue the sequence; skip all others and those above the capacity.

        Args:
            entries: Entries, ascending by `seq`.

        Returns:
            True if any entry was buffered.
        """
        size_before = len(self._buffer)
        for entry in entries:
            if entry.seq == self.buffered_to + 1 and len(self._buffer) < MAX_BUFFERED_ENTRIES:
                self._buffer.append(entry)
        return len(self._buffer) > size_before

    def pop(self) -> Entry | None:
        """Return the next buffered entry and advance `position`; None if the buffer is empty."""
        if not self._buffer:
            return None
        self.position += 1
        return self._buffer.popleft()


class HistorySync:
    """Log of one room and its synchronization.

    Attributes:
        log: Known part of the log.
        cursor: Position of the iteration.
        cache: Local cache, None if disabled.
    """

    def __init__(self, context: RoomContext) -> None:
        self.log = RoomLog()
        self.cache: RoomCache | None = None
        self.cursor = EntryCursor()
        self._context = context
        self._closed = False
        self._trim_task: asyncio.Task[bool] | None = None
        self._fill_task: asyncio.Task[None] | None = None
        self._fetch_lock = asyncio.Lock()
        self._entries_available = asyncio.Event()

    def on_join(self, response: ObserveResponse, since: int | None, *, rejoined: bool) -> None:
        """Apply a join response with sanitized entries.

        Emits `LogChanged` for the modified messages and starts the automatic gap fill.

        Args:
            response: Response of the join or observation.
            since: `since` of the join request.
            rejoined: False for the first join, which moves the cursor to the newest entry.
        """
        if not rejoined:
            self.cursor.reset(response.room.last_seq)
        changed_seqs = self.log.apply_join(response, since)
        self._buffer_entries(response.messages)
        self._entries_available.set()
        self._notify(changed_seqs, False)
        self.start_auto_fill()

    def sanitize_entries(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return received entries with sanitized texts. Reports reactions above the limit once."""
        entries = list(entries)
        if any(isinstance(entry, Message) and len(entry.reactions or {}) > REACTIONS_PER_MESSAGE for entry in entries):
            self._report_excess_reactions()
        return [sanitize.received(entry) for entry in entries]

    def on_push(self, entry: Entry) -> None:
        """Apply a sanitized push, emit `LogChanged` for modified messages, and start a gap fill or trim if necessary.

        Reports a reaction above the limit once.
        """
        if (
            isinstance(entry, Reaction)
            and entry.target in self.log
            and is_excess_reaction(self.log[entry.target], entry)
        ):
            self._report_excess_reactions()
        changed_seqs = self.log.apply_push(entry)
        if self.cursor.offer((entry,)) or self.log.last > self.cursor.buffered_to:
            self._entries_available.set()
        self._notify(changed_seqs, True)
        if self.log.missing_after() is not None:
            self.start_auto_fill()
        self._start_trim()

    def reset(self, position: int) -> None:
        """Clear the log after a replacement of the server log, and move the cursor; emit no event, keep the cache."""
        self.log.reset()
        self.cursor.reset(position)

    def close(self, *, silent: bool) -> None:
        """End the iteration after the buffer of the cursor, and discard the buffered pushes of the log.

        Args:
            silent: `next_entry` then returns None, even after a further close; otherwise, `next_entry` raises the error
                of the gate, which the caller fails before this call.
        """
        self._closed = self._closed or silent
        self.log.on_disconnected()
        self.wake_reader()

    def wake_reader(self) -> None:
        """Let a waiting `next_entry` examine the gate again, and raise its error."""
        self._entries_available.set()

    def start_auto_fill(self) -> None:
        """Start the automatic gap fill in the background, which emits `LogChanged`; no effect if already running."""
        if self._fill_task is None or self._fill_task.done():
            self._fill_task = self._context.client.tasks.supervise(self._auto_fill, "gap fill")

    async def load_older(self, limit: int) -> bool:
        """Load entries as `RoomHistory.load_older`, and emit `LogChanged` if any message changed.

        Without a connection, cached messages behind a gap are loaded too.
        """
        async with self._fetch_lock:
            if self.log.has_older:
                allow_gap = self._context.gate.value is None
                cached = None if self.cache is None else await self.cache.load_older(limit, allow_gap=allow_gap)
                if cached is not None:
                    self._notify(cached, False)
                else:
                    await self._fetch(limit, before=self.log.first)
        return self.log.has_older

    async def load_around(self, *, seq: int | None = None, at: int | None = None, limit: int) -> None:
        """Load entries as `RoomHistory.load_around` and `load_at_time`, and emit `LogChanged` for modified messages.

        Args:
            seq: Message at the center.
            at: Time at the center in milliseconds since the epoch; exactly one of `seq` and `at` is required.
            limit: As for `RoomHistory.load_around`.
        """
        async with self._fetch_lock:
            if self._context.gate.value is None and seq is not None and seq in self.log:
                return
            if self._context.gate.value is None and self.cache is not None:
                changed_seqs = await self.cache.load_around(seq=seq, at=at, limit=limit)
                if changed_seqs is not None:
                    self._notify(changed_seqs, False)
                    return
            await self._fetch(limit, around=seq, at=at)
            progress = True
            while progress and (after := self.log.missing_after()) is not None:
                progress = await self._fetch(after=after, is_live=True)

    async def trim(self, max_messages: int) -> bool:
        """Write unsaved changes to the cache, then release the oldest messages as `RoomLog.trim`."""
        if self.cache is not None:
            await self.cache.flush()
        return self.log.trim(max_messages)

    async def fill_gap(self, gap: Gap, limit: int | None, *, oldest_first: bool) -> None:
        """Fetch entries as `RoomHistory.fill_gap`, and emit `LogChanged` for each page with modified messages."""
        remaining = gap.missing_count if limit is None else limit
        while remaining > 0:
            async with self._fetch_lock:
                subgaps = [
                    subgap for subgap in self.log.gaps() if subgap.after >= gap.after and subgap.before <= gap.before
                ]
                if not subgaps:
                    return
                subgap = subgaps[0] if oldest_first else subgaps[-1]
                page_size = min(HISTORY_PAGE, remaining, subgap.missing_count)
                after, before = (subgap.after, None) if oldest_first else (None, subgap.before)
                if not await self._fetch(page_size, after=after, before=before):
                    return
            remaining -= page_size

    async def next_entry(self) -> Entry | None:
        """Wait for the next entry of the iteration, buffered or fetched; temporary failures are retried.

        Returns:
            The entry, or None after a silent close and the buffered entries.

        Raises:
            ChatError: The room is closed, the token was rejected, or the server rejected the fetch of missed entries.
        """
        while (entry := self.cursor.pop()) is None:
            if self._closed:
                return None
            self._entries_available.clear()  # before the request, which other events may overtake
            is_behind = self._context.gate.has_error or self.cursor.buffered_to < self.log.last
            if not is_behind or not await self._fetch_next():
                await self._entries_available.wait()
        return entry

    def _buffer_entries(self, entries: Iterable[Entry]) -> None:
        """Offer entries to the cursor, which first skips entries that the server has removed."""
        if self.cursor.buffered_to == self.cursor.position < self.log.first_stored - 1:
            self.cursor.reset(self.log.first_stored - 1)
        self.cursor.offer(entries)

    def _notify(self, seqs: tuple[int, ...], is_live: bool) -> None:
        """Schedule the write of unsaved changes, and emit `LogChanged` unless `seqs` is empty."""
        if self.cache is not None:
            self.cache.schedule_write()
        if seqs:
            self._context.client.emit(LogChanged(self._context.name, seqs, is_live))

    def _start_trim(self) -> None:
        """Trim the log in the background if it contains more than twice `max_messages`, one trim at a time."""
        max_messages = self._context.client.max_messages
        is_idle = self._trim_task is None or self._trim_task.done()
        if max_messages is not None and len(self.log) > 2 * max_messages and is_idle:
            self._trim_task = self._context.client.tasks.start(self.trim(max_messages), "log trim")

    def _report_excess_reactions(self) -> None:
        self._context.client.report_once(Unavailable("reactions_unlisted", limit=REACTIONS_PER_MESSAGE))

    async def _fetch_next(self) -> bool:
        """Fetch the next page of the iteration once a connection exists.

        Raises as `next_entry`.

        Returns:
            False if the fetched page brought no progress; True after any progress, close or temporary failure.
        """
        try:
            await self._context.gate.wait()
            async with self._fetch_lock:
                if self.cursor.buffered_to < self.log.last:
                    return await self._fetch(after=self.cursor.buffered_to)
        except (Unavailable, NotJoined) as error:
            if not self._closed and (isinstance(error, NotJoined) or self._context.gate.has_failed):
                raise
        return True

    async def _auto_fill(self) -> None:
        """Fetch the missing newest entries, then small gaps, newest first, until a page brings no progress or fails."""
        progress = True
        while progress:
            async with self._fetch_lock:
                live_end = self.log.missing_after()
                small_gaps = [gap for gap in self.log.gaps() if gap.missing_count <= MAX_AUTO_FILL]
                try:
                    if live_end is not None:
                        progress = await self._fetch(after=live_end, is_live=True)
                    elif small_gaps:
                        progress = await self._fetch(small_gaps[-1].missing_count, after=small_gaps[-1].after)
                    else:
                        return
                except ChatError as error:
                    log.debug("gap fill failed: %s; the gap remains", type(error).__name__)
                    return

    async def _fetch(self, limit: int = HISTORY_PAGE, *, is_live: bool = False, **bound: int | None) -> bool:
        """Request a page, apply the response and emit `LogChanged`; requires `_fetch_lock`.

        A page of another server log is ignored and aborts an open connection. Raises as `Connector.request`.

        Args:
            limit: Maximum number of entries, limited to `HISTORY_PAGE`.
            is_live: Value of `LogChanged.is_live`.
            bound: One of `after`, `before`, `around` and `at` of `History`.

        Returns:
            True if the page changed a known range, a gap or the buffer.
        """
        request = History(room=self._context.name, limit=min(limit, HISTORY_PAGE), **bound)
        page = await self._context.request(request, HistoryPage, FETCH_TIMEOUT, wait_for_rate_limit=True)
        if page.log_id != self.log.log_id:
            if (transport := self._context.gate.value) is not None:
                log.warning("server log of a room was replaced during a connection: reconnecting")
                transport.abort()
            return False
        page = replace(page, messages=self.sanitize_entries(page.messages))
        state_before = (self.log.last, self.log.first, self.log.gaps(), self.cursor.buffered_to)
        changed_seqs = self.log.apply_page(page, request)
        self._buffer_entries(sorted(page.messages, key=attrgetter("seq")))
        self._notify(changed_seqs, is_live)
        if is_live:
            self._start_trim()
        is_changed = state_before != (self.log.last, self.log.first, self.log.gaps(), self.cursor.buffered_to)
        if is_changed:
            self._entries_available.set()
        return is_changed
