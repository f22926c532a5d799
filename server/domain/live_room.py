"""State of one live room: participants, nicknames and subscribers.

- Unique nicknames: nickname keys are unique within a room. A request for a nickname in use, or reserved by an account
  of another member, yields the next free suffix, never an error.
- Dialects: a room indexes its connections by dialect (`server.gateway.dialects`), so a dialect without
  subscribers causes no work.

`ConnectionT` is the connection type of the gateway; the room requires only hashing.
"""

from bisect import bisect_right, insort
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Generic, TypeVar

from msgspec.structs import replace

from server.domain.account_directory import Account, AccountDirectory
from server.domain.confusables import get_skeletons
from server.domain.direct_members import DirectMembers
from server.domain.log_commands import RoomRef, generate_log_id
from server.domain.nick_suffixes import NickSuffixes
from server.domain.permissions import Action, Standing
from server.domain.room_access import RoomAccess
from tui_chat.protocol import events, limits, names

MEMBER_PAGE_BYTES = 256 * 1024
"""Approximate size limit of a list of members as JSON, in bytes."""

_MEMBER_OVERHEAD_BYTES = 256  # estimated size of a member without nickname and status, in bytes

_CHARACTER_BYTES = 4  # maximum size of a code point in JSON, in bytes

ConnectionT = TypeVar("ConnectionT", bound=Hashable)


@dataclass(slots=True, eq=False)
class Participant(Generic[ConnectionT]):
    """Member that is present in a room.

    Attributes:
        member: Member as on the wire; replaced by each change.
        nick_key: Canonical key of the nickname.
        connections: Connections of the member in the room.
        nodes: Ids of the other nodes of a cluster with connections of the member.
        announced: The join is announced; otherwise, the member has no leave or nickname notice.
        standing: Standing for permission checks, read at `policy_seq`.
        policy_seq: `policy_seq` of the room at the read of `standing`; another value than that of the room requires a
            new read.
        checked_access: Access of the room for which `permitted` is valid; None to check again.
        permitted: Actions without a target that a check has permitted.
    """

    member: events.Member
    nick_key: str
    connections: set[ConnectionT] = field(default_factory=set[ConnectionT])
    nodes: set[str] = field(default_factory=set[str])
    announced: bool = False
    standing: Standing = field(default_factory=Standing)
    policy_seq: int = 0
    checked_access: RoomAccess | None = None
    permitted: set[Action] = field(default_factory=set[Action])

    def record_permission(self, access: RoomAccess, action: Action) -> None:
        """Record a successful check of an action without a target; another `access` discards earlier records."""
        if self.checked_access is not access:
            self.checked_access = access
            self.permitted.clear()
        self.permitted.add(action)


