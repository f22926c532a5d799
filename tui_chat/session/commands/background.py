"""Requests of commands in the background, with their outputs and errors, and calls in the order of the events."""

from collections.abc import Callable, Coroutine
from typing import Any

from tui_chat.client.room import Room
from tui_chat.protocol.errors import Forbidden
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.session_events import RequestCompleted, RequestFailed
from tui_chat.session.strings import chat as chat_strings


def run_in_background(request: Coroutine[Any, Any, str], context: CommandContext) -> None:
    """Start the request of a command; its output, if not empty, is shown after the events so far.

    A `ChatError` or `CommandRejected` of the request is shown as an error, any other exception as an internal error.
    """

    async def run() -> None:
        events = context.link.event_queue
        try:
            output = await request
        except CommandRejected as error:
            events.put(RequestFailed(str(error)))
        else:
            if output:
                events.put(RequestCompleted(lambda: context.show_output(output)))

    context.link.start(run())


def send_in_order(send: Callable[[], str], context: CommandContext) -> None:
    """Queue a call of `send` after the events so far; the error message that `send` returns, if any, is shown."""
    events = context.link.event_queue

    def run() -> None:
        if problem := send():
            events.put(RequestFailed(problem))

    events.put(RequestCompleted(run))


def begin_switch(context: CommandContext) -> Callable[[str], None]:
    """Begin a switch to a room whose name is unknown until a request completes.

    Returns:
        Function that takes the name and queues the switch after the events so far. If the user has requested another
        switch meanwhile, the room is only opened.
    """
    session, link, switch = context.session, context.link, context.session.begin_switch()

    def show(room: str) -> None:
        view = session.current_room
        if session.switch_number == switch:
            context.go_to_room(room)
        elif view is not None and session.find_room(room) is None:
            link.join(room, view.nick, switch)

    return lambda room: link.event_queue.put(RequestCompleted(lambda: show(room)))


def require_room(command: str, context: CommandContext) -> Room:
    """Return the current room for a command that needs the server.

    Raises:
        CommandRejected: No room is open, the client is not connected (the text names the command), or the current room
            is being closed.
    """
    view = context.room()
    context.require_connection(command)
    room = context.link.find_room(view.name)
    if room is None:
        raise CommandRejected(chat_strings.not_in_room(view.name))
    return room


def require_owner(room: Room) -> None:
    """Check the role of the user before a command for owners asks for confirmation.

    Raises:
        Forbidden: The user is neither an owner of the room nor an administrator.
    """
    if room.role not in ("owner", "admin"):
        raise Forbidden("owner_only")
