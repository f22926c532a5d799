"""The command palette: the commands that can be typed, to be searched and run."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from tui_chat.session import commands
from tui_chat.session.commands import Action
from tui_chat.session.language import tr

if TYPE_CHECKING:
    from tui_chat.ui.app import ChatApp
    from tui_chat.ui.screens.chat import ChatScreen


def entries(app: "ChatApp", chat: "ChatScreen | None") -> Iterable[SystemCommand]:
    """What the palette offers; without the chat screen only what makes sense on the form.

    A command that needs words behind it is put into the composer instead of being run.
    """
    for command in commands.COMMANDS:
        if chat is not None:
            alone = command.min_arguments == 0
            run = chat.run_chosen if alone else chat.write
            text = f"/{command.name}" + ("" if alone else " ")
            yield SystemCommand(command.usage, tr(command.help), partial(run, text))
        elif command.action is Action.HELP:
            yield SystemCommand(command.usage, tr(command.help), app.action_help)
        elif command.action is Action.SETTINGS:
            yield SystemCommand(command.usage, tr(command.help), app.action_settings)
        elif command.action is Action.THEME:
            yield SystemCommand(command.usage, tr(command.help), app.action_themes)
        elif command.action is Action.QUIT:
            yield SystemCommand(command.usage, tr(command.help), app.action_leave)
