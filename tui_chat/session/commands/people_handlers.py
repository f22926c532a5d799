"""Handlers of the member commands `/whois`, `/ignore`, `/unignore`, `/mentions`, `/away` and `/back`.

- Result: each handler returns its output, None for a later output. `/mentions`, `/away` and `/back` raise
  `CommandRejected` without a connection; an error of a request is shown later.
- Arguments: a nickname may have a leading `@` and further colons at the end (`parse_nick`).
"""

from collections.abc import Callable

from tui_chat.protocol import names
from tui_chat.protocol.events import Member
from tui_chat.session.commands.background import run_in_background
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.file_captions import phrase_files, with_files
from tui_chat.session.i18n import mark, tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_titles import find_room_title
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings.name_lookup import is_ignored
from tui_chat.session.strings import chat as chat_strings, moderation as moderation_strings

_ROLES = {"owner": mark("owner of this room"), "moderator": mark("moderator of this room")}


def whois(nick: str, context: CommandContext) -> str | None:
    """Return the details of a listed member of any open room, the current room first.

    For another nickname, the members of the current room are loaded from the server if some are not listed; the result
    is None, and `show_output` shows the details or an error later. For an absent nickname, the author of the newest
    loaded message is described.

    Raises:
        CommandRejected: No listed member and no loaded message has this nickname.
    """
    name = parse_nick(nick, lambda name: _is_known(name, context))
    room = context.session.current_room
    details = _describe_member(name, context)
    if not details and room is not None and room.member_count > len(room.members):
        context.link.load_members(
            room.name,
            name,
            lambda: context.show_output(
                _describe_member(name, context)
                or _describe_absent_author(name, context)
                or chat_strings.no_such_nick(nick)
            ),
        )
        return None
    details = details or _describe_absent_author(name, context)
    if not details:
        raise CommandRejected(chat_strings.no_such_nick(nick))
    return details


def _is_known(name: str, context: CommandContext) -> bool:
    """Return whether a listed member or the author of a loaded message has this nickname, in any open room."""
    return bool(_describe_member(name, context) or _describe_absent_author(name, context))


def _describe_member(name: str, context: CommandContext) -> str:
    """Return the details of a listed member of an open room, the current room first; empty for another nickname."""
    nick_key, rooms = names.canonical_key(name), list(context.session.rooms.values())
    for room in sorted(rooms, key=lambda view: view is not context.session.current_room):
        for member in room.members:
            if names.canonical_key(member.nick_name) == nick_key:
                return _join_details(member.nick_name, *_member_details(member, room, rooms, context))
    return ""


def _describe_absent_author(name: str, context: CommandContext) -> str:
    """Return the details of the author of the newest loaded message under a nickname in any room, "" without one."""
    nick_key = names.canonical_key(name)
    messages = [
        line
        for room in context.session.rooms.values()
        if (line := room.find_newest(lambda line: names.canonical_key(line.nick) == nick_key)) is not None
    ]
    if not messages:
        return ""
    last_message = max(messages, key=lambda line: line.ts)
    return _join_details(
        last_message.nick, tr("not in your rooms"), *_activity_details(last_message.nick, last_message, context)
    )


def ignore(nick: str, context: CommandContext) -> str:
    """Ignore a nickname, or return the ignored nicknames if `nick` is empty.

    The nickname is added to the setting `ignored`. An ignored nickname is confirmed again without a change.

    Raises:
        ChatError: The nickname is invalid.
        CommandRejected: The nickname is that of the user in the current room.
    """
    ignored = context.settings().ignored
    if not nick:
        return tr("Ignored: {nicks}", nicks=", ".join(ignored)) if ignored else tr("The ignore list is empty.")
    name = names.validate_nickname(parse_nick(nick, lambda name: _is_known(name, context)))
    room = context.session.current_room
    if room is not None and names.canonical_key(name) == names.canonical_key(room.nick):
        raise CommandRejected(tr("You cannot ignore yourself."))
    if not is_ignored(context.settings(), name):
        context.set_setting("ignored", (*ignored, name))
    return tr("{nick} is ignored. /unignore {nick} shows the messages again.", nick=name)


