"""Loaded messages of an SDK room."""

from tui_chat.client.room import Room


def message_texts(room: Room) -> list[str]:
    """Return the texts of all loaded messages, oldest first."""
    return [message.message for message in room.log.messages()]


def logged_messages(room: Room) -> list[tuple[str, str]]:
    """Return the nicknames and texts of all loaded messages, oldest first."""
    return [(message.nick_name, message.message) for message in room.log.messages()]
