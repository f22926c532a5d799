"""Texts of notices for clients of the basic dialects (docs/dialects.md)."""

from server.domain.live_room import LiveRoom
from server.engineio.connection import ClientConnection


def format_notice_room(room: LiveRoom[ClientConnection]) -> str:
    """Return the room of a join or leave notice: its display name between spaces, no name for a direct room."""
    return f" {room.display_name} 房间" if room.display_name else "房间"
