"""Changes of present members: nicknames and status."""

from server.domain.account_directory import Account
from server.domain.live_room import LiveRoom, Participant
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.account_service import AccountService
from server.gateway.presence_broadcaster import PresenceBroadcaster
from server.gateway.request_handler import RequestHandlers
from server.gateway.room_entry import RoomEntry
from tui_chat.protocol import errors, requests, responses


class MemberUpdates:
    """Handlers of changes of present members, announced by presence and notices.

    Args:
        account_service: Operations on accounts; the constructor sets its `on_change`.
        room_registry: Rooms with members.
        presence_broadcaster: Sender of presence and notices.
        room_entry: Removal of former administrators from their room.

    Attributes:
        handlers_by_type: Request handlers by request type.
    """

    def __init__(
        self,
        account_service: AccountService,
        room_registry: RoomRegistry[ClientConnection],
        presence_broadcaster: PresenceBroadcaster,
        room_entry: RoomEntry,
    ) -> None:
        self._account_service = account_service
        self._room_registry = room_registry
        self._presence_broadcaster = presence_broadcaster
        self._room_entry = room_entry
        self.handlers_by_type: RequestHandlers = {
            requests.ChangeNick: self._change_nick,
            requests.SetStatus: self._set_status,
        }
        account_service.on_change = self._on_account_change

    def _on_account_change(self, account: Account) -> None:
        """Apply a new or changed account to the live rooms, and announce the new nicknames.

        The participants of the account receive its nickname, and other members with a reserved name a free one; each
        node renames the members with connections to it. `RoomEntry.on_account_change` applies the server role.
        Connections of a claimed guest close, because the member id now requires a token.
        """
        self._room_entry.on_account_change(account)
        for room in list(self._room_registry.rooms.values()):
            for participant, nick_name in room.find_outdated_nicks(account):
                if not participant.connections:
                    continue  # renamed by its own node
                old_nick = self._room_registry.change_nick(room, participant, nick_name)
                if old_nick is not None:
                    self._presence_broadcaster.on_nick_change(room, participant, old_nick)
            participant = room.participants.get(account.member_id)
            for connection in () if participant is None else tuple(participant.connections):
                if connection.account is None:
                    connection.close("guest was registered")

    async def _change_nick(self, connection: ClientConnection, request: requests.ChangeNick) -> responses.NickChanged:
        """Change the nickname of an account in all rooms, or of a guest in the requested room or in all joined rooms.

        A nickname of a guest that is in use or reserved yields one with a suffix.

        Returns:
            The assigned nickname; with several rooms, that in the last one; for a guest in no room, the requested one.

        Raises:
            Conflict: The nickname belongs to another account, and the requester has an account.
            NotJoined, NotFound: The guest is not in the requested room.
            Unavailable: The database failed; the nickname of a guest may have changed in some of several rooms.
        """
        if connection.account is not None:
            await self._account_service.update_profile(connection.account, {"nick_name": request.nick_name})
            return responses.NickChanged(nick_name=request.nick_name)
        memberships = (
            [(room, room.connections[connection]) for room in self._room_registry.get_joined_rooms(connection)]
            if request.room is None
            else [self._room_registry.require_membership(connection, request.room)]
        )
        assigned_nick = request.nick_name
        for room, participant in memberships:
            await self._rename(room, participant, request.nick_name)
            assigned_nick = participant.member.nick_name
        return responses.NickChanged(nick_name=assigned_nick)

    async def _rename(
        self, room: LiveRoom[ClientConnection], participant: Participant[ClientConnection], nick_name: str
    ) -> None:
        """Change the nickname of a participant on all nodes, and announce the change; ignore a former participant.

        Raises:
            Unavailable: The database failed; the former nickname is restored.
        """

        def is_present() -> bool:
            return room.participants.get(participant.member.member_id) is participant

        old_nick = self._room_registry.change_nick(room, participant, nick_name) if is_present() else None
        if old_nick is None:
            return
        try:
            await self._presence_broadcaster.claim_nick(room, participant, nick_name)
        except errors.Unavailable:
            if is_present():
                self._room_registry.change_nick(room, participant, old_nick)
            raise
        finally:
            if is_present():
                self._presence_broadcaster.on_nick_change(room, participant, old_nick)

    async def _set_status(self, connection: ClientConnection, request: requests.SetStatus) -> responses.Empty:
        """Set the status of the member in all of its rooms; without effect before the first join."""
        for room, participant in self._room_registry.set_status(
            connection, request.status_text if request.away else None
        ):
            self._presence_broadcaster.on_status_change(room, participant)
        return responses.Empty()
