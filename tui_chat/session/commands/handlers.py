"""Table of the slash command handlers that all front ends share.

- Result: each handler returns its output, if any, and raises `CommandRejected` or `ChatError` for an error.
- Requests: a failure arrives later as `RequestFailed`.
- Other commands: `CommandContext.front_end_handlers` has those that depend on the front end.
"""

import re
from collections.abc import Callable
from functools import partial
from itertools import islice

from tui_chat.client.net import address
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.sanitize import validate_topic
from tui_chat.session import error_text
from tui_chat.session.commands import (
    direct_handlers,
    file_handlers,
    moderation_handlers,
    people_handlers,
    registry,
    room_handlers,
    settings_handlers,
)
from tui_chat.session.commands.command_context import CommandContext
from tui_chat.session.commands.message_targets import find_own_message
from tui_chat.session.commands.registry import CommandRejected
from tui_chat.session.compose_mode import ComposeKind
from tui_chat.session.i18n import tr
from tui_chat.session.lines import ACTION_PREFIX, MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings


def run_input(text: str, context: CommandContext) -> str:
    """Queue the text as a message, or run the command in it. The output of a command becomes a notice.

    Returns:
        Text of a `ChatError` or `CommandRejected`, error of a message that is not queued, or result of a handler of
        `CommandContext.front_end_handlers`; otherwise "".
    """
    try:
        call = registry.parse(text)
        if isinstance(call, str):
            return context.send(call)
        name, argument = call.command.name, " ".join(call.arguments)
        if name in context.front_end_handlers:
            return context.front_end_handlers[name](argument) or ""
        output = HANDLERS[name](argument, context)
    except ChatError as error:
        return error_text.describe(error)
    except CommandRejected as error:
        return str(error)
    if output:
        context.session.add_notice(output)
    return ""


def _change_nick(argument: str, context: CommandContext) -> None:
    nick = names.validate_nickname(argument)
    context.require_connection("nick")
    context.link.change_nick(nick)


def _list_members(argument: str, context: CommandContext) -> None:
    """Show the members with the argument in their nickname (case ignored), all stored ones for an empty argument.

    If some members of the room are not stored, a limited number of matching ones is requested first; an error of the
    request is shown instead. For an empty argument, the count includes the members that are not stored.
    """
    room, key = context.room(), names.canonical_key(argument) if argument else ""

    def show_members() -> None:
        members = [member for member in room.members if key in names.canonical_key(member.nick_name)]
        count = len(members) if key else room.member_count
        context.show_output(chat_strings.member_list(members, count, argument))

    if room.member_count > len(room.members):
        context.link.load_members(room.name, argument, show_members)
    else:
        show_members()


def _send_action(argument: str, context: CommandContext) -> None:
    _reject_if(context.send(ACTION_PREFIX + argument))


def _send_shrug(argument: str, context: CommandContext) -> None:
    _reject_if(context.send(rf"{argument} ¯\_(ツ)_/¯".lstrip()))


def _list_rooms(argument: str, context: CommandContext) -> None:
    context.require_connection("list")
    context.link.list_rooms(argument, requested_by_user=True)


def _show_or_set_topic(argument: str, context: CommandContext) -> str | None:
    """Return the topic of the current room, or request the one in the argument and return None.

    Raises:
        ChatError: The topic is invalid.
        CommandRejected: No open room, or no connection for a request.
    """
    room = context.room()
    if argument:
        topic = validate_topic(argument)
        context.require_connection("topic")
        context.link.set_topic(room.name, topic)
        return None
    return chat_strings.topic_changed(room.topic) if room.topic else tr("This room has no topic.")


def _change_server(argument: str, context: CommandContext) -> None:
    """Show or join the room of an address on the current server; for any other address, change the server.

    An invite for a room of the current server is stored for the join. An address of the current server without a room
    ends the session too, and connects again.
    """
    server = address.parse_address(argument)
    room = names.validate_room_name(server.room) if server.room else ""
    if room and server.base_url == context.link.url:
        if server.invite:
            context.link.invites[names.canonical_key(room)] = server.invite
        context.go_to_room(room)
    else:
        context.change_server(argument)


def _join(argument: str, context: CommandContext) -> None:
    """Show or join a room by name, by a `chat://` link, or by an invite link of the page (`_change_server`)."""
    if address.is_room_link(argument):
        _change_server(argument, context)
    else:
        context.go_to_room(names.validate_room_name(argument))


def _compose(kind: ComposeKind, argument: str, context: CommandContext) -> None:
    """Edit the user's last message, reply to the last message of another member, or react to the last message."""
    _reject_if(context.compose(kind, _TARGETS[kind](context.room()), argument))


def _last_message(room: RoomView) -> MessageLine | None:
    """Return the newest acknowledged message with a visible text, None without one."""
    candidates = [line for own in (True, False) if (line := room.last_message(is_own=own)) is not None]
    return max(candidates, key=lambda line: line.seq or 0, default=None)


def _mark_unread(argument: str, context: CommandContext) -> str:
    """Mark the last messages of other members as unread: one, or the number in the argument. Return a confirmation.

    All messages after the first of them count as unread too. Rejected if fewer are loaded.
    """
    if argument and not re.fullmatch("[1-9][0-9]{0,8}", argument):
        raise CommandRejected(registry.usage_error("unread"))
    view = context.room()
    line = next(islice(view.received_lines(), int(argument or 1) - 1, None), None)
    if line is None or line.seq is None:
        raise CommandRejected(tr(chat_strings.NO_SUCH_MESSAGE))
    context.mark_unread(view, line.seq)
    return chat_strings.marked_unread(line)


def _reject_if(error: str) -> None:
    if error:
        raise CommandRejected(error)


_TARGETS: dict[ComposeKind, Callable[[RoomView], MessageLine | None]] = {
    ComposeKind.EDIT: find_own_message,
    ComposeKind.REPLY: lambda room: room.last_message(is_own=False),
    ComposeKind.REACT: _last_message,
}

HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {
    "join": _join,
    "part": lambda argument, context: context.leave_room(context.room(argument)),
    "nick": _change_nick,
    "me": _send_action,
    "shrug": _send_shrug,
    "names": _list_members,
    "whois": people_handlers.whois,
    "ignore": people_handlers.ignore,
    "unignore": people_handlers.unignore,
    "mentions": people_handlers.list_mentions,
    "away": people_handlers.set_away,
    "back": people_handlers.set_back,
    **moderation_handlers.HANDLERS,
    **room_handlers.HANDLERS,
    **direct_handlers.HANDLERS,
    **file_handlers.HANDLERS,
    "mute": settings_handlers.mute,
    "unmute": settings_handlers.unmute,
    "list": _list_rooms,
    "topic": _show_or_set_topic,
    "reconnect": lambda _, context: context.link.reconnect_now(),
    "server": _change_server,
    "edit": partial(_compose, ComposeKind.EDIT),
    "reply": partial(_compose, ComposeKind.REPLY),
    "react": partial(_compose, ComposeKind.REACT),
    "unread": _mark_unread,
    "set": settings_handlers.set_setting,
    "notify": settings_handlers.set_notification_level,
}
