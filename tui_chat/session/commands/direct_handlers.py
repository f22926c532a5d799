"""Handlers of the direct message commands `/query` and `/msg`."""

from collections.abc import Callable

from tui_chat.client.room import Room
from tui_chat.session.commands.background import require_room, run_in_background
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.commands.moderation_handlers import find_person
from tui_chat.session.i18n import tr
from tui_chat.session.session_events import RequestCompleted


def _query(argument: str, context: CommandContext) -> None:
    run_in_background(_open(require_room("query", context), argument, context, needs_text=False), context)


def _send(argument: str, context: CommandContext) -> None:
    run_in_background(_open(require_room("msg", context), argument, context, needs_text=True), context)


async def _open(room: Room, argument: str, context: CommandContext, *, needs_text: bool) -> str:
    """Open the direct room with the person at the start of the argument, and send the rest of the argument if any."""
    person, text = await find_person(room, argument.removeprefix("@"))
    if needs_text and not text:
        raise CommandRejected(tr("Enter a text after the nickname."))
    direct = await context.link.require_client().user.open_direct([person])
    if text:
        direct.post(text)
    context.link.event_queue.put(RequestCompleted(lambda: context.go_to_room(direct.name)))
    return ""


HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {"query": _query, "msg": _send}
"""Handlers by command name."""
