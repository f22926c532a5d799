"""Durable effects of commands on memberships, sanctions and policies, in the transaction of their entry.

- Order: each function checks first and writes afterwards, so a rejected command has no effect.
- Ownership: no command other than a kick or ban removes the last owner of a room.
- Locks: the caller has locked the row of the room, so that its changes are sequential on all nodes.
"""

from typing import Any, NamedTuple

from msgspec import structs
from sqlalchemy import Connection, and_, delete, func, or_, select, update

from server.domain.log_commands import (
    REVOKING_ACTIONS,
    AccessCommand,
    AppendCreation,
    AppendMemberChange,
    AppendPolicyChange,
    to_member_ref,
)
from server.domain.room_access import SanctionKind
from server.storage.batch_rooms import BatchRoom
from server.storage.group_tables import groups
from server.storage.hook_repository import change_hook
from server.storage.invite_repository import change_invite
from server.storage.statements import get_insert_construct
from server.storage.tables import PUBLIC, REMOVED, invites, memberships, rooms, sanctions
from tui_chat.protocol.errors import Conflict, Forbidden, NotFound
from tui_chat.protocol.events import MemberChange, MemberRef, PolicyChange
from tui_chat.protocol.policies import PolicyFields
from tui_chat.protocol.search_query import fold

_COLUMNS_BY_FIELD = {
    **{name: name for name in ("visibility", "speak", "guest_post", "react", "upload")},
    **{"topic_role": "topic_policy", "invite_role": "invite_policy"},
}
_SANCTIONS_BY_ACTION: dict[str, SanctionKind] = {"banned": "ban", "unbanned": "ban", "muted": "mute", "unmuted": "mute"}


class AccessEffect(NamedTuple):
    """Effect of a command.

    Attributes:
        entry_type: Type of the entry.
        fields: Fields of the entry other than the common ones.
        is_noop: The command changed nothing.
        is_revoking: The command may revoke a permission.
    """

    entry_type: type[MemberChange] | type[PolicyChange]
    fields: dict[str, Any]
    is_noop: bool
    is_revoking: bool


def apply_access_change(connection: Connection, room: BatchRoom, command: AccessCommand, now: int) -> AccessEffect:
    """Write the rows of a command other than its entry, and return its effect.

    The entry of a creation is the join of its author. A creation and a policy change are revoking in any case, a member
    change if its action is one of `REVOKING_ACTIONS`. A member change to the current state, and a policy change without
    fields, write nothing and are no-ops.

    Args:
        room: Locked room; a missing one only for a command that cannot create it.

    Raises:
        NotFound: The room is missing. For `joined`: the invite or code is invalid, or the room is private or direct
            and the target is banned or has neither invite nor code.
        Forbidden: The target of `joined` is banned from a visible room.
        Conflict: The room to create, or a direct room of its members, exists; the new name is taken; the last owner
            leaves or gets another role; or the room has a webhook with the same name or too many webhooks.
    """
    if not room.id:
        raise NotFound("room_not_found")
    author = to_member_ref(command.author)
    match command:
        case AppendCreation():
            _create_room(connection, room, command, now)
            role = "owner" if command.direct_key is None else None
            fields = {"action": "joined", "target": author, "by": author, "role": role}
            return AccessEffect(MemberChange, fields, is_noop=False, is_revoking=True)
        case AppendMemberChange():
            has_effect = _change_member(connection, room, command, now)
            fields = {name: getattr(command, name) for name in ("action", "target", "until", "reason", "role")}
            is_revoking = command.action in REVOKING_ACTIONS
            return AccessEffect(MemberChange, {**fields, "by": author}, not has_effect, is_revoking)
        case AppendPolicyChange(new_room=new_room):
            has_effect = _change_policy(connection, room, command)
            fields = structs.asdict(command.changes)
            fields |= {"title": command.title, "new_name": None if new_room is None else new_room.name}
            return AccessEffect(PolicyChange, fields, not has_effect, is_revoking=True)


