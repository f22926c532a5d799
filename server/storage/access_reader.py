"""Reads of rooms and of the access of persons to rooms: policies, memberships and sanctions.

Equal work: a room that does not exist, and one that the requester may not see, take the same statements.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select

from server.domain.permissions import Policy
from server.domain.room_access import AccessState, Requester, RoomAccess, Sanction, derive_standing
from server.storage.tables import REMOVED, memberships, rooms, sanctions

_NO_ROOM = 0  # id that no room has

_select_room = select(rooms).where(rooms.c.key == bindparam("key"))
_select_rooms = (
    select(rooms, memberships.c.role)
    .select_from(
        rooms.outerjoin(
            memberships,
            and_(memberships.c.room_id == rooms.c.id, memberships.c.member_id == bindparam("member_id")),
        )
    )
    .where(rooms.c.key.in_(bindparam("keys", expanding=True)))
)
_select_sanctions = select(sanctions.c.room_id, sanctions.c.kind, sanctions.c.until).where(
    sanctions.c.room_id.in_(bindparam("room_ids", expanding=True)),
    or_(
        sanctions.c.member_id == bindparam("member_id"),
        and_(sanctions.c.kind == "ban", sanctions.c.address_hash == bindparam("address_hash")),
    ),
)


def find_room_row(connection: Connection, key: str) -> Row[Any] | None:
    """Return the row of the room with a canonical key, even of a removed room; None for an unknown key."""
    return connection.execute(_select_room, {"key": key}).one_or_none()


def read_access(connection: Connection, *, key: str, requester: Requester, now: int) -> AccessState:
    """Return the policy of one room and the standing of a person in the room, as `read_accesses`."""
    return read_accesses(connection, keys=(key,), requester=requester, now=now)[key]


def read_accesses(
    connection: Connection, *, keys: Collection[str], requester: Requester, now: int
) -> dict[str, AccessState]:
    """Return the policies of rooms and the standing of a person in each, by canonical key, one for each key.

    A room that does not exist, and a removed room, have the default policy. Expired sanctions are ignored.

    Args:
        requester: Person; bans of its `address_hash` count as bans of the person.
    """
    rows = connection.execute(_select_rooms, {"keys": list(keys), "member_id": requester.member_id}).all()
    found = connection.execute(
        _select_sanctions,
        {
            "room_ids": [row.id for row in rows] or [_NO_ROOM],
            "member_id": requester.member_id,
            "address_hash": requester.address_hash,
        },
    )
    sanctions_by_room: dict[int, list[Sanction]] = {}
    for room_id, kind, until in found:
        sanctions_by_room.setdefault(room_id, []).append(Sanction(kind, until))
    states = {key: AccessState(RoomAccess(), derive_standing(requester, None, [], now), None) for key in keys}
    for row in rows:
        standing = derive_standing(requester, row.role, sanctions_by_room.get(row.id, []), now)
        states[row.key] = AccessState(access_from_row(row), standing, row.role)
    return states


def read_restricted_keys(connection: Connection) -> list[str]:
    """Return the keys of all rooms with a `policy_seq` above 0, in any order, including removed rooms."""
    return list(connection.execute(select(rooms.c.key).where(rooms.c.policy_seq > 0)).scalars())


def read_banned_rooms(connection: Connection, requester: Requester, now: int) -> frozenset[int]:
    """Return the ids of the rooms with a ban of a person, or of the address of a guest, that has not expired."""
    in_effect = or_(sanctions.c.until.is_(None), sanctions.c.until > now)
    is_target = sanctions.c.member_id == requester.member_id
    if requester.address_hash is not None:
        is_target |= sanctions.c.address_hash == requester.address_hash
    statement = select(sanctions.c.room_id).where(sanctions.c.kind == "ban", in_effect, is_target)
    return frozenset(connection.execute(statement).scalars())


def access_from_row(row: Row[Any]) -> RoomAccess:
    """Return the access of a row of `rooms`.

    A removed room has the default policy, keeps its `policy_seq`, and is not stored (`RoomAccess.is_stored`).
    """
    if row.visibility == REMOVED:
        return RoomAccess(policy_seq=row.policy_seq)
    policy = Policy(
        visibility=row.visibility,
        speak=row.speak,
        guest_post=bool(row.guest_post),
        react=row.react,
        upload=row.upload,
        topic=row.topic_policy,
        invite=row.invite_policy,
        keep_days=row.keep_days,
        keep_messages=row.keep_messages,
        owned=bool(row.owned),
    )
    return RoomAccess(policy=policy, policy_seq=row.policy_seq, is_stored=True)
