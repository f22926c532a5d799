"""Rooms of accounts for `resource_crud` clients (docs/dialects.md, "resource_crud").

The methods correspond to those of `RoomCatalog`. A room of an account has an owner, so its permissions depend neither
on the connection nor on the members present.
"""

from server.engineio.connection import ClientConnection
from server.gateway.room_admin import RoomAdmin
from server.gateway.room_catalog import RoomCatalog
from server.storage.log_reader import RoomRecord
from tui_chat.protocol.policies import PolicyFields


class OwnedRoomCatalog:
    """Room management of accounts; a rejected operation raises a `ChatError`.

    Args:
        room_admin: Creation, rename and deletion of owned rooms.
        room_catalog: Room list, and topics.
    """

    def __init__(self, room_admin: RoomAdmin, room_catalog: RoomCatalog) -> None:
        self._room_admin = room_admin
        self._room_catalog = room_catalog

    async def create(self, connection: ClientConnection, name: str, topic: str) -> RoomRecord:
        """Create a public room with the account as owner, who does not join."""
        await self._room_admin.create(connection, name, None, PolicyFields(), topic=topic)
        return await self._room_catalog.find(name)

    async def update(
        self, connection: ClientConnection, room_id: int, name: str | None, topic: str | None
    ) -> RoomRecord:
        """Change the name or the topic of a public room, even with members present; None keeps the current value.

        A value equal to the current one has no effect. A failed topic change keeps the new name.

        Returns:
            The room after the change.
        """
        room = await self._room_catalog.get(room_id)
        if name is not None and name != room.name:
            await self._room_admin.rename(connection, room.name, name)
            room = await self._room_catalog.get(room_id)
        if topic is not None and topic != room.topic:
            await self._room_catalog.set_topic(connection, room.name, topic)
        return await self._room_catalog.get(room_id)

    async def delete(self, connection: ClientConnection, room_id: int) -> RoomRecord:
        """Delete a public room with its log, even with members present; return the room before the deletion."""
        room = await self._room_catalog.get(room_id)
        await self._room_admin.delete(connection, room.name)
        return room
