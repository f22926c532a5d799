"""Registry of dialects in matching order."""

from datetime import tzinfo

from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.dialects.dialect import Dialect
from server.gateway.dialects.native import NativeDialect
from server.gateway.dialects.resource_crud import ResourceCrudDialect
from server.gateway.dialects.server_msg import ServerMsgDialect
from server.gateway.dialects.string_join import StringJoinDialect

DIALECT_TYPES: tuple[type[Dialect], ...] = (StringJoinDialect, ServerMsgDialect, ResourceCrudDialect, NativeDialect)
"""Dialects of every server; the native one is last, because it matches every event."""


def create_dialects(
    room_registry: RoomRegistry[ClientConnection], timezone: tzinfo | None, *optional: Dialect
) -> tuple[Dialect, ...]:
    """Return the optional dialects and one instance of each of `DIALECT_TYPES`, in matching order.

    Args:
        room_registry: Rooms with members.
        timezone: Time zone of formatted times; None selects the local one.
        optional: Dialects that settings enable; they match first.
    """
    return (*optional, *(dialect_type(room_registry, timezone) for dialect_type in DIALECT_TYPES))
