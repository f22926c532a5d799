"""Handlers of the slash commands on the chat screen."""

from typing import Protocol

from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.sanitize import validate_topic
from tui_chat.session import error_text
from tui_chat.session.commands import people_handlers, settings_handlers
from tui_chat.session.commands.command_context import CommandContext, find_room, no_room_text, shrug_text
from tui_chat.session.commands.registry import Action, CommandCall
from tui_chat.session.compose_mode import ComposeKind
from tui_chat.session.i18n import tr
from tui_chat.session.lines import ACTION_PREFIX, MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.compose_controller import ComposeController
from tui_chat.ui.screens.message_navigation import MessageNavigation
from tui_chat.ui.screens.room_navigation import RoomNavigation
from tui_chat.ui.server_link import ServerLink


class CommandTarget(Protocol):
    """Parts of the chat screen on which commands act.

    Attributes:
        server_link: Link to the server.
        compose_controller: Sender of messages.
        room_navigation: Switching of rooms.
        message_navigation: Jumps to messages and days.
    """

    server_link: ServerLink
    compose_controller: ComposeController
    room_navigation: RoomNavigation
    message_navigation: MessageNavigation

    def change_server(self, server: str) -> str:
        """Request a change of the server. Return the error message, empty if the address is valid."""
        ...

    def run_app_action(self, name: str) -> None:
        """Run an action of the app."""
        ...


def run_command(call: CommandCall, context: CommandContext, target: CommandTarget) -> str:
    """Run a command. `/names` and `/clear` have no effect without a current room.

    Args:
        call: Parsed command.
        context: Front end of the call.
        target: Parts of the chat screen.

    Returns:
        Error message; empty on success or if the command continues in the background.
    """
    argument = call.arguments[0] if call.arguments else ""
    room = context.session.current_room
    try:
        match call.command.action:
            case Action.JOIN:
                target.room_navigation.go_to_room(names.validate_room_name(argument))
            case Action.PART:
                return _leave_room(argument, context, target)
            case Action.NICK:
                target.server_link.change_nick(names.validate_nickname(argument))
            case Action.NAMES:
                if room is not None:
                    context.session.add_notice(chat_strings.member_list([member.nick_name for member in room.members]))
            case Action.ME:
                return target.compose_controller.send(ACTION_PREFIX + argument)
            case Action.SHRUG:
                return target.compose_controller.send(shrug_text(argument))
            case Action.WHOIS:
                return people_handlers.whois(argument, context)
            case Action.IGNORE:
                return people_handlers.ignore(argument, context)
            case Action.UNIGNORE:
                return people_handlers.unignore(argument, context)
            case Action.MUTE | Action.UNMUTE:
                return settings_handlers.set_muted(argument, call.command.action is Action.MUTE, context)
            case Action.SERVER:
                return target.change_server(argument)
            case Action.LIST:
                target.server_link.list_rooms(argument, requested_by_user=True)
            case Action.GO if argument and (open_room := context.session.find_room(argument)) is not None:
                target.room_navigation.go_to_room(open_room.name)  # an exact name needs no switcher
            case Action.GO:
                target.room_navigation.open_switcher(argument)
            case Action.TOPIC:
                _show_or_set_topic(room, argument, context, target)
            case Action.RECONNECT:
                target.server_link.reconnect_now()
            case Action.EDIT:
                return target.compose_controller.start(
                    ComposeKind.EDIT, room and room.last_message(is_own=True), argument
                )
            case Action.REPLY:
                return target.compose_controller.start(
                    ComposeKind.REPLY, room and room.last_message(is_own=False), argument
                )
            case Action.REACT:
                return target.compose_controller.start(ComposeKind.REACT, _newest_message(room), argument)
            case Action.SEARCH:
                target.message_navigation.open_search(argument)
            case Action.DATE:
                return target.message_navigation.go_to_day(argument)
            case Action.CLEAR:
                if room is not None:
                    room.transcript.clear_notices()
            case Action.THEME:
                return _set_theme(argument, context, target)
            case Action.SETTINGS:
                target.run_app_action("settings")
            case Action.SET:
                return settings_handlers.set_setting(call.arguments, context)
            case Action.NOTIFY:
                return settings_handlers.set_notification_level(argument, context)
            case Action.HELP:
                target.run_app_action("help")
            case Action.QUIT:
                target.run_app_action("quit_when_sent")
    except ChatError as error:
        return error_text.describe(error)
    return ""


def _show_or_set_topic(room: RoomView | None, argument: str, context: CommandContext, target: CommandTarget) -> None:
    if room is not None and argument:
        target.server_link.set_topic(room.name, validate_topic(argument))
    elif room is not None:
        context.session.add_notice(chat_strings.topic_changed(room.topic) if room.topic else tr(chat_strings.NO_TOPIC))


def _newest_message(room: RoomView | None) -> MessageLine | None:
    """Return the newest message of a room, regardless of its author."""
    candidates = [] if room is None else [room.last_message(is_own=own) for own in (True, False)]
    return max((line for line in candidates if line is not None), key=lambda line: line.seq or 0, default=None)


def _set_theme(name: str, context: CommandContext, target: CommandTarget) -> str:
    """Set a theme, or open the theme chooser without a name. Return the error message, empty on success."""
    if not name:
        target.run_app_action("choose_theme")
        return ""
    try:
        context.set_setting("theme", settings_schema.parse("theme", name))
    except ValueError as error:
        return str(error)
    return ""


def _leave_room(argument: str, context: CommandContext, target: CommandTarget) -> str:
    room = find_room(argument, context)
    if room is None:
        return no_room_text(argument)
    target.room_navigation.leave_room(room)
    return ""
