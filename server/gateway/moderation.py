"""Moderation of rooms: kicks, bans, mutes, roles, deletions for others, and the audit (docs/moderation.md).

- Log: each action is an entry, checked against the roles of both persons at its position in the log.
- Removal: the connections of a kicked or banned member leave the room with the publication of the entry, on each node.
- Addresses: a ban of a guest applies to all guests from the same address, never to accounts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, get_args

from server.domain.account_directory import AccountDirectory
from server.domain.live_room import LiveRoom, Participant
from server.domain.log_commands import AppendDeletion, AppendMemberChange, StaleAccess, to_member_ref
from server.domain.permissions import Action, Standing, is_permitted, require_role_change
from server.domain.room_access import ROLES_BY_NAME, Requester
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.request_handler import RequestHandlers
from server.gateway.room_access import RoomAccessControl
from server.gateway.room_entry import RoomEntry
from server.storage.database import Database
from server.storage.moderation_reader import TargetState
from tui_chat.protocol import codec, errors, events, limits, responses, room_requests

MemberChangeRequest = (
    room_requests.Kick
    | room_requests.Ban
    | room_requests.Unban
    | room_requests.Mute
    | room_requests.Unmute
    | room_requests.SetRole
)

_CHANGES: dict[type[room_requests.MemberRequest], tuple[Action, events.MemberAction]] = {
    room_requests.Kick: (Action.KICK, "kicked"),
    room_requests.Ban: (Action.BAN, "banned"),
    room_requests.Unban: (Action.BAN, "unbanned"),
    room_requests.Mute: (Action.MUTE, "muted"),
    room_requests.Unmute: (Action.MUTE, "unmuted"),
    room_requests.SetRole: (Action.SET_ROLE, "role"),
}
_REMOVAL_REASONS = {"kicked": "member_kicked", "banned": "member_banned"}  # of the error event, by action
_DELETION_BATCH = 200  # messages per read of the deletion after a ban


class Moderation:
    """Handlers of moderation requests; a rejected request raises a `ChatError`.

    Args:
        database: Storage of rooms and entries.
        room_registry: Rooms with members.
        access_control: Permission checks.
        room_entry: Removal of members.
        account_directory: Accounts, for the server role of a target.
        now: Wall clock, as Unix time in milliseconds.

    Attributes:
        handlers_by_type: Request handlers by request type.
        request_address: Requests the address hash of a guest from the other nodes, by member id; None for a single
            node.
    """

    def __init__(
        self,
        database: Database,
        room_registry: RoomRegistry[ClientConnection],
        access_control: RoomAccessControl,
        room_entry: RoomEntry,
        *,
        account_directory: AccountDirectory,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._room_registry = room_registry
        self._access_control = access_control
        self._room_entry = room_entry
        self._account_directory = account_directory
        self._now = now
        self.request_address: Callable[[str], Awaitable[None]] | None = None
        self.handlers_by_type: RequestHandlers = {
            **dict.fromkeys(get_args(MemberChangeRequest), self._change_member),
            room_requests.ReadAudit: self._read_audit,
        }

    async def authorize_deletion(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection], seq: int
    ) -> bool:
        """Return whether a participant may delete the message `seq` as a moderator.

        False for an unknown message, for one of the participant, and for a participant who is no moderator.

        Raises:
            Forbidden: The author of the message has the same or a higher role.
            StaleAccess: The access changed.
        """
        if room.access is None or not is_permitted(
            Action.DELETE_OTHER, room.access.policy, participant.standing, Standing()
        ):
            return False
        author = await self._database.moderation.find_author(room.key, seq)
        if author is None or author.member_id == participant.member.member_id:
            return False
        self._check(room, participant, Action.DELETE_OTHER, await self._find_target(room, author.member_id))
        return True

    def on_member_change(self, room: LiveRoom[ClientConnection], entry: events.MemberChange) -> None:
        """Remove the connections and observers of a kicked or banned member, and push the reason as an `error` event.

        Leaves are announced. The ban of a guest with a known address removes all guests with this address. Other
        changes have no effect.
        """
        if entry.action not in _REMOVAL_REASONS:
            return
        is_guest_ban = entry.action == "banned" and entry.target.account is None
        guest_addresses = self._access_control.guest_addresses
        address_hash = guest_addresses.hash_of_guest(entry.target.member_id) if is_guest_ban else None
        params: dict[str, Any] = {"room": room.name} | ({} if entry.until is None else {"until": entry.until})
        error = errors.Forbidden(_REMOVAL_REASONS[entry.action], **params)
        frame = encode_event(events.ERROR, codec.ErrorBody.from_error(error))
        for connection in room.list_subscribers():
            is_same_address = (
                address_hash is not None
                and connection.account is None
                and guest_addresses.hash_address(connection.address) == address_hash
            )
            if is_same_address or self._room_entry.get_member_id(room, connection) == entry.target.member_id:
                connection.push(frame)
                self._room_entry.remove_connection(room, connection)

    async def _change_member(
        self, connection: ClientConnection, request: MemberChangeRequest
    ) -> responses.ChangeAccepted:
        """Append a kick, a ban, a mute, the end of a ban or mute, or a role, and return the `seq` of the entry.

        A ban then deletes the recent messages of the member, if requested. The ban of a guest contains the hash of the
        address, if any node knows the address. The end of an absent sanction, or the role that the member has, appends
        nothing and returns the newest `seq` of the room.

        Raises:
            BadRequest: The end of the sanction is not in the future.
            NotJoined, NotFound: The requester is not in the room.
            NotFound: The target is unknown in the room, or has no membership for a role.
            Forbidden: The action is not permitted, or a guest would receive a role.
            Conflict: The last owner would lose the role.
            StaleAccess: The access changed between the check and the write.
            Unavailable: The database failed, or the journal is overloaded, possibly after the ban and a part of the
                deletions.
        """
        until = getattr(request, "until", None)
        if until is not None and until <= self._now():
            raise errors.BadRequest("until_past")
        room, _ = self._room_registry.require_membership(connection, request.room)
        target = await self._find_target(room, request.member_id)
        room, participant = self._room_registry.require_membership(connection, request.room)
        action, change = _CHANGES[type(request)]
        if isinstance(request, room_requests.SetRole):
            policy_seq = self._check_role_change(room, participant, request, target)
        else:
            policy_seq = self._check(room, participant, action, target)
        if target.member is None:
            raise errors.NotFound("member_not_found")
        is_guest_ban = change == "banned" and target.member.account is None
        guest_addresses = self._access_control.guest_addresses
        if is_guest_ban and self.request_address is not None and not guest_addresses.is_known(request.member_id):
            await self.request_address(request.member_id)
        append_result = await self._database.journal.append(
            AppendMemberChange(
                room=room.to_ref(),
                author=participant.member,
                policy_seq=policy_seq,
                action=change,
                target=target.member,
                until=until,
                reason=getattr(request, "reason", None) or None,
                role=getattr(request, "role", None),
                address_hash=guest_addresses.hash_of_guest(request.member_id) if is_guest_ban else None,
            )
        )
        if isinstance(request, room_requests.Ban) and request.delete_recent:
            await self._delete_messages(room, participant.member, request.member_id, request.delete_recent)
        return responses.ChangeAccepted(revision=append_result.entry.seq)

    async def _read_audit(
        self, connection: ClientConnection, request: room_requests.ReadAudit
    ) -> responses.HistoryPage:
        """Return a page of the moderation entries of a room.

        Raises:
            NotJoined, NotFound: The requester is not in the room.
            Forbidden: The requester may not see the audit.
            StaleAccess: The cached access is not current.
        """
        room, participant = self._room_registry.require_membership(connection, request.room)
        self._access_control.require(room, participant, Action.SEE_AUDIT)
        return await self._database.moderation.read_audit(room.key, request.before or limits.SEQ_MAX, request.limit)

    async def _delete_messages(
        self, room: LiveRoom[ClientConnection], author: events.Member, member_id: str, seconds: int
    ) -> None:
        """Delete the messages of a member of the last `seconds`; after a failure, a part of them is deleted."""
        since, after, room_ref = self._now() - 1000 * seconds, 0, room.to_ref()
        while seqs := await self._database.moderation.list_messages(room.key, member_id, since, after, _DELETION_BATCH):
            await asyncio.gather(
                *(
                    self._database.journal.append(
                        AppendDeletion(room=room_ref, author=author, target=seq, any_author=True)
                    )
                    for seq in seqs
                )
            )
            after = seqs[-1]

    def _check(
        self,
        room: LiveRoom[ClientConnection],
        participant: Participant[ClientConnection],
        action: Action,
        target: TargetState,
    ) -> int:
        """Check an action on a person, and return the `policy_seq` of the check.

        Raises:
            StaleAccess: The cached access is not that of the target.
            Forbidden: The action is not permitted.
        """
        policy_seq = target.state.access.policy_seq
        if room.access is None or room.access.policy_seq != policy_seq:
            raise StaleAccess(room.key)
        self._access_control.require(room, participant, action, target.state.standing)
        return policy_seq

    def _check_role_change(
        self,
        room: LiveRoom[ClientConnection],
        participant: Participant[ClientConnection],
        request: room_requests.SetRole,
        target: TargetState,
    ) -> int:
        """Check a change of a role, and return the `policy_seq` of the check.

        Raises:
            StaleAccess: The cached access is not that of the target.
            Forbidden: The requester may not give this role, or the target is a guest and the role is not `member`.
            NotFound: The target has no membership.
        """
        policy_seq = self._check(room, participant, Action.READ, target)
        require_role_change(
            target.state.access.policy,
            participant.standing,
            target.state.standing,
            ROLES_BY_NAME[request.role],
            is_self=request.member_id == participant.member.member_id,
        )
        if target.state.membership_role is None:
            raise errors.NotFound("member_not_found")
        if target.member is not None and target.member.account is None and request.role != "member":
            raise errors.Forbidden("role_requires_account")
        return policy_seq

    async def _find_target(self, room: LiveRoom[ClientConnection], member_id: str) -> TargetState:
        """Return the stored access of a person (`ModerationReader.find_target`), with the current names if available.

        The current names are those of a present member, or of the account of another person known in the room.
        """
        account = self._account_directory.find_member(member_id)
        requester = Requester(
            member_id=member_id,
            has_account=account is not None,
            is_admin=account is not None and account.role == "admin",
        )
        target = await self._database.moderation.find_target(room.key, requester)
        present = room.participants.get(member_id)
        if present is not None:
            return target._replace(member=to_member_ref(present.member))
        if account is not None and target.member is not None:
            return target._replace(member=account.to_ref())
        return target
