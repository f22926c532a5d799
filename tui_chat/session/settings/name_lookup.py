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


def _room_level(settings: ClientSettings, room: str) -> NotificationLevel | None:
    key = canonical_key(room)
    return next((level for name, level in settings.room_notifications.items() if canonical_key(name) == key), None)
