"""Handlers of the settings commands `/set`, `/notify`, `/mute` and `/unmute`.

- Result: each handler returns an error message, "" on success.
"""

from tui_chat.protocol import names
from tui_chat.session.commands.command_context import CommandContext, find_room, no_room_text
from tui_chat.session.i18n import tr
from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.settings.schema import DEFAULT_VALUE, SettingField
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.strings import people as people_strings
from tui_chat.session.strings import settings as settings_strings


def set_setting(arguments: tuple[str, ...], context: CommandContext) -> str:
    """Reply with all settings or one setting, or change a setting, depending on the number of arguments.

    The value `default` restores the default. A change has no reply.
    """
    current_settings = context.settings
    if not arguments:
        context.reply(
            "\n".join(
                _format_setting(field, getattr(current_settings, field.name))
                for field in settings_schema.fields().values()
            )
        )
        return ""
    name = arguments[0].casefold()
    field = settings_schema.fields().get(name)
    if field is None:
        return settings_strings.unknown_setting(arguments[0])
    if len(arguments) == 1:
        context.reply(
            f"{_format_setting(field, getattr(current_settings, name))}\n{field.help}\n"
            f"{settings_strings.allowed_values(field.allowed_values)}"
        )
        return ""
    try:
        value = None if arguments[1] == DEFAULT_VALUE else settings_schema.parse(name, arguments[1])
    except ValueError as error:
        return str(error)
    context.set_setting(name, value)
    return ""


def set_notification_level(text: str, context: CommandContext) -> str:
    """Set the notification level of the current room, or reply with the level if `text` is empty.

    `default` removes the level of the room; the reply then shows the default level. Levels are case-insensitive.
    """
    room = context.session.current_room
    if room is None:
        return tr(chat_strings.NOT_IN_A_ROOM)
    current_settings = context.settings
    if not text:
        context.reply(settings_strings.notification_level(room.name, current_settings.notification_level(room.name)))
        return ""
    other_levels = {
        room_name: level
        for room_name, level in current_settings.room_notifications.items()
        if names.canonical_key(room_name) != names.canonical_key(room.name)
    }
    level = text.casefold()
    if level == DEFAULT_VALUE:
        context.set_setting("room_notifications", other_levels)
        level = current_settings.notify
    else:
        try:
            context.set_setting(
                "room_notifications", settings_schema.convert("room_notifications", {**other_levels, room.name: level})
            )
        except ValueError:
            return settings_strings.invalid_value(
                "/notify", ", ".join((*settings_schema.fields()["notify"].choices, DEFAULT_VALUE))
            )
    context.reply(settings_strings.notification_level(room.name, level))
    return ""


def set_muted(name: str, is_muted: bool, context: CommandContext) -> str:
    """Turn the notifications of a room off or on.

    Off replaces the level of the room by `none`. On removes only this level, so that the default level applies.

    Args:
        name: Room name, "" for the current room.
        is_muted: True to turn notifications off.
        context: Front end of the call.

    Raises:
        ChatError: The room name is invalid.
    """
    room = find_room(name, context)
    if room is None:
        return no_room_text(name)
    current_settings = context.settings
    other_levels = {
        room_name: level
        for room_name, level in current_settings.room_notifications.items()
        if names.canonical_key(room_name) != names.canonical_key(room.name)
    }
    if is_muted:
        context.set_setting("room_notifications", {**other_levels, room.name: "none"})
        context.reply(people_strings.room_muted(room.name))
    else:
        if current_settings.is_muted(room.name):
            context.set_setting("room_notifications", other_levels)
        context.reply(people_strings.room_unmuted(room.name))
    return ""


def _format_setting(field: SettingField, value: object) -> str:
    marker = "  " if value == field.default else "* "
    return f"{marker}{field.name} = {settings_schema.format_value(value)}"