def _change_member(connection: Connection, room: BatchRoom, command: AppendMemberChange, now: int) -> bool:
    """Apply a member change, and return whether it has an effect.

    Kicks, bans and mutes always have an effect, changes to the current state none. The join of a durable member
    consumes no invite, and is not checked for a ban.

    Raises:
        NotFound, Forbidden, Conflict: As `apply_access_change`.
    """
    role = connection.execute(
        select(memberships.c.role).where(
            memberships.c.room_id == room.id, memberships.c.member_id == command.target.member_id
        )
    ).scalar_one_or_none()
    match command.action:
        case "joined" | "invited":
            if role is not None:
                return False
            if command.action == "joined":
                _admit(connection, room, command, now)
            _add_member(connection, room, command.target, "member", now)
        case "left":
            return _end_membership(connection, room, command.target.member_id, role)
        case "kicked":
            _delete_member(connection, room, command.target.member_id)
        case "banned" | "muted":
            if command.action == "banned":
                _delete_member(connection, room, command.target.member_id)
            _set_sanction(connection, room.id, command)
        case "unbanned" | "unmuted":
            return _delete_sanction(connection, room.id, command)
        case "role":
            return _set_role(connection, room, command, role, now)
        case "hookCreated" | "hookRevoked":
            return change_hook(connection, room.id, command, now)
        case "inviteCreated" | "inviteRevoked":
            return change_invite(connection, room.id, command, now)
    return True


def _change_policy(connection: Connection, room: BatchRoom, command: AppendPolicyChange) -> bool:
    """Write the given fields of a policy change, and return whether any field was given, even with its current value.

    Raises:
        Conflict: Another room has the new name, even a removed room.
    """
    values = _to_columns(command.changes)
    if command.title is not None:
        values["title"] = command.title
    if command.new_room is not None:
        key = command.new_room.key
        if connection.execute(select(rooms.c.id).where(rooms.c.key == key, rooms.c.id != room.id)).first() is not None:
            raise Conflict("room_exists")
        values |= {"key": key, "name": command.new_room.name}
    if values:
        connection.execute(update(rooms).where(rooms.c.id == room.id).values(**values))
    return bool(values)


def _create_room(connection: Connection, room: BatchRoom, command: AppendCreation, now: int) -> None:
    """Write names, topic and policy of a new or removed room, and add its author as owner and its other members.

    The author of a direct room is a member without the role of an owner. Fields of the policy that are None keep the
    values of the row.

    Raises:
        Conflict: The room exists or has entries of this batch; or another direct room has the same members, after which
            the row of the new room is deleted.
    """
    if room.entry_count or not (room.is_new or room.visibility == REMOVED):
        raise Conflict("room_exists")
    is_direct = command.direct_key is not None
    if is_direct and connection.execute(select(rooms.c.id).where(rooms.c.direct_key == command.direct_key)).first():
        connection.execute(delete(rooms).where(rooms.c.id == room.id))  # without entries, created for this command
        room.id = 0
        raise Conflict("room_exists")
    values = {
        **{"name": command.room.name, "title": command.title, "topic": command.topic, "topic_key": fold(command.topic)},
        **{"visibility": PUBLIC, "created_at": now, "owned": not is_direct, "direct_key": command.direct_key},
        **_to_columns(command.policy),
    }
    connection.execute(update(rooms).where(rooms.c.id == room.id).values(**values))
    room.name = command.room.name
    _add_member(connection, room, to_member_ref(command.author), "member" if is_direct else "owner", now)
    for member in command.members:
        _add_member(connection, room, member, "member", now)


def _to_columns(fields: PolicyFields) -> dict[str, Any]:
    """Return the columns of the fields of a policy that are not None."""
    values = {column: getattr(fields, name) for name, column in _COLUMNS_BY_FIELD.items()}
    keep = {} if fields.keep is None else {"keep_days": fields.keep.days, "keep_messages": fields.keep.messages}
    return {column: value for column, value in values.items() if value is not None} | keep


