"""Ordered delivery of the outbox items of one room.

- Persistence: an item is written to the outbox, sent, and deleted after the acknowledgement. If
  the write fails, the item is sent from memory, and `ProblemReported` reports the first failure and the first one after
  a success.
- Order: one item per room is in flight. A server may reject an item temporarily
  (`rate_limited`, `unavailable`); a successor in flight would overtake that item. Rooms are independent.
- Retries: a temporary error is retried after the delay of `RetryPolicy`, a lost connection after
  the reconnect. Any other error sets the state `FAILED` until `retry` or `drop`; later items continue.
- Idempotency: a resent message has its original `clientId`, also after `retry`. Changes (edit, deletion, reaction)
  need none, because a change without effect creates no entry.
- Basic servers: a message is marked as failed on disk before the send, becomes `SENT` with the
  echo and `FAILED` without. No automatic resend (`tui_chat.client.net.basic_server`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace as with_fields

from tui_chat.client.errors import ConnectionLost, DeliveryUnknown, OutboxFull, UnsupportedByServer
from tui_chat.client.events import OutboxItemChanged
from tui_chat.client.net.basic_server import BasicServer, ExpectedEcho
from tui_chat.client.outbox.retry_policy import RetryPolicy
from tui_chat.client.outbox.store import Outbox, OutboxScope, hash_identity
from tui_chat.client.outbox_item import UNCONFIRMED, OutboxItem, OutboxItemState, OutboxRequest
from tui_chat.client.room_context import RoomContext
from tui_chat.client.storage.sqlite_file import log_failure
from tui_chat.protocol.errors import ChatError, InternalError, NotJoined, Unavailable
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import ChangeAccepted, SendResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

MAX_QUEUED_ITEMS = 10_000
"""Item limit of one room."""
CLIENT_ID_IN_USE = "client_id_in_use"
"""Reason of the error of a message whose `clientId` belongs to another member."""
OUTBOX_UNSAVED = "outbox_unsaved"
"""Reason of the problem after a failed access to the outbox."""
PERSIST_TIMEOUT = 5.0
"""Time limit of the outbox write before an item is sent, in seconds."""


class OutboxSender:
    """Send queue of one room.

    Args:
        context: Identity and connection of the room.
        outbox: Persistent storage, None for memory only.
        basic_server: Adapter for basic servers.
        sleep: Function that waits for a number of seconds.
    """

    def __init__(
        self,
        context: RoomContext,
        outbox: Outbox | None,
        basic_server: BasicServer,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._context = context
        self._outbox = outbox
        self._basic_server = basic_server
        self._sleep = sleep
        self._expected_echoes: dict[UUID, ExpectedEcho] = {}  # basic servers only; item pending or failed
        self._unacknowledged: set[UUID] = set()  # sent to a chat server whose connection closed before the response
        self._items: dict[UUID, OutboxItem] = {}  # in send order
        self._retry_policy = RetryPolicy()
        self._persisting: dict[UUID, asyncio.Task[None]] = {}
        self._deleting: dict[UUID, asyncio.Task[None]] = {}  # completed, row possibly still on disk
        self._in_flight: UUID | None = None
        self._send_task: asyncio.Task[None] | None = None

    @property
    def unsent(self) -> tuple[OutboxItem, ...]:
        """Pending and failed items in send order."""
        return tuple(self._items.values())

    def post(self, request: OutboxRequest) -> OutboxItem:
        """Queue a request at the end and start the delivery in the background.

        Emits `OutboxItemChanged`. The call does not wait for the disk; `persisted` follows in a later event.

        Args:
            request: Request to send, with a new `clientId`.

        Returns:
            The pending item.

        Raises:
            NotJoined: The room is closed.
            OutboxFull: The room has `MAX_QUEUED_ITEMS` pending or failed items.
        """
        if self._context.gate.has_failed:
            raise NotJoined("outbox_room_left")
        if len(self._items) >= MAX_QUEUED_ITEMS:
            raise OutboxFull("outbox_full", count=MAX_QUEUED_ITEMS)
        client_id = self._context.client.new_id()
        request = with_fields(request, client_id=client_id)
        item = OutboxItem(self._context.name, client_id, request, self._context.client.now_ms())
        self._update(item)
        if self._outbox is not None:
            self._persisting[client_id] = self._context.client.tasks.start(
                self._persist(self._outbox, item), "outbox write"
            )
        self._start_sending()
        return item

    def retry(self, client_id: UUID) -> OutboxItem:
        """Send a failed item again at its position in the queue.

        The item keeps its `clientId`, so that a message that the server stored despite the error is not stored twice.
        Only after `CLIENT_ID_IN_USE`, a new item at the end of the queue replaces the failed one, which is dropped.
        Emits `OutboxItemChanged` for each.

        Returns:
            The pending item.

        Raises:
            KeyError: No failed item has this id.
            NotJoined, OutboxFull: No new item can replace the failed one, which remains.
        """
        failed_item = self._items[client_id]
        if failed_item.state is not OutboxItemState.FAILED:
            raise KeyError(client_id)
        if failed_item.error is not None and failed_item.error.reason == CLIENT_ID_IN_USE:
            new_item = self.post(failed_item.request)
            self.drop(client_id)
            return new_item
        if client_id in self._expected_echoes:
            self._basic_server.cancel_echo(self._expected_echoes.pop(client_id))
        self._unacknowledged.discard(client_id)
        item = replace(failed_item, state=OutboxItemState.PENDING, error=None)
        self._update(item)
        if self._outbox is not None:
            self._context.client.tasks.start(self._attempt(self._outbox.set_error(client_id, None)), "outbox update")
        self._start_sending()
        return item

    def drop(self, client_id: UUID) -> OutboxItem:
        """Remove an item. The delivery of an item that was sent before is unknown.

        Emits `OutboxItemChanged`. A message that awaits its echo counts as in flight.

        Returns:
            The removed item.

        Raises:
            KeyError: No item has this id, or the item is in flight.
        """
        echo = self._expected_echoes.get(client_id)
        if client_id == self._in_flight or (echo and self._items[client_id].state is OutboxItemState.PENDING):
            raise KeyError(client_id)
        if echo is not None:
            self._basic_server.cancel_echo(self._expected_echoes.pop(client_id))
        self._unacknowledged.discard(client_id)
        item = replace(self._items.pop(client_id), state=OutboxItemState.DROPPED)
        self._context.client.emit(OutboxItemChanged(item))
        self._start_delete(client_id)
        return item

    async def claim_orphans(self) -> None:
        """Load the items of ended processes ahead of the items of this process and resume the delivery.

        Emits `OutboxItemChanged` for each new item. A storage error is reported, not raised.
        """
        if self._outbox is None:
            return
        try:
            orphans = await self._outbox.claim_orphans(self._scope, self._context.name)
        except Exception as error:
            self._report_failure(error)
            return
        known_ids = self._items.keys() | self._deleting.keys()
        new_items = {item.client_id: item for item in orphans if item.client_id not in known_ids}
        if new_items:
            self._items = {**new_items, **self._items}
            for item in new_items.values():
                self._context.client.emit(OutboxItemChanged(item))
            self._start_sending()

    def resume(self) -> None:
        """Continue the delivery after a join; no effect without items."""
        if self._items:
            self._start_sending()

    async def flush(self) -> None:
        """Wait until all items are added to and deleted from the outbox, successfully or not; no time limit.

        The write of an error state is not awaited.
        """
        while tasks := {task for task in (*self._persisting.values(), *self._deleting.values()) if not task.done()}:
            await asyncio.wait(tasks)

    @property
    def _scope(self) -> OutboxScope:
        room, client = self._context, self._context.client
        return OutboxScope(client.url, room.key, hash_identity(client.identity), room.nick_key)

    def _start_sending(self) -> None:
        if self._send_task is None or self._send_task.done():
            self._send_task = self._context.client.tasks.supervise(self._send_all, "outbox delivery")

    async def _send_all(self) -> None:
        while (item := self._next_item()) is not None:
            if (persist_task := self._persisting.get(item.client_id)) is not None:
                await asyncio.wait({persist_task}, timeout=PERSIST_TIMEOUT)
            try:
                transport = await self._context.gate.wait()
            except ChatError:
                return  # the room is closed, or the token was rejected
            current_item = self._next_item()
            if current_item is None or current_item.client_id != item.client_id:
                continue  # the item was dropped, or orphaned items were inserted before
            send = self._send if transport.basic_room is None else self._send_basic
            try:
                await send(current_item, transport)
            except ConnectionLost:
                self._context.gate.clear(transport)
                self._context.client.connector.gate.clear(transport)
            except Exception as error:
                self._context.client.tasks.report("outbox delivery", error)
                await self._fail(item, InternalError("client_error"))

    async def _send(self, item: OutboxItem, transport: "Transport") -> None:
        """Send one item to a chat server, apply the outcome, and wait before a retry.

        Raises:
            ConnectionLost: The outcome is unknown.
        """
        self._in_flight = item.client_id
        try:
            sent_item = await self._request(item, transport)
        except ConnectionLost:
            self._unacknowledged.add(item.client_id)
            raise
        except ChatError as chat_error:
            error = chat_error
        else:
            self._retry_policy.reset()
            self._on_sent(sent_item)
            return
        finally:
            self._in_flight = None
        delay = self._retry_policy.next_delay(item.client_id, error)
        if delay is None:
            await self._fail(item, error)
        else:
            await self._sleep(delay)

    def _on_sent(self, item: OutboxItem) -> None:
        del self._items[item.client_id]
        self._unacknowledged.discard(item.client_id)
        self._context.client.emit(OutboxItemChanged(item))
        # No wait for the disk: the server detects the repeat of a row that is still stored after a crash.
        self._start_delete(item.client_id)

    async def _send_basic(self, item: OutboxItem, transport: "Transport") -> None:
        """Send one item to a basic server, without a wait for the echo.

        An item that may not be sent fails: a change, a message with an earlier send, or one that the disk cannot mark.

        Raises:
            ConnectionLost: The item was not sent.
        """
        client_id = self._in_flight = item.client_id
        try:
            if not isinstance(item.request, SendMessage):
                await self._fail(item, UnsupportedByServer("basic_server_no_changes"))
            elif client_id in self._unacknowledged or not await self._mark_unconfirmed(item):
                await self._fail(item, DeliveryUnknown(UNCONFIRMED))
            else:
                self._expected_echoes[client_id] = await self._basic_server.send_with_callbacks(
                    transport.send,
                    item.request,
                    lambda message: self._on_echo(client_id, message),
                    lambda: self._set_failed(client_id, DeliveryUnknown(UNCONFIRMED)),
                )
        finally:
            self._in_flight = None

    async def _mark_unconfirmed(self, item: OutboxItem) -> bool:
        """Exclude an item from automatic resends by later processes.

        Returns:
            True if the item may be sent; False if the mark cannot be stored.
        """
        if self._outbox is None:
            return True
        mark_write = self._attempt(self._outbox.set_error(item.client_id, DeliveryUnknown(UNCONFIRMED)))
        if item.client_id in self._persisting:  # the disk is slow, and writes keep their order
            self._context.client.tasks.start(mark_write, "outbox update")
            return True
        return await mark_write

    def _on_echo(self, client_id: UUID, message: Message) -> None:
        del self._expected_echoes[client_id]
        item = self._items[client_id]
        self._on_sent(replace(item, state=OutboxItemState.SENT, error=None, seq=message.seq, server_ts=message.ts))

    async def _request(self, item: OutboxItem, transport: "Transport") -> OutboxItem:
        if isinstance(item.request, SendMessage):
            response = await transport.request(item.request, SendResponse)
            return replace(item, state=OutboxItemState.SENT, seq=response.seq, server_ts=response.ts)
        change_response = await transport.request(item.request, ChangeAccepted)
        return replace(item, state=OutboxItemState.SENT, seq=change_response.revision)

    async def _fail(self, item: OutboxItem, error: ChatError) -> None:
        if item.client_id in self._items:
            self._set_failed(item.client_id, error.copy())
        if self._outbox is not None:
            await self._attempt(self._outbox.set_error(item.client_id, error))

    def _set_failed(self, client_id: UUID, error: ChatError) -> None:
        self._update(replace(self._items[client_id], state=OutboxItemState.FAILED, error=error))

    async def _persist(self, outbox: Outbox, item: OutboxItem) -> None:
        try:
            if await self._attempt(outbox.add(self._scope, item)):
                self._context.client.reported_reasons.discard(OUTBOX_UNSAVED)
                if item.client_id in self._items:
                    self._update(replace(self._items[item.client_id], persisted=True))
        finally:
            self._persisting.pop(item.client_id, None)

    def _start_delete(self, client_id: UUID) -> None:
        if self._outbox is not None:
            delete = self._delete(self._outbox, client_id)
            self._deleting[client_id] = self._context.client.tasks.start(delete, "outbox deletion")

    async def _delete(self, outbox: Outbox, client_id: UUID) -> None:
        if (persist_task := self._persisting.get(client_id)) is not None:
            await asyncio.wait({persist_task})
        try:
            await outbox.delete(client_id)
        except Exception as error:
            log_failure("outbox", error)  # a stored item is sent again, with its `clientId`
        else:
            del self._deleting[client_id]

    def _next_item(self) -> OutboxItem | None:
        pending_items = (item for item in self._items.values() if item.state is OutboxItemState.PENDING)
        return next((item for item in pending_items if item.client_id not in self._expected_echoes), None)

    def _update(self, item: OutboxItem) -> None:
        self._items[item.client_id] = item
        self._context.client.emit(OutboxItemChanged(item))

    async def _attempt(self, write: Awaitable[None]) -> bool:
        """Return whether a write succeeded; a failure is logged and reported."""
        try:
            await write
        except Exception as error:
            self._report_failure(error)
            return False
        return True

    def _report_failure(self, error: Exception) -> None:
        log_failure("outbox", error)
        self._context.client.report_once(Unavailable(OUTBOX_UNSAVED, problem=str(error)))
