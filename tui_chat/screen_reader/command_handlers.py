"""Slash command handlers of the screen-reader mode."""

from datetime import datetime
from itertools import islice

from tui_chat.client.net import address
from tui_chat.client.room import Room
from tui_chat.protocol import names
from tui_chat.screen_reader import speech
from tui_chat.screen_reader.reader import INITIAL_MESSAGES, ScreenReader
from tui_chat.session import date_parser, error_text
from tui_chat.session.commands import people_handlers, registry, settings_handlers
from tui_chat.session.commands.command_context import shrug_text
from tui_chat.session.commands.registry import Action, CommandCall
from tui_chat.session.compose_mode import resolve_emoji
from tui_chat.session.i18n import tr
from tui_chat.session.lines import ACTION_PREFIX
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.strings import search as search_strings
from tui_chat.session.strings import settings as settings_strings


async def run_command(call: CommandCall, reader: ScreenReader) -> str:
    """Execute a slash command.

    Changes of the server give no output on success. Commands that need a screen return an error message.

    Returns:
        The text to announce, which may be an error message; "" for no output.

    Raises:
        ChatError: The command's argument is invalid or the server rejected the request.
    """
    argument = call.arguments[0] if call.arguments else ""
    match call.command.action:
        case Action.JOIN:
            return await _join_room(names.validate_room_name(argument), reader)
        case Action.GO:
            return _switch_room(argument, reader)
        case Action.LIST:
            rooms = await reader.client.list_rooms(argument or None)
            return chat_strings.room_list(
                [chat_strings.room_summary(room.name, room.members, room.topic) for room in rooms]
            )
        case Action.SET:
            return _change_setting(call.arguments, reader)
        case Action.NOTIFY:
            return settings_handlers.set_notification_level(argument, reader)
        case Action.MUTE | Action.UNMUTE:
            return settings_handlers.set_muted(argument, call.command.action is Action.MUTE, reader)
        case Action.WHOIS:
            return people_handlers.whois(argument, reader)
        case Action.IGNORE:
            return people_handlers.ignore(argument, reader)
        case Action.UNIGNORE:
            return people_handlers.unignore(argument, reader)
        case Action.RECONNECT:
            reader.client.reconnect_now()
            return ""
        case Action.SERVER:
            return _switch_server(argument, reader)
        case Action.CLEAR:
            return tr("/clear is not available in screen-reader mode. Ctrl+L clears the terminal.")
        case Action.HELP:
            return "\n".join(
                f"{command.usage}: {tr(command.help)}"
                for command in registry.COMMANDS
                if command.action in SUPPORTED_ACTIONS
            )
        case Action.QUIT:
            reader.finished.set()
            return ""
        case action if action not in SUPPORTED_ACTIONS:
            return tr("/{command} is not available in screen-reader mode.", command=action.value)
        case _:
            room = reader.room
            return tr(chat_strings.NOT_IN_A_ROOM) if room is None else await _run_in_room(call, room, reader)


async def _run_in_room(call: CommandCall, room: Room, reader: ScreenReader) -> str:
    argument = call.arguments[0] if call.arguments else ""
    match call.command.action:
        case Action.PART:
            name = argument or room.name
            if reader.session.find_room(name) is None:
                return chat_strings.not_in_room(name)
            await reader.leave_room(name)
        case Action.NICK:
            return chat_strings.own_nick_changed(await reader.client.change_nick(names.validate_nickname(argument)))
        case Action.NAMES:
            return chat_strings.member_list([member.nick_name for member in room.members.values()])
        case Action.ME:
            return reader.post(ACTION_PREFIX + argument)
        case Action.SHRUG:
            return reader.post(shrug_text(argument))
        case Action.TOPIC if argument:
            await room.set_topic(argument)
        case Action.TOPIC:
            return chat_strings.topic_changed(room.topic) if room.topic else tr(chat_strings.NO_TOPIC)
        case Action.SEARCH:
            results = await room.search(argument)
            return "\n".join(speech.dated_message_text(message) for message in results.messages) or tr(
                chat_strings.NO_SUCH_MESSAGE
            )
        case Action.DATE:
            return await _show_date(argument, room)
        case Action.EDIT | Action.REPLY | Action.REACT:
            return await _apply_to_last_message(call.command.action, argument, room)
        case _:
            pass
    return ""


