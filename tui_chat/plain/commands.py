"""What each command does in a chat of plain lines."""

from datetime import datetime
from itertools import islice

from server.protocol import names
from tui_chat.client import address
from tui_chat.client.room import Room
from tui_chat.plain import sentences
from tui_chat.plain.talk import SHOWN_AT_FIRST, Talk
from tui_chat.session import (
    commands,
    days,
    people_commands,
    refusals,
    search_words,
    setting_commands,
    setting_words,
    words,
)
from tui_chat.session.commands import Action, Call
from tui_chat.session.front import shrugged
from tui_chat.session.language import tr
from tui_chat.session.lines import ACTION
from tui_chat.session.writing import emoji_of


async def run(call: Call, talk: Talk) -> str:
    """Do a command; what there is to say of it, perhaps why it cannot be done. Raises `ChatError` when refused."""
    argument = call.arguments[0] if call.arguments else ""
    match call.command.action:
        case Action.JOIN:
            return await _join(names.validate_room_name(argument), talk)
        case Action.GO:
            return _go(argument, talk)
        case Action.LIST:
            found = await talk.chat.list_rooms(argument or None)
            return words.rooms_are([words.room_in_list(room.name, room.members, room.topic) for room in found])
        case Action.SET:
            return _set(call.arguments, talk)
        case Action.NOTIFY:
            return setting_commands.set_level(argument, talk)
        case Action.MUTE | Action.UNMUTE:
            return setting_commands.set_muted(argument, call.command.action is Action.MUTE, talk)
        case Action.WHOIS:
            return people_commands.whois(argument, talk)
        case Action.IGNORE:
            return people_commands.ignore(argument, talk)
        case Action.UNIGNORE:
            return people_commands.unignore(argument, talk)
        case Action.RECONNECT:
            talk.chat.reconnect_now()
            return ""
        case Action.SERVER:
            return _server(argument, talk)
        case Action.CLEAR:
            return tr("There is nothing to clear here: what was said is your terminal's, which clears it with Ctrl+L.")
        case Action.HELP:
            return "\n".join(f"{each.usage}: {tr(each.help)}" for each in commands.ALL if each.action in DONE_HERE)
        case Action.QUIT:
            talk.leaving.set()
            return ""
        case action if action not in DONE_HERE:
            return tr("/{command} is about the screen, and there is none here.", command=action.value)
        case _:
            room = talk.room
            return tr(words.NOT_IN_A_ROOM) if room is None else await _in_room(call, room, talk)


async def _in_room(call: Call, room: Room, talk: Talk) -> str:
    argument = call.arguments[0] if call.arguments else ""
    match call.command.action:
        case Action.PART:
            name = argument or room.name
            if talk.session.room(name) is None:
                return words.not_in(name)
            await talk.leave_room(name)
        case Action.NICK:
            return words.you_are_now(await talk.chat.change_nick(names.validate_nickname(argument)))
        case Action.NAMES:
            return words.members_are([member.nick_name for member in room.members.values()])
        case Action.ME:
            return talk.post(ACTION + argument)
        case Action.SHRUG:
            return talk.post(shrugged(argument))
        case Action.TOPIC if argument:
            await room.set_topic(argument)
        case Action.TOPIC:
            return words.topic_is(room.topic) if room.topic else tr(words.NO_TOPIC)
        case Action.SEARCH:
            found = await room.search(argument)
            return "\n".join(sentences.said_at(message) for message in found.messages) or tr(words.NOTHING_THERE)
        case Action.DATE:
            return await _day(argument, room)
        case Action.EDIT | Action.REPLY | Action.REACT:
            return await _about_last(call.command.action, argument, room)
        case _:
            pass
    return ""


async def _day(argument: str, room: Room) -> str:
    """What was said first on a day, or next after it."""
    day = days.parse(argument, datetime.now().astimezone().date())
    if day is None:
        return search_words.not_a_day(argument)
    first = await room.load_at_time(days.begin(day))
    if first is None:
        return tr(search_words.NOTHING_SAID_YET)
    found = list(islice((message for message in room.log.messages() if message.seq >= first), SHOWN_AT_FIRST))
    told = [sentences.said_at(message) for message in found]
    there = datetime.fromtimestamp(found[0].ts / 1000).date() if found else day
    if there != day:
        told.insert(0, search_words.nothing_on(day.isoformat(), there > day))
    return "\n".join(told)


async def _about_last(action: Action, argument: str, room: Room) -> str:
    """Change, answer or react to the last message that this can be about."""
    if not argument:
        return words.usage(next(each.usage for each in commands.ALL if each.action is action))
    messages = [message for message in room.log.messages() if not message.deleted]
    own = [message for message in messages if message.member_id == room.member_id]
    others = [message for message in messages if message.member_id != room.member_id]
    about = own if action is Action.EDIT else others if action is Action.REPLY else messages
    if not about:
        return tr(words.NOTHING_THERE)
    match action:
        case Action.EDIT:
            await room.edit(about[-1].seq, argument)
        case Action.REPLY:
            room.post(argument, about[-1].seq)
        case _:
            await room.react(about[-1].seq, emoji_of(argument))
    return ""


async def _join(name: str, talk: Talk) -> str:
    if talk.session.room(name) is not None:
        talk.show(name)
    else:
        await talk.enter(name, talk.room.nick if talk.room is not None else "")
    return ""


def _server(typed: str, talk: Talk) -> str:
    try:
        there = address.parse_address(typed)
    except ValueError as fault:
        return refusals.sentence(str(fault))
    if there.room:
        names.validate_room_name(there.room)
    talk.go_to_server(there)
    return ""


def _go(part: str, talk: Talk) -> str:
    views = list(talk.session.rooms.values())
    if not part:
        return "\n".join(sentences.unread(view.name, view.unread, view.mentions) for view in views)
    found = next((view for view in views if part.casefold() in view.name.casefold()), None)
    if found is None:
        return words.not_in(part)
    talk.show(found.name)
    return ""


def _set(arguments: tuple[str, ...], talk: Talk) -> str:
    refused = setting_commands.set_setting(arguments, talk)
    name = arguments[0].casefold() if arguments else ""
    if refused or not name or name in ACT_HERE:
        return refused
    return setting_words.setting_of_the_screen(name)


ACT_HERE = frozenset({"language", "come_back", "show_joins", "notify", "rooms", "ignored"})
"""The settings that mean something without a screen."""

DONE_HERE = frozenset(
    {
        Action.JOIN, Action.PART, Action.NICK, Action.ME, Action.SHRUG, Action.NAMES, Action.IGNORE, Action.UNIGNORE,
        Action.LIST, Action.GO, Action.TOPIC, Action.SEARCH, Action.RECONNECT, Action.EDIT, Action.REPLY, Action.REACT,
        Action.SET, Action.HELP, Action.QUIT, Action.NOTIFY, Action.MUTE, Action.UNMUTE, Action.WHOIS, Action.DATE,
        Action.SERVER,
    }
)  # fmt: skip
"""The commands that have a meaning without a screen."""
