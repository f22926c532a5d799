"""Slash commands as entries of Textual's command palette."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from textual.app import SystemCommand

from tui_chat.session.commands import registry
from tui_chat.session.i18n import tr

_APP_ACTIONS = {
    "help": "app.help",
    "settings": "app.settings",
    "theme": "app.choose_theme",
    "quit": "app.quit_when_sent",
}


def room_commands(run: Callable[[str], None], insert: Callable[[str], None]) -> Iterable[SystemCommand]:
    """Yield the palette entries of the chat screen: all slash commands, by their usage.

    Args:
        run: Runs a command without required arguments.
        insert: Inserts a command with required arguments into the composer.
    """
    for command in registry.COMMANDS:
        callback = partial(insert, f"/{command.name} ") if command.min_arguments else partial(run, f"/{command.name}")
        yield SystemCommand(command.usage, tr(command.help), callback)


def app_commands(run_action: Callable[[str], Awaitable[object]]) -> Iterable[SystemCommand]:
    """Return the palette entries of the other screens: `/theme`, `/settings`, `/help` and `/quit`.

    Args:
        run_action: Runs a Textual action.
    """
    return (
        SystemCommand(command.usage, tr(command.help), partial(run_action, _APP_ACTIONS[command.name]))
        for command in registry.COMMANDS
        if command.name in _APP_ACTIONS
    )
