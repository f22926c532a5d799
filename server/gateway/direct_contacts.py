"""Contacts in direct rooms: conditions of a conversation, and the push to absent members.

- Blocks: a block in either direction prevents `openDirect` with the other member, and messages and changes other than
  deletions in a room of two. A block does not prevent the join of an existing room by its address.
- Guests: a guest takes part in a direct room only while sharing a live room of another kind with one of its members.
- Cache: `LiveRoom.direct` has the result of `load`, and `on_block_change` updates the blocks.
"""

from collections.abc import Callable

from msgspec.structs import replace

from server.domain.account_directory import AccountDirectory
from server.domain.direct_members import DirectMembers
from server.domain.permissions import Policy
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.device_tokens import DeviceTokens
from server.storage.direct_rooms import DirectRoomRepository
from tui_chat.protocol import errors, events, names


class DirectContacts:
    """Checks and pushes of all direct rooms.

    Args:
        repository: Storage of direct rooms and blocks.
        room_registry: Rooms with members.
        accounts: Directory of accounts.
        device_tokens: Source of the connections of an account.

    Attributes:
        on_announce: Called with the room name and the members of each announced direct room.
    """

    def __init__(
        self,
        repository: DirectRoomRepository,
        room_registry: RoomRegistry[ClientConnection],
        accounts: AccountDirectory,
        device_tokens: DeviceTokens,
    ) -> None:
        self._repository = repository
        self._room_registry = room_registry
        self._accounts = accounts
        self._device_tokens = device_tokens
        self.on_announce: Callable[[str, list[events.MemberRef]], None] = lambda _room_name, _members: None

    def require_reachable(self, requester_id: str, member_id: str) -> events.MemberRef:
        """Return a person that a requester may contact.

        Raises:
            NotFound: The account of the person is suspended or deleted; or the person or the requester is a guest, and
                they share no live room other than a direct one.
        """
        account = self._accounts.find_member(member_id)
        if account is not None and account.is_active:
            if self._accounts.is_claimed(requester_id) or self._room_registry.find_common_rooms(
                requester_id, member_id
            ):
                return account.to_ref()
        elif account is None:
            for room in self._room_registry.find_common_rooms(requester_id, member_id):
                return events.MemberRef(member_id=member_id, nick_name=room.participants[member_id].member.nick_name)
        raise errors.NotFound("member_not_found")

    async def load(self, room_name: str, member_id: str, policy: Policy) -> DirectMembers | None:
        """Read members and blocks of a direct room from the database; None for any other room and for a removed one.

        Neither the membership of the reader nor the blocks are checked.

        Args:
            room_name: Address of the room.
            member_id: Member id of the reader.
            policy: Policy of the room.

        Raises:
            Forbidden: The reader is a guest in no common room with another member.
            Unavailable: The database is not readable.
        """
        if policy.visibility != "direct":
            return None
        direct = await self._repository.read(names.canonical_key(room_name))
        if direct is not None:
            self._require_common_room(direct, member_id)
        return direct

    def require_contact(self, direct: DirectMembers, member_id: str) -> None:
        """Check that a member may write in a direct room.

        Raises:
            Forbidden: One of two members has blocked the other, or the member is a guest in no common room with another
                member.
        """
        if len(direct.members) == 2:
            self.require_unblocked(member_id, [*direct.members], direct.blocks)
        self._require_common_room(direct, member_id)

    def require_unblocked(self, member_id: str, other_ids: list[str], blocks: frozenset[tuple[str, str]]) -> None:
        """Check that no block exists between a member and others.

        Raises:
            Forbidden: The member has blocked another one (`contact_blocked`), or the reverse (`contact_refused`).
        """
        for other_id in other_ids:
            if (member_id, other_id) in blocks:
                raise errors.Forbidden("contact_blocked")
            if (other_id, member_id) in blocks:
                raise errors.Forbidden("contact_refused")

    def on_block_change(self, member_id: str, other_id: str, *, is_blocked: bool) -> None:
        """Update the blocks of the live direct rooms with both members; nothing is stored or sent."""
        for room in {*self._room_registry.get_member_rooms(member_id), *self._room_registry.get_member_rooms(other_id)}:
            if room.direct is not None and {member_id, other_id} <= room.direct.members.keys():
                pair = frozenset({(member_id, other_id)})
                blocks = room.direct.blocks | pair if is_blocked else room.direct.blocks - pair
                room.direct = replace(room.direct, blocks=blocks)

    async def reload_blocks(self, member_id: str) -> None:
        """Read the members and blocks of the live direct rooms of a member again; ignore removed rooms.

        Raises:
            Unavailable: The database is not readable.
        """
        for room in list(self._room_registry.rooms.values()):
            if room.direct is not None and member_id in room.direct.members:
                room.direct = await self._repository.read(room.key) or room.direct

    def announce(self, room_name: str, members: list[events.MemberRef]) -> None:
        """Push `directRoom` as `push_direct_room`, on all servers."""
        self.on_announce(room_name, members)
        self.push_direct_room(room_name, members)

    def push_direct_room(self, room_name: str, members: list[events.MemberRef]) -> None:
        """Push `directRoom` to the connections of all members to this server that have not joined the room.

        Each member receives the other members; accounts have their current names. A block does not suppress the push.
        """
        room = self._room_registry.rooms.get(names.canonical_key(room_name))
        current = [self._get_current_names(member) for member in members]
        for member in current:
            others = [other for other in current if other is not member]
            frame = encode_event(events.DIRECT_ROOM, events.DirectRoomPush(room=room_name, direct=others))
            for connection in self._list_connections(member.member_id):
                if room is None or connection not in room.connections:
                    connection.push(frame)

    def _require_common_room(self, direct: DirectMembers, member_id: str) -> None:
        """Check that a member has an account, or shares a live room other than a direct one with another member.

        Raises:
            Forbidden: The member is a guest in no common room.
        """
        others = [other_id for other_id in direct.members if other_id != member_id]
        if not self._accounts.is_claimed(member_id) and not any(
            self._room_registry.find_common_rooms(member_id, other_id) for other_id in others
        ):
            raise errors.Forbidden("no_common_room")

    def _get_current_names(self, member: events.MemberRef) -> events.MemberRef:
        """Return a member with the current names of its account; unchanged for a guest."""
        account = self._accounts.find_member(member.member_id)
        return member if account is None else account.to_ref()

    def _list_connections(self, member_id: str) -> set[ClientConnection]:
        """Return all connections of an account, or the connections of a guest in its rooms."""
        account = self._accounts.find_member(member_id)
        if account is not None:
            return {*self._device_tokens.list_connections(account.id)}
        return {
            connection
            for room in self._room_registry.get_member_rooms(member_id)
            for connection in room.participants[member_id].connections
        }