def unignore(nick: str, context: CommandContext) -> str:
    """Remove a nickname, in any case, from the setting `ignored`. A nickname that is not ignored is rejected."""
    ignored, name = context.settings().ignored, parse_nick(nick, lambda name: is_ignored(context.settings(), name))
    nick_key = names.canonical_key(name)
    remaining = tuple(ignored_name for ignored_name in ignored if names.canonical_key(ignored_name) != nick_key)
    if remaining == ignored:
        raise CommandRejected(tr("{nick} is not ignored.", nick=name[:64]))
    context.set_setting("ignored", remaining)
    return tr("{nick} is no longer ignored.", nick=name)


def list_mentions(_: str, context: CommandContext) -> None:
    """Show the first page of the messages of all rooms that mention the account, newest first."""
    context.require_connection("mentions")
    run_in_background(_list_mentions(context), context)


async def _list_mentions(context: CommandContext) -> str:
    """Return a line with local time, room, author and text for each message, and a further line for its files."""
    page = await context.link.require_client().user.list_mentions()
    lines: list[str] = []
    for message in page.messages:
        room, moment = find_room_title(context.session, message.room), chat_strings.date_and_time(message.ts)
        quote = chat_strings.quote(message.nick_name, message.message)
        lines.append(with_files(f"{moment} {room} · {quote}", phrase_files(message)))
    return "\n".join(lines) or tr("No mentions.")


def set_away(text: str, context: CommandContext) -> None:
    """Set the status of the user to away in the background, then show a confirmation; the text may be empty."""
    context.require_connection("away")
    run_in_background(_set_status(context, is_away=True, text=text), context)


def set_back(_: str, context: CommandContext) -> None:
    """Remove the away status in the background, then show a confirmation."""
    context.require_connection("back")
    run_in_background(_set_status(context, is_away=False), context)


async def _set_status(context: CommandContext, *, is_away: bool, text: str = "") -> str:
    await context.link.require_client().user.set_status(away=is_away, text=text)
    return tr("You are away. /back removes the status.") if is_away else tr("You are back.")


def parse_nick(nick: str, is_known: Callable[[str], bool]) -> str:
    """Return a nickname argument without the `@` of a mention, and without final colons unless known with them."""
    name = strip_mention(nick)
    candidates = (name, name.removesuffix(":"))
    return next((known for known in candidates if known.endswith(":") and is_known(known)), name.rstrip(":"))


def strip_mention(argument: str) -> str:
    """Return an argument without the `@` of a mention at its start; an `@` alone stays."""
    return argument.removeprefix("@") or argument


def _join_details(nick: str, *details: str) -> str:
    return f"{nick}: {' · '.join(filter(None, details))}"


def _member_details(member: Member, room: RoomView, rooms: list[RoomView], context: CommandContext) -> list[str]:
    """Return the details of a member in the order of `/whois`; a detail that does not apply is empty."""
    blocked_member_ids = context.session.ignore_filter.blocked_member_ids
    shared_rooms = [
        view.title for view in rooms if any(present.member_id == member.member_id for present in view.members)
    ]
    return [
        tr("that is you") if member.member_id == room.member_id else "",
        tr(chat_strings.LOOKS_LIKE_ANOTHER) if member.confusable else "",
        tr("account {account}", account=member.account) if member.account else tr("guest"),
        tr(_ROLES[member.role]) if member.role in _ROLES else "",
        "" if member.away is None else moderation_strings.away(member.away),
        tr("blocked: messages are hidden") if member.member_id in blocked_member_ids else "",
        tr("basic client ({kind}): may not show edits and reactions", kind=member.via) if member.via else "",
        tr("in {rooms}", rooms=", ".join(shared_rooms)),
        *_activity_details(
            member.nick_name, room.find_newest(lambda line: line.member_id == member.member_id), context
        ),
    ]


def _activity_details(nick: str, last_message: MessageLine | None, context: CommandContext) -> list[str]:
    moment = chat_strings.date_and_time(last_message.ts) if last_message is not None else ""
    return [
        tr("last message at {moment}", moment=moment) if moment else "",
        tr("ignored: messages are hidden") if is_ignored(context.settings(), nick) else "",
    ]