@dataclass(slots=True, eq=False)
class LiveRoom(Generic[ConnectionT]):
    """Room with at least one connection or observer.

    Attributes:
        key: Canonical key of the name.
        name: Name or address; the stored name if the room exists in storage.
        log_id: Identifier of the log; the stored one if the room exists in storage.
        access: Policy for permission checks; None before the first read, and after a change.
        revoked_seq: `seq` of the newest published entry that may revoke a permission; an access with a lower
            `policy_seq` was read before the entry.
        title: Display name of a private room, otherwise empty.
        direct: Members of a direct room with participants, None for other rooms.
        participants: Participants by member id, in order of arrival.
        connections: Participants by connection.
        subscribers: Connections and observers by the dialect in which they receive events.
        account_directory: Directory of reserved names.
    """

    key: str
    name: str
    log_id: str = field(default_factory=generate_log_id)
    access: RoomAccess | None = None
    revoked_seq: int = 0
    title: str = ""
    direct: DirectMembers | None = None
    participants: dict[str, Participant[ConnectionT]] = field(default_factory=dict[str, Participant[ConnectionT]])
    connections: dict[ConnectionT, Participant[ConnectionT]] = field(
        default_factory=dict[ConnectionT, "Participant[ConnectionT]"]
    )
    subscribers: dict[str, dict[ConnectionT, None]] = field(default_factory=dict[str, "dict[ConnectionT, None]"])
    account_directory: AccountDirectory = field(default_factory=AccountDirectory)
    _nick_owners: dict[str, str] = field(default_factory=dict[str, str])
    _suffixes: NickSuffixes = field(default_factory=NickSuffixes)
    _skeleton_owners: dict[str, set[str]] = field(default_factory=dict[str, "set[str]"])
    _sorted_ids: list[str] = field(default_factory=list[str])  # of all participants, for `list_page`
    _owner_ids: dict[str, None] = field(default_factory=dict[str, None])
    _moderator_ids: dict[str, None] = field(default_factory=dict[str, None])
    _speaker_ids: dict[str, None] = field(default_factory=dict[str, None])  # in order of the last message

    @property
    def display_name(self) -> str:
        """Name in texts: the title of a private room, empty for a direct room."""
        return self.title or ("" if names.is_room_address(self.name) else self.name)

    def to_ref(self) -> RoomRef:
        """Return the reference to this room for log commands."""
        return RoomRef(key=self.key, name=self.name, log_id=self.log_id)

    def reserve_nick(self, requested: str, member_id: str) -> tuple[str, str]:
        """Return the nickname that the room assigns for a request, and its canonical key, for `assign_nick`.

        An available nickname is returned unchanged. One that is in use, or reserved by an account, gets the next free
        suffix from 2, such as `ann2`. The suffix is reserved until the release of this nickname; use `preview_nick` if
        no assignment follows. A present member whose nickname is `requested` with a suffix keeps this
        nickname. The comparison with the suffix is case-sensitive.

        Args:
            requested: Validated nickname.
            member_id: Member that requests the nickname, present or not; its own nickname counts as available.
        """
        requested_key = names.canonical_key(requested)
        if self._is_nick_available(requested_key, member_id):
            return requested, requested_key
        participant = self.participants.get(member_id)
        if (
            participant is not None
            and self._nick_owners.get(participant.nick_key) == member_id
            and names.has_suffix(participant.member.nick_name, requested)
        ):
            return participant.member.nick_name, participant.nick_key
        return self._suffixes.allocate(requested, lambda nick_key: self._is_nick_available(nick_key, member_id))

    def preview_nick(self, requested: str, member_id: str) -> str:
        """Return the nickname that `reserve_nick` would return; nothing is reserved or assigned."""
        nick, nick_key = self.reserve_nick(requested, member_id)
        self._suffixes.release(nick_key)
        return nick

    def assign_nick(self, participant: Participant[ConnectionT], nick_name: str, nick_key: str) -> None:
        """Assign a nickname to a participant and release the previous one; no effect if the nickname is unchanged.

        `participant.member` is replaced. The nickname is marked as confusable until its next change if it looks like
        that of another member, or for a guest like a reserved name. Only a nickname that another node has assigned may
        belong to another member (`reserve_nick`). This member loses the nickname; its `member` stays until the caller
        assigns another one.
        """
        member_id = participant.member.member_id
        if self._nick_owners.get(nick_key) == member_id and participant.member.nick_name == nick_name:
            return
        self._release_nick(participant)
        if (owner := self.find_by_nick(nick_key)) is not None:
            self._release_nick(owner)
        self._nick_owners[nick_key] = member_id
        skeletons = get_skeletons(nick_name, nick_key)
        confusable = not self._skeleton_owners.keys().isdisjoint(skeletons) or self.account_directory.is_confusable(
            skeletons, member_id
        )
        for skeleton in skeletons:
            self._skeleton_owners.setdefault(skeleton, set()).add(member_id)
        participant.member = replace(participant.member, nick_name=nick_name, confusable=confusable)
        participant.nick_key = nick_key

    def find_outdated_nicks(self, account: Account) -> list[tuple[Participant[ConnectionT], str]]:
        """Return the participants that a change of an account may rename, each with the nickname to request.

        Other participants with a reserved name of the account come first and request their present nickname again, so
        that this name becomes free. The participant of the account follows, even if its nickname is right. A deleted
        account yields an empty list.
        """
        owners = filter(None, map(self.find_by_nick, account.name_keys))
        outdated = [(owner, owner.member.nick_name) for owner in owners if owner.member.member_id != account.member_id]
        participant = self.participants.get(account.member_id)
        if participant is not None and not account.deleted:
            outdated.append((participant, account.nick_name))
        return outdated

    def add_participant(self, participant: Participant[ConnectionT]) -> None:
        """Add a participant that is not in the room.

        The nickname is not checked or reserved; call `assign_nick` afterwards.
        """
        member_id = participant.member.member_id
        self.participants[member_id] = participant
        insort(self._sorted_ids, member_id)
        self.set_role(participant, participant.member.role)

    def set_role(self, participant: Participant[ConnectionT], role: str) -> None:
        """Set the role of a participant, `member`, `moderator` or `owner`; a change replaces `participant.member`."""
        member_id = participant.member.member_id
        self._forget_role(member_id)
        if role == "owner":
            self._owner_ids[member_id] = None
        elif role == "moderator":
            self._moderator_ids[member_id] = None
        if participant.member.role != role:
            participant.member = replace(participant.member, role=role)

    def find_by_nick(self, nick_key: str) -> Participant[ConnectionT] | None:
        """Return the participant with the canonical key of a nickname, None for an unassigned nickname."""
        return self.participants.get(self._nick_owners.get(nick_key, ""))

    def record_speaker(self, member_id: str) -> None:
        """Record a present participant as the most recent speaker."""
        self._speaker_ids.pop(member_id, None)
        self._speaker_ids[member_id] = None

    def list_prominent(self, first: Participant[ConnectionT] | None = None) -> list[Participant[ConnectionT]]:
        """Return at most `MEMBER_PAGE` participants of at most `MEMBER_PAGE_BYTES`, in order of arrival if all fit.

        Otherwise the list contains `first` in any case, owners, moderators, speakers (most recent first) and further
        participants (most recent arrival first), in this order and each once (docs/protocol.md, "Members").
        """
        if len(self.participants) <= limits.MEMBER_PAGE:
            everyone, has_more = _fill_page(self.participants.values(), limits.MEMBER_PAGE)
            if not has_more:
                return everyone
        ids = chain(
            () if first is None else (first.member.member_id,),
            self._owner_ids,
            self._moderator_ids,
            reversed(self._speaker_ids),
            reversed(self.participants),
        )
        # The ids before the arrivals occur again, each at most three times: this prefix contains a page of unique ids.
        repeated = 1 + len(self._owner_ids) + len(self._moderator_ids) + len(self._speaker_ids)
        unique_ids = dict.fromkeys(islice(ids, limits.MEMBER_PAGE + min(repeated, 3 * limits.MEMBER_PAGE)))
        return _fill_page((self.participants[member_id] for member_id in unique_ids), limits.MEMBER_PAGE)[0]

    def list_page(self, after: str, limit: int, query: str) -> tuple[list[Participant[ConnectionT]], bool]:
        """Return participants in order of their ids, and whether more matching participants follow.

        Args:
            after: Exclusive lower bound of the member ids; empty for the first page.
            limit: Maximum number of participants, at least 1; `MEMBER_PAGE_BYTES` may reduce the number, not below 1.
            query: Part of the canonical key of the nickname; empty for all participants.
        """
        following = (
            self.participants[self._sorted_ids[position]]
            for position in range(bisect_right(self._sorted_ids, after), len(self._sorted_ids))
        )
        return _fill_page((participant for participant in following if query in participant.nick_key), limit)

    def remove_participant(self, participant: Participant[ConnectionT]) -> None:
        """Remove a participant of this room and release its nickname; `connections` and `subscribers` are unchanged."""
        member_id = participant.member.member_id
        del self.participants[member_id]
        del self._sorted_ids[bisect_right(self._sorted_ids, member_id) - 1]
        self._speaker_ids.pop(member_id, None)
        self._forget_role(member_id)
        self._release_nick(participant)

    def list_subscribers(self) -> list[ConnectionT]:
        """Return all connections and observers."""
        return [connection for subscribers in self.subscribers.values() for connection in subscribers]

    def subscribe(self, dialect: str, connection: ConnectionT) -> None:
        """Register the connection or observer under a dialect, replacing its previous dialect.

        `connections` stays unchanged.
        """
        self.unsubscribe(connection)
        self.subscribers.setdefault(dialect, {})[connection] = None

    def unsubscribe(self, connection: ConnectionT) -> None:
        """Remove the connection from its dialect.

        Without effect if the connection is not subscribed; a dialect without subscribers is removed from `subscribers`.
        """
        for dialect, subscribers in self.subscribers.items():
            if connection in subscribers:
                del subscribers[connection]
                if not subscribers:
                    del self.subscribers[dialect]
                return

    def _forget_role(self, member_id: str) -> None:
        """Remove a participant from the owners and moderators."""
        self._owner_ids.pop(member_id, None)
        self._moderator_ids.pop(member_id, None)

    def _is_nick_available(self, nick_key: str, member_id: str) -> bool:
        """Return whether neither another participant nor the account of another member has the nickname."""
        return self._nick_owners.get(nick_key, member_id) == member_id and self.account_directory.is_available(
            nick_key, member_id
        )

    def _release_nick(self, participant: Participant[ConnectionT]) -> None:
        """Release the nickname, its suffix and its skeletons; no effect if another participant owns the nickname."""
        if self._nick_owners.get(participant.nick_key) == participant.member.member_id:
            del self._nick_owners[participant.nick_key]
            self._suffixes.release(participant.nick_key)
            for skeleton in get_skeletons(participant.member.nick_name, participant.nick_key):
                self._skeleton_owners[skeleton].discard(participant.member.member_id)
                if not self._skeleton_owners[skeleton]:
                    del self._skeleton_owners[skeleton]


