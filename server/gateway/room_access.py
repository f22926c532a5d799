"""Permission checks of requests, with the access state of rooms and persons.

- Cache: a live room has its policy, and each participant its standing; both with the `policy_seq` at the read. A
  committed entry that may revoke a permission clears the policy, so that the next check of each participant reads
  again.
- Stale state: a check without current state, and an append after a later revocation, raise `StaleAccess`; the request
  had no effect, and `retry_stale` repeats it with the current state.
- Invisible rooms: a room that the requester may not see, and an address that does not exist, take the same reads and
  raise the same error.
- Cost: guests in a room with a name need no read while the `policy_seq` of the room is 0. The names of all other rooms
  are in memory. The comparison with the snapshot of a join and with the row of an append corrects a missing name.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Literal, Protocol, TypeVar

from msgspec import structs

from server.domain.account_directory import AccountIdentity
from server.domain.guest_addresses import GuestAddresses
from server.domain.live_room import LiveRoom, Participant
from server.domain.log_commands import REVOKING_ACTIONS, AppendMemberChange, RoomRef, StaleAccess
from server.domain.permissions import Action, Policy, Role, Standing, is_permitted, is_visible, require
from server.domain.room_access import AccessState, Requester, RoomAccess
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.device_tokens import hash_secret
from server.storage.database import Database
from tui_chat.protocol import errors, events, names
from tui_chat.protocol.policies import Retention, RoomPolicy

RoomCreationPolicy = Literal["open", "accounts", "admins"]
"""Policy of room creations: everyone, persons with an account, or administrators."""

_GUEST_ACCESS = AccessState(RoomAccess(), Standing(), None)  # of a guest in an unrestricted room

_MAX_RETRIES = 3  # of an operation after `StaleAccess`

_UNKNOWN_SEQ = -1  # `policy_seq` of a participant whose standing is not current

ResultT = TypeVar("ResultT")


class Caller(Protocol):
    """Sender of a request, on a connection or over HTTP."""

    @property
    def address(self) -> str:
        """Network address of the client."""
        ...

    @property
    def account(self) -> AccountIdentity | None:
        """Account of the caller, None for a guest."""
        ...


class RoomAccessControl:
    """Permission checks of all requests; a failed read raises `Unavailable`.

    Args:
        database: Source of policies and standings, and journal of memberships.
        room_registry: Rooms with members.
        now: Wall clock, as Unix time in milliseconds.
        room_creation: Persons who may create rooms.

    Attributes:
        guest_addresses: Hashes of the addresses of guests.
    """

    def __init__(
        self,
        database: Database,
        room_registry: RoomRegistry[ClientConnection],
        guest_addresses: GuestAddresses,
        now: Callable[[], int],
        room_creation: RoomCreationPolicy,
    ) -> None:
        self._database = database
        self._room_registry = room_registry
        self.guest_addresses = guest_addresses
        self._now = now
        self._room_creation = room_creation
        self._restricted_keys = set[str]()

    async def load(self) -> None:
        """Read the names of all rooms with a `policy_seq` above 0; earlier names stay."""
        self._restricted_keys.update(await self._database.reader.list_restricted_keys())

    def require(
        self,
        room: LiveRoom[ClientConnection],
        participant: Participant[ClientConnection],
        action: Action,
        target: Standing | None = None,
    ) -> int:
        """Check a permission of a participant against the cached state, and return `policy_seq` for the command.

        Raises:
            StaleAccess: The cached state is not current.
            NotFound, Forbidden: As in `permissions.require`.
        """
        access = room.access
        if access is not None and participant.checked_access is access and action in participant.permitted:
            return access.policy_seq
        if access is None or participant.policy_seq != access.policy_seq:
            raise StaleAccess(room.key)
        standing = participant.standing
        if standing.muted and standing.until is not None and standing.until <= self._now():
            standing = participant.standing = structs.replace(standing, muted=False, until=None)
        require(action, access.policy, standing, target)
        if target is None:
            participant.record_permission(access, action)
        return access.policy_seq

    async def authorize(
        self,
        caller: Caller,
        room_name: str,
        member_id: str,
        action: Action = Action.READ,
        *,
        must_exist: bool = False,
    ) -> AccessState:
        """Check a permission of a person who need not be in the room, and return the access (`_read`).

        Args:
            caller: Sender of the request.
            room_name: Validated room name or address.
            member_id: Member id of the person.
            action: Requested action.
            must_exist: Reject a room that is not stored.

        Raises:
            NotFound: The room is not visible, or is an address that does not exist (`room_not_found`).
            Forbidden: The action is not permitted, or the room does not exist and the person may not create rooms.
        """
        state = await self._read(caller, room_name, member_id, is_exact=must_exist)
        if must_exist and not state.access.is_stored:
            raise errors.NotFound("room_not_found")
        self._require_existence(caller, room_name, state.access)
        require(action, state.access.policy, state.standing)
        return state

    async def find_readable(self, caller: Caller, room_keys: Collection[str], member_id: str) -> set[str]:
        """Return the keys of the stored rooms that a person may read, with one transaction."""
        states = await self._database.reader.read_accesses(room_keys, self.build_requester(caller, member_id))
        return {
            key
            for key, state in states.items()
            if state.access.is_stored and is_permitted(Action.READ, state.access.policy, state.standing)
        }

    async def authorize_join(
        self, connection: ClientConnection, room_name: str, member: events.MemberRef, invite: str | None
    ) -> AccessState:
        """Check the join of a person, and store a durable membership of accounts and invited persons.

        An invite admits to an invisible room, and makes a guest a durable member of a visible one. An invalid invite
        is ignored for a visible room. A durable member uses no invite, and the audit room has no memberships.

        Raises:
            NotFound: The room is not visible and the invite is invalid or absent (`room_not_found`).
            Forbidden: The person is banned, or the room does not exist and the person may not create rooms.
            StaleAccess: The access changed between the check and the write of a membership.
        """
        room = self._room_registry.get_ref(room_name)
        state = await self._read(connection, room_name, member.member_id)
        if invite is not None and not self._is_visible(room_name, state):
            if await self._database.invites.find_valid(room.key, hash_secret(invite)) is None:
                raise errors.NotFound("room_not_found")  # the same reads as for an address that does not exist
            await self._add_membership(room, member, None, invite)
            state = await self._read(connection, room_name, member.member_id)
        self._require_existence(connection, room_name, state.access)
        require(Action.READ, state.access.policy, state.standing)
        is_audit = state.access.policy.visibility == "admins"  # a membership would outlive the server role
        if state.standing.is_member or is_audit or (invite is None and connection.account is None):
            return state
        try:
            await self._add_membership(
                room, member, state.access.policy_seq, invite if connection.account is None else None
            )
        except errors.NotFound:
            return state
        standing = structs.replace(state.standing, is_member=True, role=max(state.standing.role, Role.MEMBER))
        return AccessState(structs.replace(state.access, is_stored=True), standing, "member")

    def apply_access(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection], state: AccessState
    ) -> None:
        """Cache the access of a participant, and set its role in the member list: `member` without a membership."""
        self._cache_policy(room, state.access)
        participant.standing, participant.policy_seq = state.standing, state.access.policy_seq
        participant.checked_access = None
        room.set_role(participant, state.membership_role or "member")

    async def refresh(self, connection: ClientConnection, room_key: str) -> None:
        """Read the access of a room and of the participant of the connection again, and cache both in a live room."""
        room = self._room_registry.rooms.get(room_key)
        participant = None if room is None else room.connections.get(connection)
        member_id = "" if participant is None else participant.member.member_id
        state = await self._database.reader.read_access(room_key, self.build_requester(connection, member_id))
        if state.access.policy_seq:
            self._restricted_keys.add(room_key)
        if room is not None and participant is not None and room.connections.get(connection) is participant:
            self.apply_access(room, participant, state)
        elif room is not None:
            self._cache_policy(room, state.access)

    async def retry_stale(
        self,
        connection: ClientConnection,
        operation: Callable[[], Awaitable[ResultT]],
        stale: StaleAccess | None = None,
    ) -> ResultT:
        """Run an operation, and retry after a stale permission check with the current access of the room.

        Args:
            connection: Connection of the requester.
            operation: Operation without an effect before `StaleAccess`.
            stale: Error of a first attempt, None without one.

        Raises:
            StaleAccess: The access changed during each of `_MAX_RETRIES` retries.
        """
        retries = 0
        while True:
            if stale is not None:
                if retries == _MAX_RETRIES:
                    raise stale
                retries += 1
                await self.refresh(connection, stale.room_key)
            try:
                return await operation()
            except StaleAccess as error:
                stale = error

    def invalidate_standing(self, participant: Participant[ClientConnection]) -> None:
        """Mark the cached standing of a participant as stale; the next check raises `StaleAccess`."""
        participant.policy_seq, participant.checked_access = _UNKNOWN_SEQ, None

    def record_change(self, entry: events.Entry) -> None:
        """Record a change, after which the `policy_seq` of its room may be above 0, even of a room that is not live."""
        if isinstance(entry, events.PolicyChange):
            self._restricted_keys |= {
                names.canonical_key(entry.room),
                names.canonical_key(entry.new_name or entry.room),
            }
        elif isinstance(entry, events.MemberChange) and (entry.action in REVOKING_ACTIONS or entry.role is not None):
            self._restricted_keys.add(names.canonical_key(entry.room))

    def mark_stored(self, room: LiveRoom[ClientConnection]) -> None:
        """Record that the room of a cached access is stored; no effect without a cached access."""
        if room.access is not None:
            room.access = structs.replace(room.access, is_stored=True)

    def on_change(self, room: LiveRoom[ClientConnection], entry: events.Entry) -> None:
        """Drop the cached access of a room after a change that may revoke a permission; apply a new role of a member.

        After any other change, the standing of a present target is read again, except after its repeated join.
        """
        if isinstance(entry, events.PolicyChange):
            self._drop_policy(room, entry.seq)
        if not isinstance(entry, events.MemberChange):
            return
        participant = room.participants.get(entry.target.member_id)
        if participant is not None and entry.role is not None:
            room.set_role(participant, entry.role)
        if entry.action in REVOKING_ACTIONS:
            self._drop_policy(room, entry.seq)
        elif participant is not None and not (entry.action == "joined" and participant.standing.is_member):
            self.invalidate_standing(participant)

    def require_room_creation(self, caller: Caller) -> None:
        """Raise `Forbidden` for a person who may not create rooms, even by a join or a message."""
        account = caller.account
        if account is None:
            may_create = self._room_creation == "open"
        else:
            may_create = self._room_creation != "admins" or account.role == "admin"
        if not may_create:
            raise errors.Forbidden("room_creation_restricted")

    async def _read(self, caller: Caller, room_name: str, member_id: str, *, is_exact: bool = False) -> AccessState:
        """Return the access of a person, cache the policy of a live room, and record the address of a guest.

        Without `is_exact`, the access of a guest to a room with an unrestricted name is not read if guests may create
        rooms: the result is then `_GUEST_ACCESS`, whose `is_stored` is False even for a stored room.
        """
        room_key = names.canonical_key(room_name)
        if caller.account is None:
            if member_id:
                self.guest_addresses.record(member_id, caller.address)
            is_restricted = room_key in self._restricted_keys or room_name.startswith(names.RESERVED_ROOM_PREFIXES)
            if not is_exact and not is_restricted and self._room_creation == "open":
                return _GUEST_ACCESS
        state = await self._database.reader.read_access(room_key, self.build_requester(caller, member_id))
        room = self._room_registry.rooms.get(room_key)
        if room is not None:
            self._cache_policy(room, state.access)
        return state

    def _drop_policy(self, room: LiveRoom[ClientConnection], seq: int) -> None:
        """Drop the cached access of a live room, and ignore the results of reads from before entry `seq`."""
        room.access, room.revoked_seq = None, max(room.revoked_seq, seq)

    def _cache_policy(self, room: LiveRoom[ClientConnection], access: RoomAccess) -> None:
        """Cache a read access in a live room, unless it precedes the cached one or the newest revocation.

        `is_stored` never changes from True to False.
        """
        if access.policy_seq < room.revoked_seq:
            return
        current = room.access
        if current is None or current.policy_seq < access.policy_seq:
            room.access = access
        elif access.is_stored and not current.is_stored:
            room.access = structs.replace(current, is_stored=True)

    def build_requester(self, caller: Caller, member_id: str) -> Requester:
        """Return the person of a request for reads of the access; `member_id` is ignored for an account."""
        account = caller.account
        if account is None:
            return Requester(member_id=member_id, address_hash=self.guest_addresses.hash_address(caller.address))
        return Requester(member_id=account.member_id, has_account=True, is_admin=account.role == "admin")

    def _is_visible(self, room_name: str, state: AccessState) -> bool:
        """Return whether a person may know of a room; False for an address that does not exist."""
        is_missing_address = names.is_room_address(room_name) and not state.access.is_stored
        return not is_missing_address and is_visible(state.access.policy, state.standing)

    def _require_existence(self, caller: Caller, room_name: str, access: RoomAccess) -> None:
        """Check that a room is stored, or that the person may create a room with this name.

        Raises:
            NotFound: The name is an address.
            Forbidden: The person may not create rooms.
        """
        if access.is_stored:
            return
        if names.is_room_address(room_name):
            raise errors.NotFound("room_not_found")
        self.require_room_creation(caller)

    async def _add_membership(
        self, room: RoomRef, member: events.MemberRef, policy_seq: int | None, invite: str | None
    ) -> None:
        """Append the durable join of a person, who has a valid invite or passed the check at `policy_seq`.

        Raises:
            NotFound: The invite is invalid, or the room does not exist.
            StaleAccess: The access changed since `policy_seq`.
        """
        await self._database.journal.append(
            AppendMemberChange(
                room=room,
                author=events.Member(
                    member_id=member.member_id, nick_name=member.nick_name, role="member", account=member.account
                ),
                policy_seq=policy_seq,
                action="joined",
                target=member,
                invite_digest=None if invite is None else hash_secret(invite),
            )
        )


def to_wire_policy(policy: Policy) -> RoomPolicy | None:
    """Return the wire form of a policy; None for the default policy."""
    if policy == Policy():
        return None
    default, fields = Policy(), ("visibility", "speak", "guest_post", "react", "upload", "topic", "invite")
    # msgspec omits a default value only if it is the same object.
    changed = {name: getattr(policy, name) for name in fields if getattr(policy, name) != getattr(default, name)}
    if policy.keep_days is not None or policy.keep_messages is not None:
        changed["keep"] = Retention(days=policy.keep_days, messages=policy.keep_messages)
    return RoomPolicy(**changed)
