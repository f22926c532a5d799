"""Settings of single rooms and nicknames, found in any spelling with the same canonical key.

- Separate from the schema: the import of name profiles would delay the first screen.
"""

from tui_chat.protocol.names import canonical_key
from tui_chat.session.settings.schema import ClientSettings, NotificationLevel


def notification_level(settings: ClientSettings, room: str) -> NotificationLevel:
    """Return the notification level of a room: its override, otherwise the default level."""
    return _room_level(settings, room) or settings.notify


def is_room_muted(settings: ClientSettings, room: str) -> bool:
    """Return whether notifications of a room are off by an override. The default level does not count."""
    return _room_level(settings, room) == "none"


def is_ignored(settings: ClientSettings, nick: str) -> bool:
    """Return whether a nickname is on the ignore list."""
    return bool(settings.ignored) and canonical_key(nick) in map(canonical_key, settings.ignored)


def levels_after_rename(settings: ClientSettings, old_name: str, new_name: str) -> dict[str, str] | None:
    """Return the setting `room_notifications` after a rename of a room, None if the setting has no level for the room.

    The level moves to the new name and replaces a level of that name.
    """
    level, keys = _room_level(settings, old_name), {canonical_key(old_name), canonical_key(new_name)}
    if level is None:
        return None
    others = {name: level for name, level in settings.room_notifications.items() if canonical_key(name) not in keys}
    return others | {new_name: level}


def _room_level(settings: ClientSettings, room: str) -> NotificationLevel | None:
    key = canonical_key(room)
    return next((level for name, level in settings.room_notifications.items() if canonical_key(name) == key), None)
