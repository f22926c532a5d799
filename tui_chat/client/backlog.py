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
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from server.protocol.answers import HistoryPage, JoinResponse
from server.protocol.entries import Entry
from server.protocol.errors import ChatError, NotJoined, Unavailable
from server.protocol.limits import HISTORY_PAGE
from server.protocol.requests import History
from tui_chat.client import cleaning
from tui_chat.client.feed import Feed
from tui_chat.client.gate import Gate
from tui_chat.client.kept_log import KeptLog
from tui_chat.client.link import Link
from tui_chat.client.room_log import RoomLog
from tui_chat.client.spans import Gap
from tui_chat.client.tasks import Tasks

if TYPE_CHECKING:
    from tui_chat.client.transport import Transport

log = logging.getLogger("chat.client")

MENDED_MAX = 1_000
FETCH_TIMEOUT = 60.0


class Backlog:
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
        link: Link,
        tasks: Tasks,
        changed: Callable[[tuple[int, ...], bool], None],
        *,
        bound: int | None = None,
    ) -> None:
        self.room = room
        self.log = RoomLog()
        self.kept: KeptLog | None = None
        self.feed = Feed()
        self._gate = gate
        self._link = link
        self._tasks = tasks
        self._report = changed
        self._bound = bound
        self._ended = False
        self._trimming: asyncio.Task[None] | None = None
        self._mending: asyncio.Task[None] | None = None
        self._fetching = asyncio.Lock()
        self._more = asyncio.Event()

    def entered(self, answer: JoinResponse, since: int | None, *, again: bool) -> None:
        """The room was joined; the answer is clean."""
        if not again:
            self.feed.start(answer.room.last_seq)
        self.feed.offer(answer.messages)
        changed = self.log.joined(answer, since)
        self._more.set()
        self._changed(changed, False)
        self.mend()

    def pushed(self, entry: Entry) -> None:
        """A clean entry was pushed."""
        changed = self.log.pushed(entry)
        if self.feed.offer((entry,)) or self.log.last > self.feed.end:
            self._more.set()
        self._changed(changed, True)
        if self.log.missing() is not None:
            self.mend()
        if self._bound is not None and len(self.log) > 2 * self._bound and (self._trimming is None):
            self._trimming = self._tasks.start(self._keep_bound(self._bound), "letting old messages go")

    def replaced(self, cursor: int) -> None:
        """The server has another log by now; the reader goes on after `cursor` in it."""
        self.log.forget()
        self.feed.start(cursor)

    def end(self, *, quietly: bool) -> None:
        """Nothing follows: a reader's loop ends, `quietly` or by the error that the gate is locked with."""
        self._ended = self._ended or quietly
        self.log.broken()
        self._more.set()

    def mend(self) -> None:
        """Begin to fill what is to be filled, if that is not going on."""
        if self._mending is None or self._mending.done():
            self._mending = self._tasks.start(self._fill_small_holes(), "filling holes")

    async def load_older(self, limit: int) -> bool:
        """Bring in what was said before the log begins; whether there is still more."""
        async with self._fetching:
            if self.kept is not None and self.log.has_older:
                found = await self.kept.load_older(limit, over_gaps=self._gate.value is None)
                if found is not None:
                    self._changed(found, False)
                    return self.log.has_older
            if self.log.has_older:
                await self._fetch(History(room=self.room, before=self.log.first, limit=min(limit, HISTORY_PAGE)))
        return self.log.has_older

    async def load_around(self, *, seq: int | None = None, at: int | None = None, limit: int) -> None:
        """Bring in what was said about a message, or a time (milliseconds since the epoch)."""
        async with self._fetching:
            if self._gate.value is None and seq is not None and seq in self.log:
                return
            if self._gate.value is None and self.kept is not None:
                found = await self.kept.load_around(seq=seq, at=at, limit=limit)
                if found is not None:
                    self._changed(found, False)
                    return
            await self._fetch(History(room=self.room, around=seq, at=at, limit=min(limit, HISTORY_PAGE)))

    async def trim(self, kept: int) -> bool:
        """Let the oldest messages go from memory, so that `kept` stay; whether any did."""
        if self.kept is not None:
            await self.kept.settled()
        return self.log.trim(kept)

    async def fill(self, gap: Gap, limit: int | None, *, oldest_first: bool) -> None:
        """Fetch what is missing in a gap, at most `limit` entries."""
        left = gap.missing if limit is None else limit
        while left > 0:
            async with self._fetching:
                parts = [part for part in self.log.gaps() if part.after >= gap.after and part.before <= gap.before]
                if not parts:
                    return
                part = parts[0] if oldest_first else parts[-1]
                size = min(HISTORY_PAGE, left, part.missing)
                if oldest_first:
                    request = History(room=self.room, after=part.after, limit=size)
                else:
                    request = History(room=self.room, before=part.before, limit=size)
                if not await self._fetch(request):
                    return
            left -= size

    async def next_entry(self) -> Entry | None:
        """What comes next for the reader, None when nothing does any more.

        Raises:
            ChatError: The room was lost.
        """
        while (entry := self.feed.take()) is None:
            if self._ended:
                return None
            if self._gate.locked or self.feed.end < self.log.last:
                await self._read_on()
            else:
                self._more.clear()
                await self._more.wait()
        return entry

    async def _keep_bound(self, bound: int) -> None:
        try:
            await self.trim(bound)
        finally:
            self._trimming = None

    def _changed(self, seqs: tuple[int, ...], live: bool) -> None:
        if self.kept is not None:
            self.kept.changed()
        self._report(seqs, live)

    async def _read_on(self) -> None:
        """Fetch what the reader is to get next, however long there is no connection."""
        try:
            await self._gate.passed()
            async with self._fetching:
                if self.feed.end < self.log.last:
                    await self._fetch(History(room=self.room, after=self.feed.end, limit=HISTORY_PAGE))
        except (Unavailable, NotJoined) as refusal:
            if self._ended or (isinstance(refusal, Unavailable) and not self._gate.locked):
                return
            raise

    async def _fill_small_holes(self) -> None:
        """Rule 2. It ends when nothing is missing, or a page brings nothing, or the server refuses."""
        progress = True
        while progress:
            async with self._fetching:
                request, live = self._wanted()
                if request is None:
                    return
                try:
                    progress = await self._fetch(request, live=live)
                except ChatError as refusal:
                    log.debug("a hole stays for now: %s", type(refusal).__name__)
                    return

    def _wanted(self) -> tuple[History | None, bool]:
        """What to ask for next, and whether it was said just now."""
        after = self.log.missing()
        if after is not None:
            return History(room=self.room, after=after, limit=HISTORY_PAGE), True
        for gap in reversed(self.log.gaps()):
            if gap.missing <= MENDED_MAX:
                return History(room=self.room, after=gap.after, limit=min(HISTORY_PAGE, gap.missing)), False
        return None, False

    async def _fetch(self, request: History, *, live: bool = False) -> bool:
        """Take a page into the log; whether it brought anything. `_fetching` must be held."""
        page = await self._link.ask(self._gate, request, HistoryPage, FETCH_TIMEOUT, patient=True)
        page = replace(page, messages=cleaning.entries(page.messages))
        known = (self.log.last, self.log.first, self.log.gaps(), self.feed.end)
        changed = self.log.page(page, request)
        self.feed.offer(sorted(page.messages, key=_seq))
        self._more.set()
        self._changed(changed, live)
        return known != (self.log.last, self.log.first, self.log.gaps(), self.feed.end)


def _seq(entry: Entry) -> int:
    return entry.seq
