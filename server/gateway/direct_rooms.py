"""Direct rooms and blocks (docs/protocol.md, "Direct rooms").

- Identity: one room per set of two to eight members.
- Members: all members are durable from the creation, so that absent accounts find the room in `myRooms`.
- Devices: all connections of an account share its blocks. A change is pushed to the other connections.
"""

import hashlib
from collections.abc import Iterable

from server.domain.account_directory import AccountDirectory, AccountIdentity
from server.domain.log_commands import AppendCreation, RoomRef
from server.domain.room_addresses import generate_room_address
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.device_tokens import DeviceTokens
from server.gateway.direct_contacts import DirectContacts
from server.gateway.identity import GUEST_NICK_NAME, IdentityResolver, require_account
from server.gateway.request_handler import RequestHandlers
from server.gateway.room_entry import RoomEntry
from server.storage.database import Database
from tui_chat.protocol import errors, events, requests, responses, room_requests
from tui_chat.protocol.policies import PolicyFields


class DirectRooms:
    """Handlers of direct rooms and blocks; a rejected request raises a `ChatError`.

    Args:
        database: Storage of rooms and blocks.
        identity: Source of member ids.
        room_registry: Rooms with members.
        accounts: Directory of accounts.
        room_entry: Joins of rooms.
        contacts: Checks of direct rooms.
        device_tokens: Source of the connections of an account.

    Attributes:
        handlers_by_type: Request handlers by request type.
    """

    def __init__(
        self,
        database: Database,
        identity: IdentityResolver,
        room_registry: RoomRegistry[ClientConnection],
        *,
        accounts: AccountDirectory,
        room_entry: RoomEntry,
        contacts: DirectContacts,
        device_tokens: DeviceTokens,
    ) -> None:
        self._database = database
        self._identity = identity
        self._room_registry = room_registry
        self._accounts = accounts
        self._room_entry = room_entry
        self._contacts = contacts
        self._device_tokens = device_tokens
        self.handlers_by_type: RequestHandlers = {
            room_requests.OpenDirect: self._open,
            room_requests.BlockMember: self._block,
            room_requests.UnblockMember: self._unblock,
            room_requests.ListBlocks: self._list_blocks,
        }

    async def _open(self, connection: ClientConnection, request: room_requests.OpenDirect) -> responses.JoinResponse:
        """Join the direct room of the requester and the given members, which is created on demand.

        Raises:
            BadRequest: No other member is given.
            NotFound: A member is not reachable (`DirectContacts.require_reachable`).
            Forbidden: A block exists between the requester and a member.
            Unavailable: The database failed, or the journal is overloaded.
            ChatError: The join is rejected (`RoomEntry.join`).
        """
        author = self._identity.build_author(connection, self._get_guest_nick(connection))
        other_ids = [member_id for member_id in dict.fromkeys(request.member_ids) if member_id != author.member_id]
        if not other_ids:
            raise errors.BadRequest("direct_room_alone")
        members = tuple(self._contacts.require_reachable(author.member_id, other_id) for other_id in other_ids)
        member_ids = {author.member_id, *other_ids}
        blocks = await self._database.direct_rooms.read_blocks(member_ids)
        self._contacts.require_unblocked(author.member_id, other_ids, blocks)
        room_name = await self._find_or_create(derive_direct_key(member_ids), author, members)
        join_request = requests.JoinRoom(room_name=room_name, nick_name=author.nick_name)
        return await self._room_entry.join(connection, join_request, dialect="native", client_kind=None)

    async def _find_or_create(
        self, direct_key: str, author: events.Member, members: tuple[events.MemberRef, ...]
    ) -> str:
        """Return the address of the stored direct room of these members, which is created on demand.

        Concurrent calls return the same address.
        """
        if (found := await self._database.direct_rooms.find(direct_key)) is not None:
            return found
        address = generate_room_address()
        creation = AppendCreation(
            room=RoomRef(key=address, name=address),
            author=author,
            policy=PolicyFields(visibility="direct"),
            direct_key=direct_key,
            members=members,
        )
        try:
            await self._database.journal.append(creation)
        except (errors.Conflict, errors.InternalError):  # created by another request, on this or another node
            if (found := await self._database.direct_rooms.find(direct_key)) is None:
                raise
            return found
        return address

    def _get_guest_nick(self, connection: ClientConnection) -> str:
        """Return the nickname of a guest in the last joined room, `GUEST_NICK_NAME` without one."""
        rooms = self._room_registry.get_joined_rooms(connection)
        return rooms[-1].connections[connection].member.nick_name if rooms else GUEST_NICK_NAME

    async def _block(self, connection: ClientConnection, request: room_requests.BlockMember) -> responses.Empty:
        """Store a block of a member, known or not, and push the block to the other devices of the account.

        Raises:
            Forbidden: The connection has no account.
            Conflict: The account has too many blocks.
        """
        account = require_account(connection)
        member = self._get_member_ref(request.member_id)
        await self._database.direct_rooms.block(account.member_id, member)
        self._apply_block(connection, account, member, is_blocked=True)
        return responses.Empty()

    async def _unblock(self, connection: ClientConnection, request: room_requests.UnblockMember) -> responses.Empty:
        """Delete a block, if any, and push its end to the other devices of the account.

        Raises:
            Forbidden: The connection has no account.
        """
        account = require_account(connection)
        await self._database.direct_rooms.unblock(account.member_id, request.member_id)
        self._apply_block(connection, account, self._get_member_ref(request.member_id), is_blocked=False)
        return responses.Empty()

    def _apply_block(
        self, connection: ClientConnection, account: AccountIdentity, member: events.MemberRef, *, is_blocked: bool
    ) -> None:
        """Apply a stored block to the live direct rooms and to the other connections of the account."""
        self._contacts.on_block_change(account.member_id, member.member_id, is_blocked=is_blocked)
        frame = encode_event(events.BLOCKS, events.BlockPush(member=member, on=is_blocked))
        self._device_tokens.push_to_others(account.id, connection, frame)

    async def _list_blocks(self, connection: ClientConnection, _: room_requests.ListBlocks) -> responses.BlockList:
        """Return the members that an account has blocked; raise `Forbidden` for a guest."""
        return responses.BlockList(
            blocks=await self._database.direct_rooms.list_blocked(require_account(connection).member_id)
        )

    def _get_member_ref(self, member_id: str) -> events.MemberRef:
        """Return a member with its current names; the nickname of an absent guest is empty."""
        account = self._accounts.find_member(member_id)
        if account is not None:
            return account.to_ref()
        for room in self._room_registry.get_member_rooms(member_id):
            return events.MemberRef(member_id=member_id, nick_name=room.participants[member_id].member.nick_name)
        return events.MemberRef(member_id=member_id, nick_name="")


def derive_direct_key(member_ids: Iterable[str]) -> str:
    """Return the identity of a set of members in any order, for the column `rooms.direct_key`."""
    return hashlib.sha256("\n".join(sorted(member_ids)).encode()).hexdigest()
