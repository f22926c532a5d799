"""Slash commands as entries of Textual's command palette."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from textual.app import SystemCommand

from tui_chat.session.commands import registry
from tui_chat.session.commands.registry import Action
from tui_chat.session.i18n import tr


def room_commands(run: Callable[[str], None], insert: Callable[[str], None]) -> Iterable[SystemCommand]:
    """Yield the palette entries of the chat screen.

    Args:
        run: Runs a command without required arguments.
        insert: Inserts a command with required arguments into the composer.
    """
    for command in registry.COMMANDS:
        is_complete = command.min_arguments == 0
        callback = partial(run, f"/{command.name}") if is_complete else partial(insert, f"/{command.name} ")
        yield SystemCommand(command.usage, tr(command.help), callback)


def app_commands(callbacks: Mapping[Action, Callable[[], None]]) -> Iterable[SystemCommand]:
    """Yield the palette entries of the join form: the commands with a callback."""
    for command in registry.COMMANDS:
        if command.action in callbacks:
            yield SystemCommand(command.usage, tr(command.help), callbacks[command.action])
