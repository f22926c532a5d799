"""Slash commands as entries of Textual's command palette."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from tui_chat.session.commands import registry
from tui_chat.session.commands.registry import Action
from tui_chat.session.i18n import tr

if TYPE_CHECKING:
    from tui_chat.ui.app import ChatApp
    from tui_chat.ui.screens.chat import ChatScreen


def system_commands(app: "ChatApp", chat: "ChatScreen | None") -> Iterable[SystemCommand]:
    """Yield the commands of the palette.

    A command with required arguments is inserted into the composer. All others run immediately.

    Args:
        app: App that runs the commands of the join form.
        chat: Active chat screen, None on the join form, where only app commands are available.
    """
    for command in registry.COMMANDS:
        if chat is not None:
            is_complete = command.min_arguments == 0
            run = chat.run_palette_command if is_complete else chat.set_composer_text
            text = f"/{command.name}" + ("" if is_complete else " ")
            yield SystemCommand(command.usage, tr(command.help), partial(run, text))
        elif command.action is Action.HELP:
            yield SystemCommand(command.usage, tr(command.help), app.action_help)
        elif command.action is Action.SETTINGS:
            yield SystemCommand(command.usage, tr(command.help), app.action_settings)
        elif command.action is Action.THEME:
            yield SystemCommand(command.usage, tr(command.help), app.action_choose_theme)
        elif command.action is Action.QUIT:
            yield SystemCommand(command.usage, tr(command.help), app.action_quit_when_sent)
