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

from tui_chat.client.errors import ConnectionLost, DeliveryUnknown, OutboxFull, UnsupportedByServer
from tui_chat.client.events import ClientEvent, OutboxItemChanged, PersistenceFailed
from tui_chat.client.net.basic_server import BasicServer, ExpectedEcho
from tui_chat.client.net.connector import Connector
from tui_chat.client.net.gate import Gate
from tui_chat.client.outbox.item import UNCONFIRMED_REASON, OutboxItem, OutboxItemState, OutboxRequest
from tui_chat.client.outbox.store import Outbox, OutboxScope
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.client.task_set import TaskSet
from tui_chat.protocol.errors import ChatError, InternalError, RateLimited, Unavailable
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import ChangeAccepted, SendResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

log = logging.getLogger("chat.client")

MAX_QUEUED_ITEMS = 10_000
"""Postings that one room holds."""
PERSIST_TIMEOUT = 5.0
"""Seconds that a disk may take before a posting is sent all the same."""
RETRY_DELAY = 0.5
MAX_RETRY_DELAY = 15.0
MAX_INTERNAL_ERRORS = 3
"""How often a server may make a mistake (`internal`) over one posting before that fails."""


class OutboxSender:
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
        get_scope: Callable[[], OutboxScope],
        outbox: Outbox | None,
        *,
        gate: "Gate[Transport]",
        connector: Connector,
        tasks: TaskSet,
        emit: Callable[[ClientEvent], None],
        new_id: Callable[[], UUID],
        now_ms: Callable[[], int],
        basic_server: BasicServer,
    ) -> None:
        self.room = room
        self._get_scope = get_scope
        self._outbox = outbox
        self._gate = gate
        self._connector = connector
        self._tasks = tasks
        self._emit = emit
        self._new_id = new_id
        self._now_ms = now_ms
        self._basic_server = basic_server
        self._expected_echoes: dict[
            UUID, ExpectedEcho
        ] = {}  # of what left for a plain server, and is pending or failed
        self._unacknowledged: set[UUID] = set()  # left for a chat server, which was lost before it answered
        self._items: dict[UUID, OutboxItem] = {}  # in the order they are sent
        self._persisting: dict[UUID, asyncio.Task[None]] = {}
        self._delete_tasks: set[asyncio.Task[None]] = set()
        self._deleting: set[UUID] = set()  # done with, and perhaps on disk still
        self._in_flight: UUID | None = None
        self._send_task: asyncio.Task[None] | None = None
        self._failure_reported = False

    @property
    def unsent(self) -> tuple[OutboxItem, ...]:
        """What is not sent, failed ones included, in order."""
        return tuple(self._items.values())

    def post(self, make_request: Callable[[UUID], OutboxRequest]) -> OutboxItem:
        """Take something to be sent; it is on its way when this returns.

        Args:
            make: Makes the request with this `clientId`.

        Raises:
            OutboxFull: Too many wait already.
            ChatError: It can never be sent.
        """
        client_id = self._new_id()
        request = make_request(client_id)
        if len(self._items) >= MAX_QUEUED_ITEMS:
            raise OutboxFull(f"{MAX_QUEUED_ITEMS:,} messages wait to be sent already")
        item = OutboxItem(self.room, client_id, request, self._now_ms())
        self._update(item)
        if self._outbox is not None:
            self._persisting[client_id] = self._tasks.start(
                self._persist(self._outbox, item), "keeping what was written"
            )
        self._start_sending()
        return item

    def retry(self, client_id: UUID) -> OutboxItem:
        """Send a failed one anew, with a new `clientId`, behind what waits.

        Raises:
            KeyError: There is no failed one of this `clientId`.
        """
        failed_item = self._items[client_id]
        if failed_item.state is not OutboxItemState.FAILED:
            raise KeyError(client_id)
        self.drop(client_id)
        return self.post(lambda new_client_id: _with_client_id(failed_item.request, new_client_id))

    def drop(self, client_id: UUID) -> OutboxItem:
        """Take one away. One that was tried before, and not answered, may have been said all the same.

        Raises:
            KeyError: There is none of this `clientId`, or it is on its way.
        """
        echo = self._expected_echoes.get(client_id)
        if client_id == self._in_flight or (echo and self._items[client_id].state is OutboxItemState.PENDING):
            raise KeyError(client_id)
        if echo is not None:
            self._basic_server.cancel_echo(self._expected_echoes.pop(client_id))
        self._unacknowledged.discard(client_id)
        item = replace(self._items.pop(client_id), state=OutboxItemState.DROPPED)
        self._emit(OutboxItemChanged(item))
        self._start_delete(client_id)
        return item

    async def claim_orphans(self) -> None:
        """Bring in what an earlier program left, before what was written since."""
        if self._outbox is None:
            return
        try:
            orphans = await self._outbox.claim_orphans(self._get_scope(), self.room)
        except LocalStorageError as error:
            self._report_failure(error)
            return
        known_ids = self._items.keys() | self._deleting
        new_items = {item.client_id: item for item in orphans if item.client_id not in known_ids}
        if new_items:
            self._items = {**new_items, **self._items}
            for posting in new_items.values():
                self._emit(OutboxItemChanged(posting))
            self._start_sending()

    async def flush(self) -> None:
        """Wait until the disk holds what is posted and not sent, as far as it can."""
        while tasks := {*self._persisting.values(), *self._delete_tasks}:
            await asyncio.wait(tasks)

    def _start_sending(self) -> None:
        if self._send_task is None or self._send_task.done():
            self._send_task = self._tasks.start(self._send_all(), "sending what was written")

    async def _send_all(self) -> None:
        failures = 0
        while (item := self._next_item()) is not None:
            if (persist_task := self._persisting.get(item.client_id)) is not None:
                await asyncio.wait({persist_task}, timeout=PERSIST_TIMEOUT)
            try:
                transport = await self._gate.wait()
            except ChatError:
                return  # the room is left; what waits is sent when it is entered again
            if self._next_item() is not self._items.get(item.client_id):
                continue  # it was dropped meanwhile, or something older came
            try:
                if transport.basic_room is not None:
                    await self._send_basic(item.client_id, transport)
                else:
                    failures = await self._send(item.client_id, transport, failures)
            except ConnectionLost:
                self._gate.clear(transport)
                self._connector.gate.clear(transport)

    async def _send(self, client_id: UUID, transport: "Transport", failures: int) -> int:
        """Send one; how often the one that is next was refused for a moment.

        Raises:
            ConnectionLost: Nobody knows whether it was said.
        """
        item = self._items[client_id]
        self._in_flight = client_id
        try:
            sent_item = await self._request(item, transport)
        except ConnectionLost:
            self._unacknowledged.add(client_id)
            raise
        except ChatError as caught:
            error = caught
        else:
            self._on_sent(sent_item)
            return 0
        finally:
            self._in_flight = None
        if not _is_transient(error) or (isinstance(error, InternalError) and failures >= MAX_INTERNAL_ERRORS):
            await self._fail(item, error)
            return 0
        delay = min(MAX_RETRY_DELAY, RETRY_DELAY * 2.0**failures)
        await asyncio.sleep(delay if error.retry_after is None else error.retry_after)
        return failures if isinstance(error, RateLimited) else failures + 1

    def _on_sent(self, item: OutboxItem) -> None:
        del self._items[item.client_id]
        self._unacknowledged.discard(item.client_id)
        self._emit(OutboxItemChanged(item))
        # The next one does not wait for the disk: a row that stays too long is a repeat, and known for one.
        self._start_delete(item.client_id)

    async def _send_basic(self, client_id: UUID, transport: "Transport") -> None:
        """Send one to a plain server (rule 5).

        Raises:
            ConnectionLost: It did not leave.
        """
        item = self._items[client_id]
        self._in_flight = client_id
        try:
            if not isinstance(item.request, SendMessage):
                await self._fail(item, UnsupportedByServer("this is a plain server: what was said cannot be changed"))
            elif client_id in self._unacknowledged or not await self._mark_unconfirmed(item):
                await self._fail(item, DeliveryUnknown(UNCONFIRMED_REASON))
            else:
                self._expected_echoes[client_id] = await self._basic_server.send_with_callbacks(
                    transport,
                    item.request,
                    lambda message: self._on_echo(client_id, message),
                    lambda: self._update(
                        replace(self._items[client_id], state=OutboxItemState.FAILED, problem=UNCONFIRMED_REASON)
                    ),
                )
        finally:
            self._in_flight = None

    async def _mark_unconfirmed(self, item: OutboxItem) -> bool:
        """See to it that no later program sends it by itself; whether it may leave."""
        if self._outbox is None:
            return True
        marking = self._outbox.mark_failed(item.client_id, UNCONFIRMED_REASON)
        if item.client_id in self._persisting:  # a slow disk writes one after the other
            self._tasks.start(_ignore_storage_error(marking), "keeping that something is doubtful")
            return True
        try:
            await marking
        except LocalStorageError as error:
            self._report_failure(error)
            return False
        return True

    def _on_echo(self, client_id: UUID, message: Message) -> None:
        del self._expected_echoes[client_id]
        item = self._items[client_id]
        self._on_sent(replace(item, state=OutboxItemState.SENT, problem="", seq=message.seq, server_ts=message.ts))

    async def _request(self, item: OutboxItem, transport: "Transport") -> OutboxItem:
        if isinstance(item.request, SendMessage):
            response = await transport.request(item.request, SendResponse)
            return replace(item, state=OutboxItemState.SENT, seq=response.seq, server_ts=response.ts)
        change_response = await transport.request(item.request, ChangeAccepted)
        return replace(item, state=OutboxItemState.SENT, seq=change_response.revision)

    async def _fail(self, item: OutboxItem, error: ChatError) -> None:
        self._update(replace(self._items[item.client_id], state=OutboxItemState.FAILED, problem=error.message))
        if self._outbox is not None:
            try:
                await self._outbox.mark_failed(item.client_id, error.message)
            except LocalStorageError as storage_error:
                self._report_failure(storage_error)

    async def _persist(self, outbox: Outbox, item: OutboxItem) -> None:
        try:
            await outbox.add(self._get_scope(), item)
        except LocalStorageError as error:
            self._report_failure(error)
        else:
            self._failure_reported = False
            if item.client_id in self._items:
                self._update(replace(self._items[item.client_id], persisted=True))
        finally:
            self._persisting.pop(item.client_id, None)

    def _start_delete(self, client_id: UUID) -> None:
        if self._outbox is not None:
            self._deleting.add(client_id)
            task = self._tasks.start(self._delete(self._outbox, client_id), "taking something off the outbox")
            self._delete_tasks.add(task)
            task.add_done_callback(self._delete_tasks.discard)

    async def _delete(self, outbox: Outbox, client_id: UUID) -> None:
        if (persist_task := self._persisting.get(client_id)) is not None:
            await asyncio.wait({persist_task})
        try:
            await outbox.delete(client_id)
        except LocalStorageError as error:
            log.warning("something that was sent stays in the outbox for now: %s", error.reason)
        else:
            self._deleting.discard(client_id)

    def _next_item(self) -> OutboxItem | None:
        pending_items = (posting for posting in self._items.values() if posting.state is OutboxItemState.PENDING)
        return next((posting for posting in pending_items if posting.client_id not in self._expected_echoes), None)

    def _update(self, item: OutboxItem) -> None:
        self._items[item.client_id] = item
        self._emit(OutboxItemChanged(item))

    def _report_failure(self, error: LocalStorageError) -> None:
        log.warning("what is written cannot be kept: %s", error.reason)
        if not self._failure_reported:
            self._failure_reported = True
            self._emit(
                PersistenceFailed(f"What you write is sent, but would not survive the end of this: {error.reason}")
            )


async def _ignore_storage_error(write: Coroutine[None, None, None]) -> None:
    with suppress(LocalStorageError):  # then what it is about is not on the disk either
        await write


def _is_transient(error: ChatError) -> bool:
    """Whether the same request may be taken later."""
    return isinstance(error, (RateLimited, Unavailable, InternalError))


def _with_client_id(request: OutboxRequest, client_id: UUID) -> OutboxRequest:
    return with_fields(request, client_id=client_id) if isinstance(request, SendMessage) else request
