"""Handlers of the slash commands on the chat screen."""

from typing import TYPE_CHECKING

from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.sanitize import validate_topic
from tui_chat.session import error_text
from tui_chat.session.commands import people_handlers, settings_handlers
from tui_chat.session.commands.command_context import find_room, no_room_text, shrug_text
from tui_chat.session.commands.registry import Action, CommandCall
from tui_chat.session.i18n import tr
from tui_chat.session.lines import ACTION_PREFIX, MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.strings import chat as chat_strings

if TYPE_CHECKING:
    from tui_chat.ui.screens.chat import ChatScreen


def run_command(call: CommandCall, screen: "ChatScreen") -> str:
    """Run a command. `/names` and `/clear` have no effect without a current room.

    Args:
        call: Parsed command.
        screen: Chat screen on which the command was typed.

    Returns:
        Error message; empty on success or if the command continues in the background.
    """
    argument = call.arguments[0] if call.arguments else ""
    room = screen.session.current_room
    try:
        match call.command.action:
            case Action.JOIN:
                screen.go_to_room(names.validate_room_name(argument))
            case Action.PART:
                return _leave_room(argument, screen)
            case Action.NICK:
                screen.server_link.change_nick(names.validate_nickname(argument))
            case Action.NAMES:
                if room is not None:
                    screen.session.add_notice(chat_strings.member_list([member.nick_name for member in room.members]))
            case Action.ME:
                return screen.send_text(ACTION_PREFIX + argument)
            case Action.SHRUG:
                return screen.send_text(shrug_text(argument))
            case Action.WHOIS:
                return people_handlers.whois(argument, screen)
            case Action.IGNORE:
                return people_handlers.ignore(argument, screen)
            case Action.UNIGNORE:
                return people_handlers.unignore(argument, screen)
            case Action.MUTE | Action.UNMUTE:
                return settings_handlers.set_muted(argument, call.command.action is Action.MUTE, screen)
            case Action.SERVER:
                return screen.change_server(argument)
            case Action.LIST:
                screen.server_link.list_rooms(argument, requested_by_user=True)
            case Action.GO if argument and (open_room := screen.session.find_room(argument)) is not None:
                screen.go_to_room(open_room.name)  # an exact name needs no switcher
            case Action.GO:
                screen.open_switcher(argument)
            case Action.TOPIC:
                _show_or_set_topic(room, argument, screen)
            case Action.RECONNECT:
                screen.server_link.reconnect_now()
            case Action.EDIT:
                return screen.edit_message(room.last_message(is_own=True) if room is not None else None, argument)
            case Action.REPLY:
                return screen.reply_to_message(room.last_message(is_own=False) if room is not None else None, argument)
            case Action.REACT:
                return screen.react_to_message(_newest_message(room), argument)
            case Action.SEARCH:
                screen.open_search(argument)
            case Action.DATE:
                return screen.go_to_day(argument)
            case Action.CLEAR:
                if room is not None:
                    room.transcript.clear_notices()
            case Action.THEME:
                return _set_theme(argument, screen)
            case Action.SETTINGS:
                screen.run_app_action("settings")
            case Action.SET:
                return settings_handlers.set_setting(call.arguments, screen)
            case Action.NOTIFY:
                return settings_handlers.set_notification_level(argument, screen)
            case Action.HELP:
                screen.run_app_action("help")
            case Action.QUIT:
                screen.run_app_action("quit_when_sent")
    except ChatError as error:
        return error_text.describe(error)
    return ""


def _show_or_set_topic(room: RoomView | None, argument: str, screen: "ChatScreen") -> None:
    if room is not None and argument:
        screen.server_link.set_topic(room.name, validate_topic(argument))
    elif room is not None:
        screen.session.add_notice(chat_strings.topic_changed(room.topic) if room.topic else tr(chat_strings.NO_TOPIC))


def _newest_message(room: RoomView | None) -> MessageLine | None:
    """Return the newest message of a room, regardless of its author."""
    candidates = [] if room is None else [room.last_message(is_own=own) for own in (True, False)]
    return max((line for line in candidates if line is not None), key=lambda line: line.seq or 0, default=None)


def _set_theme(name: str, screen: "ChatScreen") -> str:
    """Set a theme, or open the theme chooser without a name. Return the error message, empty on success."""
    if not name:
        screen.run_app_action("choose_theme")
        return ""
    try:
        screen.set_setting("theme", settings_schema.parse("theme", name))
    except ValueError as error:
        return str(error)
    return ""


def _leave_room(argument: str, screen: "ChatScreen") -> str:
    room = find_room(argument, screen)
    if room is None:
        return no_room_text(argument)
    screen.leave_room(room)
    return ""
