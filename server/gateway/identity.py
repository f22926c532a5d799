"""Identity of members: the member id of a connection, and the author of a message without a join.

- Accounts: a connection with an account has the member id and the nickname of the account in all requests.
- Guests: the member id comes from the guest key or an earlier request, or is new. The member id of an account is never
  that of a guest, so the registration of a guest voids the guest key.
"""

from server.domain.account_directory import AccountDirectory, AccountIdentity
from server.domain.guest_keys import GuestKeys
from server.domain.live_room import LiveRoom
from server.domain.log_commands import RoomRef
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from tui_chat.protocol import errors, events, names, requests

GUEST_NICK_NAME = "guest"
"""Default nickname of a guest who is in no room."""


class IdentityResolver:
    """Source of member ids for all connections.

    Args:
        guest_keys: Verifier of guest keys, and generator of member ids.
        account_directory: Directory of the member ids of accounts.
        room_registry: Rooms with members.
    """

    def __init__(
        self,
        guest_keys: GuestKeys,
        account_directory: AccountDirectory,
        room_registry: RoomRegistry[ClientConnection],
    ) -> None:
        self._guest_keys = guest_keys
        self._account_directory = account_directory
        self._room_registry = room_registry

    def resolve_member_id(
        self, connection: ClientConnection, guest_key: str | None = None, unproven: str | None = None
    ) -> str:
        """Return the member id of an account; for a guest that of the guest key, the stored one, or a new one.

        The first member id of a guest is stored in the connection, so a later guest key applies to one request only. A
        stored member id that an account has claimed is replaced. An invalid guest key, and that of an account, is
        ignored.

        Args:
            connection: Connection of the person.
            guest_key: Guest key of the request, None without one.
            unproven: Member id instead of a new one, which is not stored; ignored if an account has claimed it.
        """
        if connection.account is not None:
            return connection.account.member_id
        if connection.member_id is not None and self._account_directory.is_claimed(connection.member_id):
            connection.member_id = None
        member_id = self.verify_guest_key(guest_key) if guest_key is not None else None
        member_id = member_id or connection.member_id
        if member_id is None and unproven is not None and not self._account_directory.is_claimed(unproven):
            return unproven
        member_id = member_id or self._guest_keys.generate_member_id()
        if connection.member_id is None:
            connection.member_id = member_id
        return member_id

    def get_member_id(self, connection: ClientConnection) -> str | None:
        """Return the member id of an account, or the stored one of a guest, None without one."""
        return connection.member_id if connection.account is None else connection.account.member_id

    def verify_guest_key(self, guest_key: str) -> str | None:
        """Return the member id of a valid guest key, None for an invalid key or the key of an account."""
        member_id = self._guest_keys.verify(guest_key)
        return None if member_id is None or self._account_directory.is_claimed(member_id) else member_id

    def generate_member_id(self) -> str:
        """Return a new member id."""
        return self._guest_keys.generate_member_id()

    def issue_guest_key(self, connection: ClientConnection, member_id: str) -> str:
        """Return the guest key of a member; empty for a connection with an account."""
        return self._guest_keys.issue(member_id) if connection.account is None else ""

    def build_author(self, connection: ClientConnection, nick_name: str = GUEST_NICK_NAME) -> events.Member:
        """Return the author of a change outside a room, as a member.

        Args:
            connection: Connection of the author, which stores a new member id.
            nick_name: Nickname of a guest, ignored for an account.
        """
        account = connection.account
        return events.Member(
            member_id=self.resolve_member_id(connection),
            nick_name=nick_name if account is None else account.nick_name,
            role="member",
            account=None if account is None else account.name,
            bot=account is not None and self._account_directory.is_bot(account.member_id),
        )

    def build_room_author(self, connection: ClientConnection, room_name: str) -> events.Member:
        """Return the member of a connection in a joined room, otherwise the author as `build_author`."""
        participant = self._room_registry.find_participant(connection, room_name)
        return self.build_author(connection) if participant is None else participant.member

    def resolve_temporary_author(
        self, connection: ClientConnection, request: requests.SendMessage, author: requests.TemporaryAuthor
    ) -> tuple[RoomRef, events.Member]:
        """Return the room and the author of a message without a join.

        A repeat of the first message of a guest, possibly on another connection, has the same author. A nickname of a
        guest that is in use or reserved yields one with a suffix. A member id derived from the `clientId` is not stored
        in the connection, because knowledge of a `clientId` proves no identity; the caller stores the member id after a
        message that is not a repeat.

        Raises:
            BadRequest: The connection has joined a room.
        """
        if self._room_registry.get_joined_rooms(connection):
            raise errors.BadRequest("author_is_member")
        room_key = names.canonical_key(request.room)
        room = self._room_registry.rooms.get(room_key)
        room_ref = self._room_registry.get_ref(request.room)
        if connection.account is not None:
            return room_ref, self.build_author(connection, author.nick_name)
        member_id = self.resolve_member_id(
            connection,
            author.guest_key,
            self._guest_keys.derive_member_id(f"{request.client_id} {room_key}") if request.client_id else None,
        )
        if room is None:
            room = LiveRoom[ClientConnection](room_key, request.room, account_directory=self._account_directory)
        nick_name = room.preview_nick(author.nick_name, member_id)
        return room_ref, events.Member(member_id=member_id, nick_name=nick_name, role="member")


def require_account(connection: ClientConnection) -> AccountIdentity:
    """Return the account of a connection.

    Raises:
        Forbidden: The connection is that of a guest.
    """
    if connection.account is None:
        raise errors.Forbidden("account_required")
    return connection.account
