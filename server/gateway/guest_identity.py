"""Identity of guests: the member id of a connection, and the author of a message without a join."""

from server.domain.guest_keys import GuestKeys
from server.domain.log_commands import RoomRef
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from tui_chat.protocol import errors, events, names, requests


class GuestIdentity:
    """Source of member ids for all connections.

    Args:
        guest_keys: Verifier of guest keys, and generator of member ids.
        room_registry: Rooms with members.
    """

    def __init__(self, guest_keys: GuestKeys, room_registry: RoomRegistry[ClientConnection]) -> None:
        self._guest_keys = guest_keys
        self._room_registry = room_registry

    def resolve_member_id(
        self, connection: ClientConnection, guest_key: str | None = None, unproven: str | None = None
    ) -> str:
        """Return the member id of a guest: from the guest key, from an earlier request, or `unproven` or a new one.

        The sources have precedence in this order. An invalid guest key, for example of another server, is ignored: the
        client may join as a new guest. The first member id of a connection is stored and never replaced, so a later
        guest key applies to its own request only. `unproven` is not stored.
        """
        member_id = self._guest_keys.verify(guest_key) if guest_key is not None else None
        member_id = member_id or connection.member_id
        if member_id is None and unproven is not None:
            return unproven
        member_id = member_id or self._guest_keys.generate_member_id()
        if connection.member_id is None:
            connection.member_id = member_id
        return member_id

    def resolve_temporary_author(
        self, connection: ClientConnection, request: requests.SendMessage, author: requests.TemporaryAuthor
    ) -> tuple[RoomRef, events.Member]:
        """Return the room and the author of a message without a join.

        A repeat of the first message of a guest, possibly on another connection, has the same author. The author does
        not enter the room. A nickname in use yields one with a suffix. A member id derived from the `clientId` is not
        stored for the connection, because knowledge of a `clientId` proves no identity; the caller stores the member id
        after a message that is no repeat.

        Raises:
            BadRequest: The connection has joined a room.
        """
        if self._room_registry.get_joined_rooms(connection):
            raise errors.BadRequest("author_is_member")
        room_key = names.canonical_key(request.room)
        room = self._room_registry.rooms.get(room_key)
        member_id = self.resolve_member_id(
            connection,
            author.guest_key,
            self._guest_keys.derive_member_id(f"{request.client_id} {room_key}") if request.client_id else None,
        )
        member = events.Member(
            member_id=member_id,
            nick_name=author.nick_name if room is None else room.preview_nick(author.nick_name, member_id),
            role="member",
        )
        return RoomRef(key=room_key, name=request.room) if room is None else room.to_ref(), member
