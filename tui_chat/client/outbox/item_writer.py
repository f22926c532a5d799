"""Writes of the items of one room to the outbox.

- Background: methods that are no coroutines return before the write. `flush` waits for additions and deletions.
- Failures: each one is logged. `ProblemReported` reports the first one of the client, and the first one after a
  successful addition; failed deletions are only logged. The items remain in memory.
- No outbox: writes have no effect, `set_error` returns True, and `on_added` is not called.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from tui_chat.client.outbox.store import Outbox, OutboxScope, hash_identity
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.client.room_context import RoomContext
from tui_chat.client.storage.sqlite_file import log_failure
from tui_chat.protocol.errors import ChatError, Unavailable

OUTBOX_UNSAVED = "outbox_unsaved"
"""Reason of the problem after a failed access to the outbox."""
PERSIST_TIMEOUT = 5.0
"""Time limit of `wait_added`, in seconds."""


class OutboxItemWriter:
    """Writer of one room.

    Args:
        outbox: Persistent storage, None for memory only.
        on_added: Called with the id of an item that is on disk.
    """

    def __init__(self, context: RoomContext, outbox: Outbox | None, on_added: Callable[[UUID], None]) -> None:
        self._context = context
        self._outbox = outbox
        self._on_added = on_added
        self._adding: dict[UUID, asyncio.Task[None]] = {}
        self._deleting: dict[UUID, asyncio.Task[None]] = {}

    @property
    def deleting_ids(self) -> Collection[UUID]:
        """Ids of completed items whose rows may be on disk."""
        return self._deleting.keys()

    def is_adding(self, client_id: UUID) -> bool:
        """Return whether the addition of an item is in progress."""
        return client_id in self._adding

    def add(self, item: OutboxItem) -> None:
        """Write a new item in the background; `on_added` follows a success."""
        if self._outbox is not None:
            add = self._add(self._outbox, item)
            self._adding[item.client_id] = self._context.client.tasks.start(add, "outbox write")

    async def wait_added(self, client_id: UUID) -> None:
        """Wait for the end of the addition of an item, successful or not, at most `PERSIST_TIMEOUT` seconds."""
        if (add_task := self._adding.get(client_id)) is not None:
            await asyncio.wait({add_task}, timeout=PERSIST_TIMEOUT)

    def delete(self, client_id: UUID) -> None:
        """Delete an acknowledged or dropped item in the background, after its addition.

        `deleting_ids` contains the id until a success.
        """
        if self._outbox is not None:
            delete = self._delete(self._outbox, client_id)
            self._deleting[client_id] = self._context.client.tasks.start(delete, "outbox deletion")

    async def set_error(self, client_id: UUID, error: ChatError | None) -> bool:
        """Store the error of an item, or clear it; return whether the write succeeded."""
        return self._outbox is None or await self._attempt(self._outbox.set_error(client_id, error))

    def start_set_error(self, client_id: UUID, error: ChatError | None) -> None:
        """Store the error of an item in the background."""
        self._context.client.tasks.start(self.set_error(client_id, error), "outbox update")

    def set_files(self, item: OutboxItem) -> None:
        """Store the files of an item in the background."""
        if self._outbox is not None:
            write = self._attempt(self._outbox.set_files(item.client_id, item.files))
            self._context.client.tasks.start(write, "outbox update")

    def rename_room(self, old_key: str) -> None:
        """Store the current name of the room for all items in the background; `old_key` is the previous key."""
        if self._outbox is not None:
            write = self._attempt(self._outbox.rename_room(self._context.client.url, old_key, self._context.key))
            self._context.client.tasks.start(write, "outbox update")

    async def claim_orphans(self) -> list[OutboxItem]:
        """Return the items of this process and of ended processes (`Outbox.claim_orphans`), none after a failure."""
        if self._outbox is None:
            return []
        try:
            return await self._outbox.claim_orphans(self._scope, self._context.name)
        except Exception as error:
            self._report_failure(error)
            return []

    async def flush(self) -> None:
        """Wait without a time limit until all items are added and deleted, successfully or not."""
        while tasks := {task for task in (*self._adding.values(), *self._deleting.values()) if not task.done()}:
            await asyncio.wait(tasks)

    @property
    def _scope(self) -> OutboxScope:
        room, client = self._context, self._context.client
        return OutboxScope(client.url, room.key, hash_identity(client.identity), room.nick_key)

    async def _add(self, outbox: Outbox, item: OutboxItem) -> None:
        """Write an item; after a success, call `on_added` and report the next failure again."""
        try:
            if await self._attempt(outbox.add(self._scope, item)):
                self._context.client.reported_reasons.discard(OUTBOX_UNSAVED)
                self._on_added(item.client_id)
        finally:
            self._adding.pop(item.client_id, None)

    async def _delete(self, outbox: Outbox, client_id: UUID) -> None:
        """Delete an item after its addition; after a failure, which is logged, `deleting_ids` still contains the id."""
        if (add_task := self._adding.get(client_id)) is not None:
            await asyncio.wait({add_task})
        try:
            await outbox.delete(client_id)
        except Exception as error:
            log_failure("outbox", error)  # a stored item is sent again, with its `clientId`
        else:
            del self._deleting[client_id]

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
