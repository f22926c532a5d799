"""Durable memberships of one account, with their read markers."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, or_, select

from server.storage.read_markers import READ_COLUMNS, to_read_state
from server.storage.tables import memberships, rooms, sanctions
from tui_chat.protocol.events import MemberRef
from tui_chat.protocol.responses import OwnRoom

_MAX_BYTES = 768 * 1024  # below the smallest permitted send queue of a connection
_ROOM_BYTES = 512  # estimated size of a room without members of a direct room
_MEMBER_BYTES = 256  # estimated size of a member of a direct room
_NO_END = 0  # `mutedUntil` of a mute without end


def read_memberships(connection: Connection, *, member_id: str, now: int) -> list[OwnRoom]:
    """Return the rooms of an account, latest activity first, up to an estimated size of `_MAX_BYTES`.

    Args:
        now: Current time in milliseconds since the epoch; expired mutes are ignored.
    """
    is_muted = and_(
        sanctions.c.room_id == rooms.c.id,
        sanctions.c.member_id == memberships.c.member_id,
        sanctions.c.kind == "mute",
        or_(sanctions.c.until.is_(None), sanctions.c.until > now),
    )
    statement = (
        select(
            *(rooms.c[name] for name in ("id", "name", "title", "last_seq", "visibility")),
            memberships.c.role,
            sanctions.c.kind.label("sanction"),
            sanctions.c.until,
            *READ_COLUMNS,
        )
        .select_from(memberships)
        .join(rooms, rooms.c.id == memberships.c.room_id)
        .outerjoin(sanctions, is_muted)
        .where(memberships.c.member_id == member_id)
        .order_by(rooms.c.active_at.desc(), rooms.c.id.desc())
        .limit(_MAX_BYTES // _ROOM_BYTES)
    )
    rows = connection.execute(statement).all()
    direct_ids = [row.id for row in rows if row.visibility == "direct"]
    others = _read_others(connection, direct_ids, member_id) if direct_ids else {}
    own_rooms: list[OwnRoom] = []
    size = 0
    for row in rows:
        size += _ROOM_BYTES + _MEMBER_BYTES * len(others.get(row.id, ()))
        if size > _MAX_BYTES:
            break
        own_rooms.append(
            OwnRoom(
                name=row.name,
                role=row.role,
                last_seq=row.last_seq,
                read=to_read_state(row),
                title=row.title or None,
                direct=others.get(row.id),
                muted_until=None if row.sanction is None else row.until or _NO_END,
            )
        )
    return own_rooms


def _read_others(connection: Connection, room_ids: Collection[int], member_id: str) -> dict[int, list[MemberRef]]:
    """Return the durable members other than `member_id` by room, an empty list for a room without any."""
    rows = connection.execute(
        select(*(memberships.c[name] for name in ("room_id", "member_id", "nick_name", "account")))
        .where(memberships.c.room_id.in_(room_ids), memberships.c.member_id != member_id)
        .order_by(memberships.c.room_id, memberships.c.member_id)
    )
    members: dict[int, list[MemberRef]] = {room_id: [] for room_id in room_ids}
    for row in rows:
        ref = MemberRef(member_id=row.member_id, nick_name=row.nick_name, account=row.account)
        members[row.room_id].append(ref)
    return members
