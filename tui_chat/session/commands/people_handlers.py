"""Handlers of the member commands `/whois`, `/ignore` and `/unignore`.

- Result: each handler returns an error message, "" on success.
"""

from datetime import datetime

from tui_chat.protocol import names
from tui_chat.protocol.events import Member
from tui_chat.session.commands.command_context import CommandContext
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import people as people_strings


def whois(nick: str, context: CommandContext) -> str:
    """Reply with the details of a member, from the current room first.

    For an absent nickname, reply with the last loaded message, or return an error message without one. A leading `@`
    and a final `:` are ignored.
    """
    rooms = list(context.session.rooms.values())
    current_room = context.session.current_room
    for room in sorted(rooms, key=lambda view: view is not current_room):
        member = _find_member(nick, room)
        if member is not None:
            context.reply(people_strings.whois(member.nick_name, _member_details(member, room, rooms, context)))
            return ""
    last_message = _find_last_message(_nick_key(nick), rooms)
    if last_message is None:
        return people_strings.no_such_nick(nick)
    context.reply(
        people_strings.whois(
            last_message.nick,
            [tr(people_strings.WHOIS_ABSENT), *_activity_details(last_message.nick, last_message, context)],
        )
    )
    return ""


def ignore(nick: str, context: CommandContext) -> str:
    """Ignore a nickname, or reply with the ignored nicknames if `nick` is empty.

    An ignored nickname is confirmed again without a change. The user's own nickname is an error.

    Raises:
        ChatError: The nickname is invalid.
    """
    current_settings = context.settings
    if not nick:
        context.reply(people_strings.ignored_nicks(current_settings.ignored))
        return ""
    name = names.validate_nickname(nick.removeprefix("@").rstrip(":"))
    room = context.session.current_room
    if room is not None and names.canonical_key(name) == names.canonical_key(room.nick):
        return tr(people_strings.CANNOT_IGNORE_YOURSELF)
    if not current_settings.is_ignored(name):
        context.set_setting("ignored", (*current_settings.ignored, name))
    context.reply(people_strings.nick_ignored(name))
    return ""


def unignore(nick: str, context: CommandContext) -> str:
    """Remove a nickname from the ignore list. A nickname that is not ignored is an error."""
    current_settings = context.settings
    folded_nick = nick.removeprefix("@").rstrip(":").casefold()
    remaining = tuple(name for name in current_settings.ignored if name.casefold() != folded_nick)
    if remaining == current_settings.ignored:
        return people_strings.nick_not_ignored(nick)
    context.set_setting("ignored", remaining)
    context.reply(people_strings.nick_unignored(nick))
    return ""


def _nick_key(nick: str) -> str:
    return names.canonical_key(nick.removeprefix("@").rstrip(":"))


def _find_last_message(key: str, rooms: list[RoomView]) -> MessageLine | None:
    lines = [line for line in (room.last_message_by_nick(key) for room in rooms) if line is not None]
    return max(lines, key=lambda line: line.ts, default=None)


def _find_member(nick: str, room: RoomView) -> Member | None:
    nick_key = _nick_key(nick)
    return next((member for member in room.members if names.canonical_key(member.nick_name) == nick_key), None)


def _member_details(member: Member, room: RoomView, rooms: list[RoomView], context: CommandContext) -> list[str]:
    is_own = member.member_id == room.member_id
    details = [tr(people_strings.WHOIS_YOU)] if is_own else []
    details.append(people_strings.whois_account(member.account) if member.account else tr(people_strings.WHOIS_GUEST))
    if member.role in people_strings.ROLES:
        details.append(tr(people_strings.ROLES[member.role]))
    if member.via:
        details.append(people_strings.whois_client_kind(member.via))
    shared_rooms = [
        view.name for view in rooms if any(present.member_id == member.member_id for present in view.members)
    ]
    details.append(people_strings.whois_rooms(shared_rooms))
    return details + _activity_details(member.nick_name, room.last_message_by(member.member_id), context)


def _activity_details(nick: str, last_message: MessageLine | None, context: CommandContext) -> list[str]:
    details: list[str] = []
    if last_message is not None:
        moment = datetime.fromtimestamp(last_message.ts / 1000)
        details.append(people_strings.whois_last_message(f"{moment:%Y-%m-%d %H:%M}"))
    if context.settings.is_ignored(nick):
        details.append(tr(people_strings.WHOIS_IGNORED))
    return details