def _admit(connection: Connection, room: BatchRoom, command: AppendMemberChange, now: int) -> None:
    """Check the join of a person without a membership, and consume one use of the invite.

    A reusable code takes precedence over an invite, and is not consumed.

    Raises:
        NotFound, Forbidden: As `apply_access_change`.
    """
    is_visible = room.visibility not in ("private", "direct")
    ban = connection.execute(
        select(sanctions.c.kind).where(
            sanctions.c.room_id == room.id,
            sanctions.c.kind == "ban",
            sanctions.c.member_id == command.target.member_id,
            or_(sanctions.c.until.is_(None), sanctions.c.until > now),
        )
    ).first()
    if ban is not None:
        raise Forbidden("member_banned") if is_visible else NotFound("room_not_found")
    if command.reusable_code is not None:
        is_current = and_(groups.c.room_id == room.id, groups.c.invite_code == command.reusable_code)
        if connection.execute(select(groups.c.room_id).where(is_current)).first() is None:
            raise NotFound("room_not_found")
    elif command.invite_digest is None:
        if not is_visible:
            raise NotFound("room_not_found")
    elif not connection.execute(
        update(invites)
        .where(
            invites.c.digest == command.invite_digest,
            invites.c.room_id == room.id,
            invites.c.uses_left > 0,
            invites.c.expires_at > now,
        )
        .values(uses_left=invites.c.uses_left - 1)
    ).rowcount:
        raise NotFound("room_not_found")


def _add_member(connection: Connection, room: BatchRoom, member: MemberRef, role: str, now: int) -> None:
    """Insert a membership, with the entry of the command as read marker: earlier messages count as read."""
    room.member_ids.add(member.member_id)
    connection.execute(
        memberships.insert().values(
            room_id=room.id,
            member_id=member.member_id,
            account=member.account,
            nick_name=member.nick_name,
            role=role,
            joined_at=now,
            read_seq=room.last_seq + 1,
            read_n=room.last_n,
        )
    )


def _end_membership(connection: Connection, room: BatchRoom, member_id: str, role: str | None) -> bool:
    """Delete a membership, and return whether it existed; `role` is that of the member, None without a membership.

    Raises:
        Conflict: The member is the last owner.
    """
    if role is None:
        return False
    if role == "owner":
        _require_other_owner(connection, room.id, member_id)
    _delete_member(connection, room, member_id)
    return True


def _delete_member(connection: Connection, room: BatchRoom, member_id: str) -> None:
    room.member_ids.discard(member_id)
    connection.execute(
        delete(memberships).where(memberships.c.room_id == room.id, memberships.c.member_id == member_id)
    )


def _set_role(
    connection: Connection, room: BatchRoom, command: AppendMemberChange, current_role: str | None, now: int
) -> bool:
    """Set the role of a member, or add a member with the role; return False if the role is the current one.

    Raises:
        Conflict: The member is the last owner.
    """
    target, role = command.target, command.role
    assert role is not None
    if role == current_role:
        return False
    if current_role is None:
        _add_member(connection, room, target, role, now)
        return True
    if current_role == "owner":
        _require_other_owner(connection, room.id, target.member_id)
    connection.execute(
        update(memberships)
        .where(memberships.c.room_id == room.id, memberships.c.member_id == target.member_id)
        .values(role=role)
    )
    return True


def _require_other_owner(connection: Connection, room_id: int, member_id: str) -> None:
    """Raise `Conflict` if no other durable member of the room is an owner."""
    other_owners = select(func.count()).where(
        memberships.c.room_id == room_id, memberships.c.role == "owner", memberships.c.member_id != member_id
    )
    if not connection.execute(other_owners).scalar_one():
        raise Conflict("last_owner")


def _set_sanction(connection: Connection, room_id: int, command: AppendMemberChange) -> None:
    """Insert the ban or mute of a command, or replace an existing one of the same kind."""
    values = {
        "nick_name": command.target.nick_name,
        "account": command.target.account,
        "until": command.until,
        "reason": command.reason or "",
        "by": command.author.member_id,
        "address_hash": command.address_hash,
    }
    connection.execute(
        get_insert_construct(connection.dialect)(sanctions)
        .values(
            room_id=room_id,
            member_id=command.target.member_id,
            kind=_SANCTIONS_BY_ACTION[command.action],
            **values,
        )
        .on_conflict_do_update(index_elements=list(sanctions.primary_key), set_=values)
    )


def _delete_sanction(connection: Connection, room_id: int, command: AppendMemberChange) -> bool:
    """Delete the ban or mute that a command ends, and return whether it existed, even if it had expired."""
    deleted = connection.execute(
        delete(sanctions).where(
            sanctions.c.room_id == room_id,
            sanctions.c.member_id == command.target.member_id,
            sanctions.c.kind == _SANCTIONS_BY_ACTION[command.action],
        )
    )
    return bool(deleted.rowcount)