def _fill_page(
    participants: Iterable[Participant[ConnectionT]], limit: int
) -> tuple[list[Participant[ConnectionT]], bool]:
    """Return the first participants up to `limit` and `MEMBER_PAGE_BYTES`, and whether others follow.

    The first participant is included in any case.
    """
    page: list[Participant[ConnectionT]] = []
    size = 0
    for participant in participants:
        member = participant.member
        size += _MEMBER_OVERHEAD_BYTES + _CHARACTER_BYTES * len(member.nick_name)
        if member.away:
            size += _CHARACTER_BYTES * len(member.away)
        if page and (len(page) == limit or size > MEMBER_PAGE_BYTES):
            return page, True
        page.append(participant)
    return page, False


@dataclass(frozen=True, slots=True)
class JoinResult(Generic[ConnectionT]):
    """Result of a join.

    Attributes:
        room: Joined room.
        participant: Participant of the connection.
        is_new: The member was not present in the room before, on this or another node.
        old_nick: Previous nickname of a present member, equal to the assigned one if a join has regained it; None for a
            new member, or if the nickname is unchanged.
        client_changed: The client kind of a present member changed, or another node has changed the status or
            `confusable`.
    """

    room: LiveRoom[ConnectionT]
    participant: Participant[ConnectionT]
    is_new: bool
    old_nick: str | None
    client_changed: bool


@dataclass(frozen=True, slots=True)
class LeaveResult(Generic[ConnectionT]):
    """Result of a leave.

    Attributes:
        room: Room of the removed connection.
        participant: Participant of the removed connection.
        is_last: No connection of the member to any node remains in the room; the participant was removed.
    """

    room: LiveRoom[ConnectionT]
    participant: Participant[ConnectionT]
    is_last: bool
