"""Handlers of the member commands `/whois`, `/ignore` and `/unignore`.

- Result: each handler returns its output, and raises `CommandRejected` for an error.
"""

from datetime import datetime

from tui_chat.protocol import names
from tui_chat.protocol.events import Member
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import people as people_strings


def whois(nick: str, context: CommandContext) -> str:
    """Return the details of a member, from the current room first.

    For an absent nickname, the last loaded message is described; without one, the command is rejected. A leading `@`
    and a final `:` are ignored.
    """
    nick_key = names.canonical_key(_strip_mention(nick))
    rooms = list(context.session.rooms.values())
    for room in sorted(rooms, key=lambda view: view is not context.session.current_room):
        for member in room.members:
            if names.canonical_key(member.nick_name) == nick_key:
                return people_strings.whois(member.nick_name, _member_details(member, room, rooms, context))
    messages = [line for room in rooms if (line := room.last_message_by_nick(nick_key)) is not None]
    if not messages:
        raise CommandRejected(tr(people_strings.NO_SUCH_NICK, nick=nick[:64]))
    last_message = max(messages, key=lambda line: line.ts)
    details = [tr(people_strings.WHOIS_ABSENT), *_activity_details(last_message.nick, last_message, context)]
    return people_strings.whois(last_message.nick, details)


def ignore(nick: str, context: CommandContext) -> str:
    """Ignore a nickname, or return the ignored nicknames if `nick` is empty.

    An ignored nickname is confirmed again without a change. The user's own nickname is rejected.

    Raises:
        ChatError: The nickname is invalid.
    """
    ignored = context.settings().ignored
    if not nick:
        return people_strings.ignored_nicks(ignored)
    name = names.validate_nickname(_strip_mention(nick))
    room = context.session.current_room
    if room is not None and names.canonical_key(name) == names.canonical_key(room.nick):
        raise CommandRejected(tr(people_strings.CANNOT_IGNORE_YOURSELF))
    if not context.settings().is_ignored(name):
        context.set_setting("ignored", (*ignored, name))
    return tr(people_strings.NICK_IGNORED, nick=name)


def unignore(nick: str, context: CommandContext) -> str:
    """Remove a nickname from the ignore list. A nickname that is not ignored is rejected."""
    ignored, folded_nick = context.settings().ignored, _strip_mention(nick).casefold()
    remaining = tuple(name for name in ignored if name.casefold() != folded_nick)
    if remaining == ignored:
        raise CommandRejected(tr(people_strings.NICK_NOT_IGNORED, nick=nick[:64]))
    context.set_setting("ignored", remaining)
    return tr(people_strings.NICK_UNIGNORED, nick=nick)


def _strip_mention(nick: str) -> str:
    return nick.removeprefix("@").rstrip(":")


def _member_details(member: Member, room: RoomView, rooms: list[RoomView], context: CommandContext) -> list[str]:
    shared_rooms = [
        view.name for view in rooms if any(present.member_id == member.member_id for present in view.members)
    ]
    return [
        tr(people_strings.WHOIS_YOU) if member.member_id == room.member_id else "",
        tr(people_strings.WHOIS_ACCOUNT, account=member.account) if member.account else tr(people_strings.WHOIS_GUEST),
        tr(people_strings.ROLES[member.role]) if member.role in people_strings.ROLES else "",
        tr(people_strings.WHOIS_CLIENT_KIND, kind=member.via) if member.via else "",
        tr(people_strings.WHOIS_ROOMS, rooms=", ".join(shared_rooms)),
        *_activity_details(member.nick_name, room.last_message_by(member.member_id), context),
    ]


def _activity_details(nick: str, last_message: MessageLine | None, context: CommandContext) -> list[str]:
    moment = f"{datetime.fromtimestamp(last_message.ts / 1000):%Y-%m-%d %H:%M}" if last_message is not None else ""
    return [
        tr(people_strings.WHOIS_LAST_MESSAGE, moment=moment) if moment else "",
        tr(people_strings.WHOIS_IGNORED) if context.settings().is_ignored(nick) else "",
    ]
