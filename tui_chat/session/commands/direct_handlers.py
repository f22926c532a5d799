"""Handlers of the direct message commands `/query` and `/msg`.

- Target: a person of the current room, otherwise of another open room, as for moderation commands.
"""

from collections.abc import Callable

from tui_chat.protocol.events import MemberRef
from tui_chat.session.commands.background import require_room, run_in_background
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.commands.moderation_handlers import find_person
from tui_chat.session.i18n import tr
from tui_chat.session.session_events import RequestCompleted
from tui_chat.session.strings import chat as chat_strings


def _query(argument: str, context: CommandContext) -> None:
    require_room("query", context)
    run_in_background(_open(argument, context, needs_text=False), context)


def _send(argument: str, context: CommandContext) -> None:
    require_room("msg", context)
    run_in_background(_open(argument, context, needs_text=True), context)


async def _open(argument: str, context: CommandContext, *, needs_text: bool) -> str:
    """Open the direct room with the person at the start of the argument, and send the rest of the argument if any."""
    person, text = await _find_in_rooms(argument.removeprefix("@"), context)
    if needs_text and not text:
        raise CommandRejected(tr("Enter a text after the nickname."))
    direct = await context.link.require_client().user.open_direct([person])
    if text:
        direct.post(text)
    context.link.event_queue.put(RequestCompleted(lambda: context.go_to_room(direct.name)))
    return ""


async def _find_in_rooms(argument: str, context: CommandContext) -> tuple[MemberRef, str]:
    """Return the person at the start of the argument, from the current room first, and the rest of the argument.

    Raises:
        CommandRejected: No person in the open rooms has this nickname.
    """
    current_room = context.session.current_room
    views = sorted(context.session.rooms.values(), key=lambda view: view is not current_room)
    for room in filter(None, [context.link.find_room(view.name) for view in views]):
        try:
            return await find_person(room, argument)
        except CommandRejected:
            continue
    raise CommandRejected(chat_strings.no_such_nick(argument.split(maxsplit=1)[0]))


HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {"query": _query, "msg": _send}
"""Handlers by command name."""
