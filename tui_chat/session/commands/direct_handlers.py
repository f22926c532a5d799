"""Handlers of the commands for direct messages and blocks.

- Target: the longest nickname at the start of the argument among the members of the current room, of the direct rooms
  of two and of the other open rooms, in this order; otherwise a person as for moderation commands.
"""

from collections.abc import Callable
from itertools import chain

from msgspec.structs import replace

from tui_chat.protocol.errors import Forbidden
from tui_chat.protocol.events import MemberRef
from tui_chat.session.commands.background import begin_switch, require_room, run_in_background
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.commands.moderation_handlers import (
    find_person,
    list_present,
    match_person,
)
from tui_chat.session.commands.people_handlers import strip_mention
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings


def _query(argument: str, context: CommandContext) -> None:
    require_room("query", context)
    run_in_background(_open(argument, context, needs_text=False), context)


def _send(argument: str, context: CommandContext) -> None:
    require_room("msg", context)
    run_in_background(_open(argument, context, needs_text=True), context)


async def _open(argument: str, context: CommandContext, *, needs_text: bool) -> str:
    """Open the direct room with the person at the start of the argument, and show the room. Return "".

    The rest of the argument, if any, is queued as a message; without a rest, `needs_text` raises `CommandRejected`.
    """
    switch_to = begin_switch(context)
    person, text = await _find_in_rooms(strip_mention(argument), context)
    if needs_text and not text:
        raise CommandRejected(tr("Enter a text after the nickname."))
    direct = await context.link.require_client().user.open_direct([person])
    if text:
        direct.post(text)
    switch_to(direct.name)
    return ""


async def _find_in_rooms(argument: str, context: CommandContext) -> tuple[MemberRef, str]:
    """Return the person at the start of the argument, and the rest of the argument.

    Raises:
        ChatError: A request failed.
        CommandRejected: No person has this nickname.
    """
    current_room = context.session.current_room
    views = sorted(context.session.rooms.values(), key=lambda view: view is not current_room)
    rooms = [room for view in views if (room := context.link.find_room(view.name)) is not None]
    present = [list_present(room) for room in rooms]
    contacts = context.session.durable_rooms.direct_contacts
    found = match_person(argument, chain(*present[:1], contacts, *present[1:]))
    if found is not None:
        return found
    for room in rooms:
        try:
            return await find_person(room, argument)
        except CommandRejected:
            continue
    raise CommandRejected(chat_strings.no_such_nick(argument.split(maxsplit=1)[0]))


def _block(argument: str, context: CommandContext) -> None:
    require_room("block", context)
    run_in_background(_block_person(strip_mention(argument), context), context)


async def _block_person(argument: str, context: CommandContext) -> str:
    """Block the person at the start of the argument, and return the confirmation.

    Raises:
        ChatError: A request failed.
        CommandRejected: The person is unknown or the user, or the user is a guest.
    """
    person, _ = await _find_in_rooms(argument, context)
    view = context.session.current_room
    if view is not None and person.member_id == view.member_id:
        raise CommandRejected(tr("You cannot block yourself."))
    try:
        await context.link.require_client().user.block(person.member_id)
    except Forbidden as error:
        if error.reason == "account_required":
            raise CommandRejected(tr("Blocks need an account. /ignore hides messages on this device.")) from None
        raise
    nick = chat_strings.quote_nick(person.nick_name)
    return tr("{nick} is blocked: no direct messages and no mentions, and messages are hidden.", nick=nick)


def _unblock(argument: str, context: CommandContext) -> None:
    context.require_connection("unblock")
    run_in_background(_unblock_person(strip_mention(argument), context), context)


async def _unblock_person(argument: str, context: CommandContext) -> str:
    """Unblock the blocked person at the start of the argument, and return the confirmation.

    Raises:
        ChatError: A request failed.
        CommandRejected: No blocked person has this nickname.
    """
    found = match_person(argument, await _read_blocks(context))
    if found is None:
        raise CommandRejected(tr("{nick} is not blocked.", nick=argument[:64]))
    person = found[0]
    await context.link.require_client().user.unblock(person.member_id)
    return tr("{nick} is no longer blocked.", nick=chat_strings.quote_nick(person.nick_name))


def _list_blocks(_: str, context: CommandContext) -> None:
    context.require_connection("blocks")

    async def list_blocks() -> str:
        nicks = [person.nick_name for person in await _read_blocks(context)]
        return tr("Blocked: {nicks}", nicks=", ".join(nicks)) if nicks else tr("You have not blocked anybody.")

    run_in_background(list_blocks(), context)


async def _read_blocks(context: CommandContext) -> list[MemberRef]:
    """Return the blocked persons; a guest who left gets the nickname `guest-` and six characters of the member id."""
    blocks = await context.link.require_client().user.list_blocks()
    return [replace(person, nick_name=person.nick_name or f"guest-{person.member_id[:6]}") for person in blocks]


HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {
    "query": _query,
    "msg": _send,
    "block": _block,
    "unblock": _unblock,
    "blocks": _list_blocks,
}
"""Handlers by command name."""