async def _show_date(argument: str, room: Room) -> str:
    """Return the first messages of a day, or of the nearest day with messages.

    At most `INITIAL_MESSAGES` messages; another day is announced in the first line.
    """
    day = date_parser.parse(argument, datetime.now().astimezone().date())
    if day is None:
        return search_strings.invalid_date(argument)
    first_seq = await room.load_at_time(date_parser.start_of_day(day))
    if first_seq is None:
        return tr(search_strings.ROOM_EMPTY)
    messages = list(islice((message for message in room.log.messages() if message.seq >= first_seq), INITIAL_MESSAGES))
    lines = [speech.dated_message_text(message) for message in messages]
    found_date = datetime.fromtimestamp(messages[0].ts / 1000).date() if messages else day
    if found_date != day:
        lines.insert(0, search_strings.no_messages_on(day.isoformat(), found_date > day))
    return "\n".join(lines)


async def _apply_to_last_message(action: Action, argument: str, room: Room) -> str:
    """Edit, reply to or react to the newest eligible message.

    An edit targets the user's own messages, a reply those of other members, a reaction both. Without an argument, the
    usage is returned. A reaction is only added, never removed.
    """
    if not argument:
        return chat_strings.command_usage(
            next(command.usage for command in registry.COMMANDS if command.action is action)
        )
    messages = [message for message in room.log.messages() if not message.deleted]
    own_messages = [message for message in messages if message.member_id == room.member_id]
    other_messages = [message for message in messages if message.member_id != room.member_id]
    candidates = own_messages if action is Action.EDIT else other_messages if action is Action.REPLY else messages
    if not candidates:
        return tr(chat_strings.NO_SUCH_MESSAGE)
    match action:
        case Action.EDIT:
            await room.edit(candidates[-1].seq, argument)
        case Action.REPLY:
            room.post(argument, candidates[-1].seq)
        case _:
            await room.react(candidates[-1].seq, resolve_emoji(argument))
    return ""


async def _join_room(name: str, reader: ScreenReader) -> str:
    if reader.session.find_room(name) is not None:
        reader.show_room(name)
    else:
        await reader.join_room(name, reader.room.nick if reader.room is not None else "")
    return ""


def _switch_server(text: str, reader: ScreenReader) -> str:
    try:
        target = address.parse_address(text)
    except ValueError as error:
        return error_text.sentence(str(error))
    if target.room:
        names.validate_room_name(target.room)
    reader.switch_server(target)
    return ""


def _switch_room(query: str, reader: ScreenReader) -> str:
    views = list(reader.session.rooms.values())
    if not query:
        return "\n".join(speech.unread_text(view.name, view.unread_count, view.mention_count) for view in views)
    matching = next((view for view in views if query.casefold() in view.name.casefold()), None)
    if matching is None:
        return chat_strings.not_in_room(query)
    reader.show_room(matching.name)
    return ""


def _change_setting(arguments: tuple[str, ...], reader: ScreenReader) -> str:
    problem = settings_handlers.set_setting(arguments, reader)
    name = arguments[0].casefold() if arguments else ""
    if problem or not name or name in SUPPORTED_SETTINGS:
        return problem
    return settings_strings.screen_only_setting(name)


SUPPORTED_SETTINGS = frozenset({"language", "restore_rooms", "show_joins", "notify", "room_notifications", "ignored"})
"""Settings with an effect in the screen-reader mode."""

SUPPORTED_ACTIONS = frozenset(
    {
        Action.JOIN, Action.PART, Action.NICK, Action.ME, Action.SHRUG, Action.NAMES, Action.IGNORE, Action.UNIGNORE,
        Action.LIST, Action.GO, Action.TOPIC, Action.SEARCH, Action.RECONNECT, Action.EDIT, Action.REPLY, Action.REACT,
        Action.SET, Action.HELP, Action.QUIT, Action.NOTIFY, Action.MUTE, Action.UNMUTE, Action.WHOIS, Action.DATE,
        Action.SERVER,
    }
)  # fmt: skip
"""Commands available in the screen-reader mode."""
