"""Message texts of an SDK room."""

from tui_chat.client.room import Room


def message_texts(room: Room) -> list[str]:
    """Return the texts of all loaded messages, oldest first."""
    return [message.message for message in room.log.messages()]
