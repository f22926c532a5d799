"""Settings of single rooms and nicknames, found in any spelling with the same canonical key.

- Notification levels: an entry `URL/room` of `room_notifications` applies on the server with this base URL, and
  precedes an entry `room`, which applies on every server.
- Separate from the schema: the import of name profiles would delay the first screen.
"""

from tui_chat.protocol.names import canonical_key
from tui_chat.session.settings.schema import DEFAULT_VALUE, ClientSettings, NotificationLevel, RoomLevel


def notification_level(settings: ClientSettings, server: str, room: str) -> NotificationLevel:
    """Return the notification level of a room: its override, otherwise the default level."""
    level = _room_level(settings, server, room)
    return settings.notify if level is None or level == DEFAULT_VALUE else level


def is_room_muted(settings: ClientSettings, server: str, room: str) -> bool:
    """Return whether notifications of a room are off by an override. The default level does not count."""
    return _room_level(settings, server, room) == "none"


def is_ignored(settings: ClientSettings, nick: str) -> bool:
    """Return whether a nickname is on the ignore list."""
    return bool(settings.ignored) and canonical_key(nick) in map(canonical_key, settings.ignored)


def levels_after_change(settings: ClientSettings, server: str, room: str, level: str) -> dict[str, str]:
    """Return the setting `room_notifications` after a change of the level of a room on one server.

    `default` is stored only if an entry of the room applies on every server, otherwise the entry is removed.
    """
    levels = _without(settings, _server_entry(server, room))
    is_default = level == DEFAULT_VALUE and _find(settings, room) is None
    return levels if is_default else levels | {_server_entry(server, room): level}


def levels_after_rename(settings: ClientSettings, server: str, old_name: str, new_name: str) -> dict[str, str] | None:
    """Return the setting `room_notifications` after a rename of a room, None if the setting has no level for the room.

    The new name has the level on this server only, in place of an earlier level; an entry of the old name that applies
    on every server stays.
    """
    level = _room_level(settings, server, old_name)
    if level is None:
        return None
    old_entry, new_entry = _server_entry(server, old_name), _server_entry(server, new_name)
    return _without(settings, old_entry, new_entry) | {new_entry: level}


def _room_level(settings: ClientSettings, server: str, room: str) -> RoomLevel | None:
    return _find(settings, _server_entry(server, room)) or _find(settings, room)


def _server_entry(server: str, room: str) -> str:
    return f"{server}/{room}"


def _find(settings: ClientSettings, entry: str) -> RoomLevel | None:
    key = canonical_key(entry)
    return next((level for name, level in settings.room_notifications.items() if canonical_key(name) == key), None)


def _without(settings: ClientSettings, *entries: str) -> dict[str, str]:
    keys = set(map(canonical_key, entries))
    return {name: level for name, level in settings.room_notifications.items() if canonical_key(name) not in keys}
