"""The command palette: the commands that can be typed, to be searched and run."""

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
    """What the palette offers; without the chat screen only what makes sense on the form.

    A command that needs words behind it is put into the composer instead of being run.
    """
    for command in registry.COMMANDS:
        if chat is not None:
            takes_no_arguments = command.min_arguments == 0
            run = chat.run_palette_command if takes_no_arguments else chat.set_composer_text
            text = f"/{command.name}" + ("" if takes_no_arguments else " ")
            yield SystemCommand(command.usage, tr(command.help), partial(run, text))
        elif command.action is Action.HELP:
            yield SystemCommand(command.usage, tr(command.help), app.action_help)
        elif command.action is Action.SETTINGS:
            yield SystemCommand(command.usage, tr(command.help), app.action_settings)
        elif command.action is Action.THEME:
            yield SystemCommand(command.usage, tr(command.help), app.action_choose_theme)
        elif command.action is Action.QUIT:
            yield SystemCommand(command.usage, tr(command.help), app.action_quit_when_sent)
