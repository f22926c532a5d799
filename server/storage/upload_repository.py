"""Uploads in the database: states, references and quotas (`server.domain.uploads.UploadState`).

- References: an upload is in use while a message refers to it or it is pinned. `server.storage.batch_attachments` and
  `server.storage.retention` write the references.
- Quota: removed uploads count for a day.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update

from server.domain.uploads import Upload, UploadState
from server.storage.executor import Executor, TransactionRunner
from server.storage.tables import DELETED, REMOVED, attachments, rooms, uploads

UNUSED_MS = 3600 * 1000
"""Lifetime of an upload that no message has referred to, in milliseconds."""

QUOTA_PERIOD_MS = 24 * 3600 * 1000
"""Period of the daily quota in milliseconds."""

_SLICE = 100  # uploads that one call expires or removes

_is_referenced = exists().where(attachments.c.upload_id == uploads.c.id)


class FoundUpload(NamedTuple):
    """Upload with the state of its references.

    Attributes:
        room_key: Canonical key of the room whose messages refer to the upload; None without such a message, and in a
            deleted or removed room.
    """

    upload: Upload
    room_key: str | None


class UploadUsage(NamedTuple):
    """Bytes of uploads: of one owner within `QUOTA_PERIOD_MS`, including removed ones, and of all in storage.

    Uploads with the state `pending` do not count, because the bytes of running uploads are reserved in memory.
    """

    daily: int
    total: int


class UploadRepository:
    """Repository of uploads; all methods raise `Unavailable` if the database fails."""

    def __init__(self, writer: Executor, readers: Executor, clock: Callable[[], int]) -> None:
        self._writes = TransactionRunner.for_writes(writer, "uploads")
        self._reads = TransactionRunner.for_reads(readers, "uploads")
        self._clock = clock

    async def read_usage(self, quota_key: str) -> UploadUsage:
        """Return the bytes of one owner and of all uploads."""
        return await self._reads.run(partial(_read_usage, quota_key=quota_key, since=self._clock() - QUOTA_PERIOD_MS))

    async def create(self, upload: Upload, quota_key: str) -> None:
        """Store a new upload, which counts for the daily quota of `quota_key` once it is no longer `pending`."""
        values = {name: getattr(upload, name) for name in upload.__struct_fields__}
        await self._writes.run(
            lambda connection: connection.execute(uploads.insert().values(quota_key=quota_key, **values))
        )

    async def set_state(self, upload_id: str, state: UploadState) -> None:
        """Set the state of an upload; without effect for an unknown id."""
        statement = update(uploads).where(uploads.c.id == upload_id).values(state=state)
        await self._writes.run(lambda connection: connection.execute(statement))

    async def unpin(self, upload_id: str) -> None:
        """Remove the pin of an upload, so that it is in use only with a message; without effect for an unknown id."""
        statement = update(uploads).where(uploads.c.id == upload_id).values(is_pinned=False)
        await self._writes.run(lambda connection: connection.execute(statement))

    async def find(self, upload_ids: Collection[str]) -> dict[str, FoundUpload]:
        """Return the uploads with the state `ready` among the given ids, by id."""
        return await self._reads.run(partial(_find, upload_ids=upload_ids))

    async def expire_unused(self) -> int:
        """Expire unpinned uploads without a reference: after the loss of the last one, or at the age of `UNUSED_MS`.

        Returns:
            Number of expired uploads, at most `_SLICE`; further ones need another call.
        """
        cutoff = self._clock() - UNUSED_MS
        unused = await self._reads.run(partial(_list_unused, cutoff=cutoff))
        if not unused:
            return 0
        return await self._writes.run(partial(_expire, upload_ids=unused, cutoff=cutoff))

    async def list_expired(self, after_id: str) -> list[Upload]:
        """Return at most `_SLICE` uploads with the state `expired` and an id above `after_id`, in the order of ids."""
        is_next = (uploads.c.state == "expired", uploads.c.id > after_id)
        statement = select(uploads).where(*is_next).order_by(uploads.c.id).limit(_SLICE)
        rows = await self._reads.run(lambda connection: connection.execute(statement).mappings().all())
        return [upload_from_row(row) for row in rows]

    async def delete_removed(self) -> None:
        """Delete removed uploads that no longer count for a daily quota."""
        statement = delete(uploads).where(
            uploads.c.state == "removed", uploads.c.created_at <= self._clock() - QUOTA_PERIOD_MS
        )
        await self._writes.run(lambda connection: connection.execute(statement))


def upload_from_row(row: Mapping[Any, Any]) -> Upload:
    """Return the upload of a row of `uploads`."""
    values: dict[str, Any] = {name: row[name] for name in Upload.__struct_fields__}
    values |= {name: bool(row[name]) for name in ("has_preview", "is_pinned")}
    return Upload(**values)


def _read_usage(connection: Connection, *, quota_key: str, since: int) -> UploadUsage:
    size = func.coalesce(func.sum(uploads.c.size), 0)
    daily = connection.execute(
        select(size).where(uploads.c.quota_key == quota_key, uploads.c.created_at > since, uploads.c.state != "pending")
    ).scalar_one()
    total = connection.execute(select(size).where(uploads.c.state.not_in(("pending", "removed")))).scalar_one()
    return UploadUsage(int(daily), int(total))


def _find(connection: Connection, *, upload_ids: Collection[str]) -> dict[str, FoundUpload]:
    room = and_(rooms.c.id == uploads.c.room_id, rooms.c.visibility.not_in((DELETED, REMOVED)), _is_referenced)
    statement = (
        select(uploads, rooms.c.key)
        .select_from(uploads.outerjoin(rooms, room))
        .where(uploads.c.id.in_(upload_ids), uploads.c.state == "ready")
    )
    rows = connection.execute(statement).mappings()
    return {row["id"]: FoundUpload(upload_from_row(row), row["key"]) for row in rows}


def _is_unused(cutoff: int) -> Any:
    """Return the condition of unpinned uploads without a reference that had one or were created until `cutoff`."""
    return and_(
        uploads.c.state.in_(("pending", "ready")),
        uploads.c.is_pinned.is_(False),
        or_(uploads.c.room_id.is_not(None), uploads.c.created_at <= cutoff),
        ~_is_referenced,
    )


def _list_unused(connection: Connection, *, cutoff: int) -> Sequence[str]:
    return connection.execute(select(uploads.c.id).where(_is_unused(cutoff)).limit(_SLICE)).scalars().all()


def _expire(connection: Connection, *, upload_ids: Sequence[str], cutoff: int) -> int:
    """Expire the uploads that are still unused, and return their number; their rows are locked for the check.

    A message may have attached an upload since the read of the ids.
    """
    locked = select(uploads.c.id).where(uploads.c.id.in_(upload_ids)).order_by(uploads.c.id).with_for_update()
    connection.execute(locked).all()
    statement = update(uploads).where(uploads.c.id.in_(upload_ids), _is_unused(cutoff)).values(state="expired")
    return connection.execute(statement).rowcount
