"""Reads of rooms by persons without a connection.

A room that the person may not see, and an address that does not exist, take the same reads and raise the same error.
"""

from msgspec import structs

from server.domain.live_room import LiveRoom
from server.domain.permissions import Role
from server.domain.room_access import AccessState
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.direct_contacts import DirectContacts
from server.gateway.http_callers import HttpCaller
from server.gateway.room_access import RoomAccessControl
from server.gateway.room_entry import build_room_state, get_role_name
from server.storage.database import Database
from tui_chat.protocol import errors, limits, names, responses
from tui_chat.protocol.responses import RoomState


class RoomDetails(RoomState, frozen=True, kw_only=True):
    """State of a room with the number of present members."""

    members: int


class RoomQueries:
    """Reads of rooms; a rejected read raises a `ChatError`.

    Args:
        database: Storage of rooms and entries.
        room_registry: Rooms with members.
        access_control: Permission checks.
        contacts: Checks of direct rooms.
    """

    def __init__(
        self,
        database: Database,
        room_registry: RoomRegistry[ClientConnection],
        *,
        access_control: RoomAccessControl,
        contacts: DirectContacts,
    ) -> None:
        self._database = database
        self._room_registry = room_registry
        self._access_control = access_control
        self._contacts = contacts

    async def read_details(self, caller: HttpCaller, room_name: str) -> RoomDetails:
        """Return the state of a room, stored or with members; `role` is that of a durable member or an administrator.

        Raises:
            NotFound: The room does not exist, or is not visible.
            Forbidden: The caller is banned, or is a guest in no common room with a member of the direct room.
            StaleAccess: The access changed during the read.
        """
        room, state = await self._authorize(caller, room_name)
        snapshot = await self._database.reader.read_join_snapshot(room.key, since=limits.SEQ_MAX, limit=1)
        if snapshot.room is None and not room.participants:  # removed since the check
            raise errors.NotFound("room_not_found")
        is_member = state.standing.is_member or state.standing.role is Role.ADMIN
        room_state = build_room_state(room, snapshot.room, state, get_role_name(state) if is_member else None)
        return RoomDetails(**structs.asdict(room_state), members=len(room.participants))

    async def read_history(
        self, caller: HttpCaller, room_name: str, *, before: int | None, after: int | None, limit: int
    ) -> responses.HistoryPage:
        """Return a page of a room log in ascending order, with `own` of reactions for the caller.

        A room with members that is not stored has an empty page with the `log_id` of the live room.

        Args:
            caller: Reader.
            room_name: Validated room name or address.
            before: Return the newest entries with a smaller `seq`; None for the end of the log.
            after: Return the oldest entries with a greater `seq`; None for the newest entries.
            limit: Maximum number of entries.

        Raises:
            BadRequest: Both bounds are given.
            NotFound, Forbidden: As in `read_details`.
        """
        if before is not None and after is not None:
            raise errors.BadRequest("history_position")
        room, _ = await self._authorize(caller, room_name)
        page = await self._database.reader.read_page(
            room.key,
            before=None if after is not None else before or limits.SEQ_MAX,
            after=after,
            limit=limit,
            reader=caller.member_id,
        )
        return page if page.log_id else structs.replace(page, log_id=room.log_id)

    async def _authorize(self, caller: HttpCaller, room_name: str) -> tuple[LiveRoom[ClientConnection], AccessState]:
        """Return a room, live or not, and the access of a reader; a room without members must be stored."""
        key = names.canonical_key(room_name)
        room = self._room_registry.rooms.get(key) or LiveRoom[ClientConnection](key, room_name)
        state = await self._access_control.authorize(
            caller, room_name, caller.member_id, must_exist=not room.participants
        )
        await self._contacts.load(room_name, caller.member_id, state.access.policy)
        return room, state
