"""Ordered delivery of the outbox items of one room.

- Persistence: an item is written to the outbox, sent, and deleted after the acknowledgement. If
  the write fails, the item is sent from memory (`tui_chat.client.outbox.item_writer`).
- Order: one item per room is in flight. A server may reject an item temporarily
  (`rate_limited`, `unavailable`); a successor in flight would overtake that item. Rooms are independent.
- Files: a message is sent after the uploads of its files (`tui_chat.client.outbox.uploads`). Uploads that the server
  removed meanwhile are repeated once, and once more after `retry`.
- Retries: a temporary error is retried after the delay of `RetryPolicy`, a lost connection after
  the reconnect. Any other error sets the state `FAILED` until `retry` or `drop`; later items continue.
- Idempotency: a resent request has its original `clientId`, even after `retry`.
- Basic servers: a message is marked as failed on disk before the send, becomes `SENT` with the
  echo and `FAILED` without. No automatic resend (`tui_chat.client.net.basic_server`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace as with_fields

from tui_chat.client.errors import ConnectionLost, DeliveryUnknown, OutboxFull, UnsupportedByServer
from tui_chat.client.events import OutboxItemChanged
from tui_chat.client.net.basic_server import BasicServer, ExpectedEcho
from tui_chat.client.outbox.item_writer import OutboxItemWriter
from tui_chat.client.outbox.retry_policy import RetryPolicy
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.outbox.uploads import DeliverFile, OutboxUploads
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.outbox_item import UNCONFIRMED, OutboxItem, OutboxItemState, OutboxRequest
from tui_chat.client.room_context import RoomContext
from tui_chat.protocol.errors import ChatError, InternalError, NotJoined
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import ChangeAccepted, SendResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

MAX_QUEUED_ITEMS = 10_000
"""Item limit of one room."""
CLIENT_ID_IN_USE = "client_id_in_use"
"""Reason of the error of a message whose `clientId` belongs to another member."""
UPLOAD_NOT_FOUND = "upload_not_found"
"""Reason of the error of a message with an unknown upload."""


class OutboxSender:
    """Send queue of one room.

    Args:
        outbox: Persistent storage, None for memory only.
        basic_server: Adapter for basic servers.
        deliver: Function that uploads a file.
        sleep: Function that waits for a number of seconds.
    """

    def __init__(
        self,
        context: RoomContext,
        outbox: Outbox | None,
        basic_server: BasicServer,
        *,
        deliver: DeliverFile,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._context = context
        self._writer = OutboxItemWriter(context, outbox, self._on_added)
        self._basic_server = basic_server
        self._sleep = sleep
        self._expected_echoes: dict[UUID, ExpectedEcho] = {}  # basic servers only; item pending or failed
        self._unacknowledged: set[UUID] = set()  # sent to a chat server whose connection closed before the response
        self._items: dict[UUID, OutboxItem] = {}  # in send order
        self._retry_policy = RetryPolicy()
        self._in_flight: UUID | None = None
        self._uploads = OutboxUploads(
            context,
            deliver,
            next_item=self._next_upload,
            on_changed=self._on_upload_changed,
            on_failed=self._on_upload_failed,
        )
        self._uploaded_again: set[UUID] = set()
        self._send_task: asyncio.Task[None] | None = None

    @property
    def unsent(self) -> tuple[OutboxItem, ...]:
        """Pending and failed items in send order."""
        return tuple(self._items.values())

    def post(self, request: OutboxRequest, files: Sequence[OutboxFile] = ()) -> OutboxItem:
        """Queue a request at the end with a new `clientId`, and start the delivery in the background.

        Emits `OutboxItemChanged`, and again with `persisted` after the write.

        Args:
            request: Request to send.
            files: Files of a message, which has as many `attachments`.

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
        item = OutboxItem(self._context.name, client_id, request, self._context.client.now_ms(), files=tuple(files))
        self._update(item)
        self._writer.add(item)
        self._start_sending()
        return item

    def retry(self, client_id: UUID) -> OutboxItem:
        """Send a failed item again, as documented for `Room.retry`.

        The item keeps its `clientId`, so that a message that the server stored despite the error is not stored twice.
        """
        failed_item = self._items[client_id]
        if failed_item.state is not OutboxItemState.FAILED:
            raise KeyError(client_id)
        if failed_item.error is not None and failed_item.error.reason == CLIENT_ID_IN_USE:
            new_item = self.post(failed_item.request, failed_item.files)
            self.drop(client_id)
            return new_item
        if client_id in self._expected_echoes:
            self._basic_server.cancel_echo(self._expected_echoes.pop(client_id))
        self._unacknowledged.discard(client_id)
        self._uploaded_again.discard(client_id)
        files = tuple(map(OutboxFile.refreshed, failed_item.files))
        item = replace(failed_item, state=OutboxItemState.PENDING, error=None, files=files)
        self._update(item)
        if files != failed_item.files:
            self._writer.set_files(item)
        self._writer.start_set_error(client_id, None)
        self._start_sending()
        return item

    def drop(self, client_id: UUID) -> OutboxItem:
        """Remove an item, as documented for `Room.drop`. A message that awaits its echo counts as in flight."""
        echo, is_pending = self._expected_echoes.get(client_id), self._items[client_id].state is OutboxItemState.PENDING
        if is_pending and (echo is not None or client_id == self._in_flight):
            raise KeyError(client_id)
        if echo is not None:
            self._basic_server.cancel_echo(self._expected_echoes.pop(client_id))
        self._unacknowledged.discard(client_id)
        self._uploaded_again.discard(client_id)
        self._uploads.discard(client_id)
        item = replace(self._items.pop(client_id), state=OutboxItemState.DROPPED)
        self._context.client.emit(OutboxItemChanged(item))
        self._writer.delete(client_id)
        return item

    async def claim_orphans(self) -> None:
        """Queue the stored items of this process and of ended ones ahead of all known ones, and resume the delivery.

        Emits `OutboxItemChanged` for each new item, failed ones included. A storage error is reported, not raised.
        """
        orphans = await self._writer.claim_orphans()
        known_ids = self._items.keys() | self._writer.deleting_ids
        new_items = {item.client_id: item for item in orphans if item.client_id not in known_ids}
        if new_items:
            self._items = {**new_items, **self._items}
            for item in new_items.values():
                self._context.client.emit(OutboxItemChanged(item))
            self._start_sending()

    def on_room_renamed(self, old_key: str) -> None:
        """Store the current name of the room for all items; `old_key` is the previous key."""
        self._writer.rename_room(old_key)

    def resume(self) -> None:
        """Continue the delivery after a join; no effect without items."""
        if self._items:
            self._start_sending()

    async def flush(self) -> None:
        """Wait for the writes of the outbox, as `OutboxItemWriter.flush`."""
        await self._writer.flush()

    def _start_sending(self) -> None:
        self._uploads.start()
        if self._send_task is None or self._send_task.done():
            self._send_task = self._context.client.tasks.supervise(self._send_all, "outbox delivery")

    async def _send_all(self) -> None:
        """Send the pending items in order until none remains, the room closes, or the server rejects the token.

        An unexpected exception is reported and fails the item.
        """
        while (item := self._next_item()) is not None:
            await self._writer.wait_added(item.client_id)
            try:
                transport = await self._context.gate.wait()
            except ChatError:
                return  # the room is closed, or the token was rejected
            current_item = self._next_item()
            if current_item is None or current_item.client_id != item.client_id:
                continue  # the item was dropped, or orphaned items were inserted before
            if self._uploads.delays(current_item) and transport.basic_room is None:
                await self._uploads.wait(current_item)
                continue
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
        """Send one item to a chat server; remove the item, upload its files again, set its error, or wait to retry.

        After a `ConnectionLost`, which is raised, the outcome is unknown.
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
        if self._upload_again(item, error):
            return
        delay = self._retry_policy.next_delay(item.client_id, error)
        if delay is None:
            await self._fail(item, error)
        else:
            await self._sleep(delay)

    def _on_sent(self, item: OutboxItem) -> None:
        """Remove an acknowledged item, emit `OutboxItemChanged`, and delete the item from the outbox."""
        del self._items[item.client_id]
        self._unacknowledged.discard(item.client_id)
        self._uploaded_again.discard(item.client_id)
        self._uploads.discard(item.client_id)
        self._context.client.emit(OutboxItemChanged(item))
        # No wait for the disk: the server detects the repeat of a row that is still stored after a crash.
        self._writer.delete(item.client_id)

    def _upload_again(self, item: OutboxItem, error: ChatError) -> bool:
        """Start a second upload of the files of a message after `UPLOAD_NOT_FOUND`; return whether it was started.

        Only once per item, and only if all files can be uploaded again. The server removes uploads without a message
        after an hour, and those of another identity are not found.
        """
        is_first = item.client_id not in self._uploaded_again and item.client_id in self._items
        if error.reason != UPLOAD_NOT_FOUND or not is_first or not all(file.has_content for file in item.files):
            return False
        self._uploaded_again.add(item.client_id)
        files = tuple(with_fields(file, upload_id=None) for file in item.files)
        self._on_upload_changed(replace(item, files=files))
        return True

    async def _send_basic(self, item: OutboxItem, transport: "Transport") -> None:
        """Send one item to a basic server, without a wait for the echo; raise `ConnectionLost` if it was not sent.

        An item that may not be sent fails: a change, or a message with files, with an earlier send, or without a mark
        on disk.
        """
        client_id = self._in_flight = item.client_id
        try:
            if not isinstance(item.request, SendMessage):
                await self._fail(item, UnsupportedByServer("basic_server_no_changes"))
            elif item.files:
                await self._fail(item, UnsupportedByServer("uploads_unsupported"))
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
        """Exclude an item from automatic resends by later processes; return False if the mark cannot be stored.

        While the addition of the item is in progress, the mark is written later, and the result is True.
        """
        error = DeliveryUnknown(UNCONFIRMED)
        if self._writer.is_adding(item.client_id):  # the disk is slow, and writes keep their order
            self._writer.start_set_error(item.client_id, error)
            return True
        return await self._writer.set_error(item.client_id, error)

    def _on_echo(self, client_id: UUID, message: Message) -> None:
        del self._expected_echoes[client_id]
        item = self._items[client_id]
        self._on_sent(replace(item, state=OutboxItemState.SENT, error=None, seq=message.seq, server_ts=message.ts))

    async def _request(self, item: OutboxItem, transport: "Transport") -> OutboxItem:
        """Send the request of an item with its uploads and return the item as `SENT`; raise as `Transport.request`.

        The room is addressed by its current name.
        """
        request = with_fields(item.request, room=self._context.name)
        if isinstance(request, SendMessage):
            upload_ids = [file.upload_id or "" for file in item.files] or None
            response = await transport.request(with_fields(request, attachments=upload_ids), SendResponse)
            return replace(item, state=OutboxItemState.SENT, seq=response.seq, server_ts=response.ts)
        change_response = await transport.request(request, ChangeAccepted)
        return replace(item, state=OutboxItemState.SENT, seq=change_response.revision)

    async def _fail(self, item: OutboxItem, error: ChatError) -> None:
        """Set the state `FAILED` unless the item was removed, and store the error in the outbox."""
        if item.client_id in self._items:
            self._set_failed(item.client_id, error.copy())
        await self._writer.set_error(item.client_id, error)

    def _set_failed(self, client_id: UUID, error: ChatError) -> None:
        self._update(replace(self._items[client_id], state=OutboxItemState.FAILED, error=error))

    def _next_upload(self) -> OutboxItem | None:
        pending_items = (item for item in self._items.values() if item.state is OutboxItemState.PENDING)
        return next((item for item in pending_items if item.needs_upload), None)

    def _on_upload_changed(self, item: OutboxItem) -> None:
        """Apply progress and uploads of an item, unless the item was removed or failed meanwhile.

        New uploads are stored in the outbox and continue the delivery.
        """
        current = self._items.get(item.client_id)
        if current is None or current.state is not OutboxItemState.PENDING:
            return
        updated = replace(current, files=item.files, uploaded=item.uploaded)
        self._update(updated)
        if updated.files != current.files:
            self._writer.set_files(updated)
            self._start_sending()

    async def _on_upload_failed(self, client_id: UUID, error: ChatError) -> None:
        if client_id in self._items:
            await self._fail(self._items[client_id], error)

    def _on_added(self, client_id: UUID) -> None:
        if client_id in self._items:
            self._update(replace(self._items[client_id], persisted=True))

    def _next_item(self) -> OutboxItem | None:
        """Return the first pending item, without items that await their echo or were overtaken during their uploads."""
        pending_items = (item for item in self._items.values() if item.state is OutboxItemState.PENDING)
        return next(
            (
                item
                for item in pending_items
                if item.client_id not in self._expected_echoes and not self._uploads.is_overtaken(item)
            ),
            None,
        )

    def _update(self, item: OutboxItem) -> None:
        self._items[item.client_id] = item
        self._context.client.emit(OutboxItemChanged(item))
