"""Handlers of the settings commands `/set`, `/notify`, `/mute` and `/unmute`.

- Result: each handler returns its output, if any, and raises `CommandRejected` or `ChatError` for an error.
"""

from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.settings.name_lookup import is_room_muted, levels_after_change, notification_level
from tui_chat.session.settings.schema import DEFAULT_VALUE, SettingField
from tui_chat.session.strings import settings as settings_strings


def set_setting(text: str, context: CommandContext) -> str:
    """Return all settings or one, or change a setting and return "", depending on the number of words in `text`.

    The name is case-insensitive. The value `default` restores the default. Settings appear as `name = value`, after `*`
    if changed from the default, a single one with its description and its allowed values.

    Raises:
        CommandRejected: The setting is unknown, or the value is invalid.
    """
    current_settings = context.settings()
    if not text:
        return "\n".join(
            _format_setting(field, getattr(current_settings, field.name)) for field in settings_schema.fields().values()
        )
    typed_name, _, value = text.partition(" ")
    name = typed_name.casefold()
    field = settings_schema.fields().get(name)
    if field is None:
        raise CommandRejected(settings_strings.unknown_setting(typed_name))
    if not value:
        return (
            f"{_format_setting(field, getattr(current_settings, name))}\n{tr(field.description)}\n"
            f"{tr(settings_strings.ALLOWED_VALUES, expected=field.allowed_values)}"
        )
    try:
        context.set_setting(name, None if value == DEFAULT_VALUE else settings_schema.parse(name, value))
    except ValueError as error:
        raise CommandRejected(str(error)) from None
    return ""


def set_notification_level(text: str, context: CommandContext) -> str:
    """Set the notification level of the current room, and return a sentence with the level.

    The level applies on this server only. An empty text changes nothing, and the level in effect is returned. `default`
    restores the default level, which the output then shows.

    Raises:
        CommandRejected: The text is no level (case ignored), or no room is open.
    """
    room, level = context.room(), text.casefold()
    choices = (*settings_schema.fields()["notify"].choices, DEFAULT_VALUE)
    if level and level not in choices:
        raise CommandRejected(tr(settings_strings.INVALID_VALUE, name="/notify", expected=", ".join(choices)))
    if level:
        _change_level(room, level, context)
    return _describe_level(room, notification_level(context.settings(), context.link.url, room.name))


def _describe_level(room: RoomView, level: str) -> str:
    return tr(settings_strings.NOTIFICATION_LEVELS[level], room=room.title)


def mute(name: str, context: CommandContext) -> str:
    """Set the level of an open room on this server to `none`, of the current one for "", and return a confirmation."""
    room = context.room(name)
    _change_level(room, "none", context)
    return tr("Notifications for {room} are off. /unmute turns them on.", room=room.title)


def unmute(name: str, context: CommandContext) -> str:
    """Turn on the notifications of an open room; the empty name means the current room.

    Removes only the level `none`, so that the default level applies; another level remains. The output states whether
    notifications are on then.
    """
    room = context.room(name)
    if is_room_muted(context.settings(), context.link.url, room.name):
        _change_level(room, DEFAULT_VALUE, context)
    if notification_level(context.settings(), context.link.url, room.name) == "none":
        return tr("Notifications for {room} are off by default. /notify all turns them on.", room=room.title)
    return tr("Notifications for {room} are on.", room=room.title)


def _change_level(room: RoomView, level: str, context: CommandContext) -> None:
    levels = levels_after_change(context.settings(), context.link.url, room.name, level)
    context.set_setting("room_notifications", levels)


def _format_setting(field: SettingField, value: object) -> str:
    return f"{'  ' if value == field.default else '* '}{field.name} = {settings_schema.format_value(value)}"
