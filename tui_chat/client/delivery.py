"""What was written into one room, sent in order, each once.

Rule 1  What is posted goes to disk first (`Outbox`), then to the server, and is
        taken off the disk when the server has it. Without a disk it is sent from
        memory, and that is told.
Rule 2  One posting of a room is on its way at a time: the next leaves when the
        one before it is acknowledged or refused for good. A server may refuse any one
        for a moment (`rate_limited`, `unavailable`), and had a later one left already,
        it would be taken and stand before it. Different rooms do not wait for each
        other.
Rule 3  What is refused for a moment waits as long as the server says, else longer
        each time; a lost connection is waited for. What is refused for good fails,
        says why, and stays until somebody retries or drops it; those behind it go on.
Rule 4  A repeat has the same `clientId`, so the server says it once. A change (an
        edit, a deletion, a reaction) has none, and needs none: what stands already is no entry.
Rule 5  A plain server says nothing twice for us (`plain`, rule 3): what goes there is
        doubtful on the disk before it leaves, is sent when it comes back, and failed
        when it does not. It is never repeated by itself, and nothing waits for it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace as with_fields

from server.protocol.answers import ChangeAccepted, SendResponse
from server.protocol.entries import Message
from server.protocol.errors import ChatError, InternalError, RateLimited, Unavailable
from server.protocol.requests import SendMessage
from tui_chat.client.errors import ConnectionLost, Doubtful, NotServed, OutboxFull
from tui_chat.client.events import Event, KeepingFailed, PostingChanged
from tui_chat.client.gate import Gate
from tui_chat.client.link import Link
from tui_chat.client.outbox import Outbox, Place
from tui_chat.client.plain import Echo, PlainTalk
from tui_chat.client.posting import DOUBT, Postable, Posting, PostState
from tui_chat.client.sqlite_file import StorageFault
from tui_chat.client.tasks import Tasks

if TYPE_CHECKING:
    from tui_chat.client.transport import Transport

log = logging.getLogger("chat.client")

WAITING_MAX = 10_000
"""Postings that one room holds."""
KEEP_PATIENCE = 5.0
"""Seconds that a disk may take before a posting is sent all the same."""
PAUSE = 0.5
PAUSE_MAX = 15.0
MISTAKES = 3
"""How often a server may make a mistake (`internal`) over one posting before that fails."""


class Delivery:
    """The postings of one room.

    Args:
        room: The room's name.
        place: Where and who one is, as the outbox has it; asked anew each time.
        outbox: Where postings are kept, None for memory alone.
        gate: Open with the connection on which the room is joined.
        new_id: Gives a new `clientId`.
        now_ms: Milliseconds since the epoch.
        talk: The way to speak to a plain server.
    """

    def __init__(
        self,
        room: str,
        place: Callable[[], Place],
        outbox: Outbox | None,
        *,
        gate: "Gate[Transport]",
        link: Link,
        tasks: Tasks,
        tell: Callable[[Event], None],
        new_id: Callable[[], UUID],
        now_ms: Callable[[], int],
        talk: PlainTalk,
    ) -> None:
        self.room = room
        self._place = place
        self._outbox = outbox
        self._gate = gate
        self._link = link
        self._tasks = tasks
        self._tell = tell
        self._new_id = new_id
        self._now_ms = now_ms
        self._talk = talk
        self._echoes: dict[UUID, Echo] = {}  # of what left for a plain server, and is pending or failed
        self._unanswered: set[UUID] = set()  # left for a chat server, which was lost before it answered
        self._postings: dict[UUID, Posting] = {}  # in the order they are sent
        self._keeping: dict[UUID, asyncio.Task[None]] = {}
        self._taking_off: set[asyncio.Task[None]] = set()
        self._forgotten: set[UUID] = set()  # done with, and perhaps on disk still
        self._on_its_way: UUID | None = None
        self._sending: asyncio.Task[None] | None = None
        self._told_unkept = False

    @property
    def unsent(self) -> tuple[Posting, ...]:
        """What is not sent, failed ones included, in order."""
        return tuple(self._postings.values())

    def post(self, make: Callable[[UUID], Postable]) -> Posting:
        """Take something to be sent; it is on its way when this returns.

        Args:
            make: Makes the request with this `clientId`.

        Raises:
            OutboxFull: Too many wait already.
            ChatError: It can never be sent.
        """
        client_id = self._new_id()
        request = make(client_id)
        if len(self._postings) >= WAITING_MAX:
            raise OutboxFull(f"{WAITING_MAX:,} messages wait to be sent already")
        posting = Posting(self.room, client_id, request, self._now_ms())
        self._set(posting)
        if self._outbox is not None:
            self._keeping[client_id] = self._tasks.start(self._keep(self._outbox, posting), "keeping what was written")
        self._go_on()
        return posting

    def retry(self, client_id: UUID) -> Posting:
        """Send a failed one anew, with a new `clientId`, behind what waits.

        Raises:
            KeyError: There is no failed one of this `clientId`.
        """
        failed = self._postings[client_id]
        if failed.state is not PostState.FAILED:
            raise KeyError(client_id)
        self.drop(client_id)
        return self.post(lambda new: _with_id(failed.request, new))

    def drop(self, client_id: UUID) -> Posting:
        """Take one away. One that was tried before, and not answered, may have been said all the same.

        Raises:
            KeyError: There is none of this `clientId`, or it is on its way.
        """
        echo = self._echoes.get(client_id)
        if client_id == self._on_its_way or (echo and self._postings[client_id].state is PostState.PENDING):
            raise KeyError(client_id)
        if echo is not None:
            self._talk.forget(self._echoes.pop(client_id))
        self._unanswered.discard(client_id)
        posting = replace(self._postings.pop(client_id), state=PostState.DROPPED)
        self._tell(PostingChanged(posting))
        self._forget(client_id)
        return posting

    async def take_over(self) -> None:
        """Bring in what an earlier program left, before what was written since."""
        if self._outbox is None:
            return
        try:
            found = await self._outbox.take_over(self._place(), self.room)
        except StorageFault as fault:
            self._unkept(fault)
            return
        known = self._postings.keys() | self._forgotten
        new = {posting.client_id: posting for posting in found if posting.client_id not in known}
        if new:
            self._postings = {**new, **self._postings}
            for posting in new.values():
                self._tell(PostingChanged(posting))
            self._go_on()

    async def settled(self) -> None:
        """Wait until the disk holds what is posted and not sent, as far as it can."""
        while waiting := {*self._keeping.values(), *self._taking_off}:
            await asyncio.wait(waiting)

    def _go_on(self) -> None:
        if self._sending is None or self._sending.done():
            self._sending = self._tasks.start(self._send_all(), "sending what was written")

    async def _send_all(self) -> None:
        failures = 0
        while (posting := self._next()) is not None:
            if (keeping := self._keeping.get(posting.client_id)) is not None:
                await asyncio.wait({keeping}, timeout=KEEP_PATIENCE)
            try:
                transport = await self._gate.passed()
            except ChatError:
                return  # the room is left; what waits is sent when it is entered again
            if self._next() is not self._postings.get(posting.client_id):
                continue  # it was dropped meanwhile, or something older came
            try:
                if transport.plain_room is not None:
                    await self._say(posting.client_id, transport)
                else:
                    failures = await self._send(posting.client_id, transport, failures)
            except ConnectionLost:
                self._gate.shut(transport)
                self._link.gate.shut(transport)

    async def _send(self, client_id: UUID, transport: "Transport", failures: int) -> int:
        """Send one; how often the one that is next was refused for a moment.

        Raises:
            ConnectionLost: Nobody knows whether it was said.
        """
        posting = self._postings[client_id]
        self._on_its_way = client_id
        try:
            done = await self._ask(posting, transport)
        except ConnectionLost:
            self._unanswered.add(client_id)
            raise
        except ChatError as refused:
            refusal = refused
        else:
            self._done(done)
            return 0
        finally:
            self._on_its_way = None
        if not _passes(refusal) or (isinstance(refusal, InternalError) and failures >= MISTAKES):
            await self._fail(posting, refusal)
            return 0
        pause = min(PAUSE_MAX, PAUSE * 2.0**failures)
        await asyncio.sleep(pause if refusal.retry_after is None else refusal.retry_after)
        return failures if isinstance(refusal, RateLimited) else failures + 1

    def _done(self, posting: Posting) -> None:
        del self._postings[posting.client_id]
        self._unanswered.discard(posting.client_id)
        self._tell(PostingChanged(posting))
        # The next one does not wait for the disk: a row that stays too long is a repeat, and known for one.
        self._forget(posting.client_id)

    async def _say(self, client_id: UUID, transport: "Transport") -> None:
        """Send one to a plain server (rule 5).

        Raises:
            ConnectionLost: It did not leave.
        """
        posting = self._postings[client_id]
        self._on_its_way = client_id
        try:
            if not isinstance(posting.request, SendMessage):
                await self._fail(posting, NotServed("this is a plain server: what was said cannot be changed"))
            elif client_id in self._unanswered or not await self._mark_doubtful(posting):
                await self._fail(posting, Doubtful(DOUBT))
            else:
                self._echoes[client_id] = await self._talk.say(
                    transport,
                    posting.request,
                    lambda message: self._came_back(client_id, message),
                    lambda: self._set(replace(self._postings[client_id], state=PostState.FAILED, problem=DOUBT)),
                )
        finally:
            self._on_its_way = None

    async def _mark_doubtful(self, posting: Posting) -> bool:
        """See to it that no later program sends it by itself; whether it may leave."""
        if self._outbox is None:
            return True
        doubting = self._outbox.fail(posting.client_id, DOUBT)
        if posting.client_id in self._keeping:  # a slow disk writes one after the other
            self._tasks.start(_whatever_comes(doubting), "keeping that something is doubtful")
            return True
        try:
            await doubting
        except StorageFault as fault:
            self._unkept(fault)
            return False
        return True

    def _came_back(self, client_id: UUID, message: Message) -> None:
        del self._echoes[client_id]
        posting = self._postings[client_id]
        self._done(replace(posting, state=PostState.SENT, problem="", seq=message.seq, said_at=message.ts))

    async def _ask(self, posting: Posting, transport: "Transport") -> Posting:
        if isinstance(posting.request, SendMessage):
            sent = await transport.request(posting.request, SendResponse)
            return replace(posting, state=PostState.SENT, seq=sent.seq, said_at=sent.ts)
        revised = await transport.request(posting.request, ChangeAccepted)
        return replace(posting, state=PostState.SENT, seq=revised.revision)

    async def _fail(self, posting: Posting, refusal: ChatError) -> None:
        self._set(replace(self._postings[posting.client_id], state=PostState.FAILED, problem=refusal.message))
        if self._outbox is not None:
            try:
                await self._outbox.fail(posting.client_id, refusal.message)
            except StorageFault as fault:
                self._unkept(fault)

    async def _keep(self, outbox: Outbox, posting: Posting) -> None:
        try:
            await outbox.keep(self._place(), posting)
        except StorageFault as fault:
            self._unkept(fault)
        else:
            self._told_unkept = False
            if posting.client_id in self._postings:
                self._set(replace(self._postings[posting.client_id], kept=True))
        finally:
            self._keeping.pop(posting.client_id, None)

    def _forget(self, client_id: UUID) -> None:
        if self._outbox is not None:
            self._forgotten.add(client_id)
            task = self._tasks.start(self._take_off(self._outbox, client_id), "taking something off the outbox")
            self._taking_off.add(task)
            task.add_done_callback(self._taking_off.discard)

    async def _take_off(self, outbox: Outbox, client_id: UUID) -> None:
        if (keeping := self._keeping.get(client_id)) is not None:
            await asyncio.wait({keeping})
        try:
            await outbox.forget(client_id)
        except StorageFault as fault:
            log.warning("something that was sent stays in the outbox for now: %s", fault.reason)
        else:
            self._forgotten.discard(client_id)

    def _next(self) -> Posting | None:
        waiting = (posting for posting in self._postings.values() if posting.state is PostState.PENDING)
        return next((posting for posting in waiting if posting.client_id not in self._echoes), None)

    def _set(self, posting: Posting) -> None:
        self._postings[posting.client_id] = posting
        self._tell(PostingChanged(posting))

    def _unkept(self, fault: StorageFault) -> None:
        log.warning("what is written cannot be kept: %s", fault.reason)
        if not self._told_unkept:
            self._told_unkept = True
            self._tell(KeepingFailed(f"What you write is sent, but would not survive the end of this: {fault.reason}"))


async def _whatever_comes(writing: Coroutine[None, None, None]) -> None:
    with suppress(StorageFault):  # then what it is about is not on the disk either
        await writing


def _passes(refusal: ChatError) -> bool:
    """Whether the same request may be taken later."""
    return isinstance(refusal, (RateLimited, Unavailable, InternalError))


def _with_id(request: Postable, client_id: UUID) -> Postable:
    return with_fields(request, client_id=client_id) if isinstance(request, SendMessage) else request
