"""Reads for moderation: members, authors, recent messages and the audit of a room."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, literal_column, or_, select

from server.domain.room_access import AccessState, Requester
from server.storage.access_reader import find_room_row, read_access
from server.storage.executor import Executor, TransactionRunner
from server.storage.row_mapping import entry_from_row
from server.storage.search import find_first_seq
from server.storage.tables import entries, is_audited, memberships, sanctions
from tui_chat.protocol import responses
from tui_chat.protocol.events import MemberRef

_EXAMINED_ENTRIES = 10_000  # newest entries that are searched for a former member without a membership

_identity = (entries.c.member_id, entries.c.nick_name, entries.c.account)
_is_message = and_(entries.c.room_id == bindparam("room"), entries.c.kind == literal_column("'message'"))
_target_entries = entries.alias("targets")
_select_audited = (
    select(entries)
    .select_from(
        entries.outerjoin(
            _target_entries,
            and_(_target_entries.c.room_id == entries.c.room_id, _target_entries.c.seq == entries.c.target),
        )
    )
    .where(
        entries.c.room_id == bindparam("room"),
        entries.c.seq < bindparam("before"),
        is_audited,
        or_(entries.c.kind != "delete", _target_entries.c.member_id != entries.c.member_id),
        *(entries.c.text.not_like(f'%"action":"{action}"%') for action in ("joined", "left", "invited")),
    )
    .order_by(entries.c.seq.desc())
    .limit(bindparam("limit"))
)


class TargetState(NamedTuple):
    """Target of an action: its access, and its last known names, or None for a person unknown to the room."""

    state: AccessState
    member: MemberRef | None


class ModerationReader:
    """Reader for moderation; all methods raise `Unavailable` if the database is not readable."""

    def __init__(self, readers: Executor, clock: Callable[[], int]) -> None:
        self._reads = TransactionRunner.for_reads(readers, "moderation data")
        self._clock = clock

    async def find_target(self, room_key: str, target: Requester) -> TargetState:
        """Return the target of an action, with its names from the durable members, the sanctions or the log of a room.

        These sources have this priority; expired sanctions count too, and of the log, the newest `_EXAMINED_ENTRIES`
        entries are searched.

        Args:
            target: Identity of the target, without `address_hash`; a ban of an address alone is not considered.
        """
        return await self._reads.run(partial(_find_target, key=room_key, target=target, now=self._clock()))

    async def find_author(self, room_key: str, seq: int) -> MemberRef | None:
        """Return the author of a message, even of a deleted one; None for an unknown room or message."""
        return await self._reads.run(partial(_find_author, key=room_key, seq=seq))

    async def list_messages(self, room_key: str, member_id: str, since: int, after: int, limit: int) -> list[int]:
        """Return the `seq` of messages of a member that are not deleted, in ascending order; empty for an unknown room.

        Args:
            since: Time of the earliest message, in milliseconds since the epoch.
            after: Exclusive lower bound of `seq`.
        """
        return await self._reads.run(
            partial(_list_messages, key=room_key, member_id=member_id, since=since, after=after, limit=limit)
        )

    async def read_audit(self, room_key: str, before: int, limit: int) -> responses.HistoryPage:
        """Return the newest audited entries of a room before a `seq`, in ascending order.

        The audited entries are policy changes, member changes other than joins, leaves and invitations, and deletions
        of messages of other members, until retention removes these messages. An unknown room has an empty page with an
        empty `log_id`.

        Args:
            before: Exclusive upper bound of `seq`.
        """
        return await self._reads.run(partial(_read_audit, key=room_key, before=before, limit=limit))


def _find_target(connection: Connection, *, key: str, target: Requester, now: int) -> TargetState:
    state = read_access(connection, key=key, requester=target, now=now)
    room = find_room_row(connection, key)
    if room is None:
        return TargetState(state, None)
    for table in (memberships, sanctions):
        names = select(table.c.member_id, table.c.nick_name, table.c.account)
        in_room = names.where(table.c.room_id == room.id, table.c.member_id == target.member_id)
        if (row := connection.execute(in_room.limit(1)).first()) is not None:
            return TargetState(state, MemberRef(*row))
    newest = (
        select(*_identity)
        .where(entries.c.room_id == room.id, entries.c.seq > room.last_seq - _EXAMINED_ENTRIES)
        .where(entries.c.member_id == target.member_id)
        .order_by(entries.c.seq.desc())
        .limit(1)
    )
    row = connection.execute(newest).first()
    return TargetState(state, None if row is None else MemberRef(*row))


def _find_author(connection: Connection, *, key: str, seq: int) -> MemberRef | None:
    room = find_room_row(connection, key)
    if room is None:
        return None
    row = connection.execute(select(*_identity).where(_is_message, entries.c.seq == seq), {"room": room.id}).first()
    return None if row is None else MemberRef(*row)


def _list_messages(
    connection: Connection, *, key: str, member_id: str, since: int, after: int, limit: int
) -> list[int]:
    room = find_room_row(connection, key)
    if room is None:
        return []
    first = max(after + 1, find_first_seq(connection, room, entries.c.ts, since))
    of_member = (
        select(entries.c.seq)
        .where(_is_message, entries.c.seq >= first, entries.c.member_id == member_id)
        .where(entries.c.deleted.is_(False))
        .order_by(entries.c.seq)
        .limit(limit)
    )
    return list(connection.execute(of_member, {"room": room.id}).scalars())


def _read_audit(connection: Connection, *, key: str, before: int, limit: int) -> responses.HistoryPage:
    room = find_room_row(connection, key)
    if room is None:
        return responses.HistoryPage(messages=[], has_more=False, log_id="", first_seq=1, last_seq=0)
    values = {"room": room.id, "before": before, "limit": limit + 1}
    rows = connection.execute(_select_audited, values).all()
    return responses.HistoryPage(
        messages=[entry_from_row(room.name, row) for row in reversed(rows[:limit])],
        has_more=len(rows) > limit,
        log_id=room.log_id,
        first_seq=room.first_seq,
        last_seq=room.last_seq,
    )
