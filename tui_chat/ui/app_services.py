"""Services of the app for screens and widgets, independent of the app class."""

from typing import Any, Protocol, cast

from textual.app import App
from textual.dom import DOMNode
from textual.signal import Signal
from textual.worker import Worker, WorkerState

from tui_chat.session.settings.schema import ClientSettings
from tui_chat.ui.input.input_sequencer import InputSequencer
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.terminal.terminal_output import TerminalOutput


class AppServices(Protocol):
    """Part of `ChatApp` that screens and widgets use. Global dialogs open through app actions such as `app.settings`.

    Attributes:
        settings: Current settings.
        settings_changed: Signal with the new settings, published after each change.
        keymap: Effective key bindings.
        terminal: Output to the terminal.
        input_sequencer: Queue of undispatched input.
    """

    settings: ClientSettings
    settings_changed: Signal[ClientSettings]
    keymap: Keymap
    terminal: TerminalOutput
    input_sequencer: InputSequencer

    def change_setting(self, name: str, value: object) -> str:
        """Change and save a setting, with immediate effect.

        Args:
            name: Key of `tui_chat.session.settings.schema.fields`.
            value: Value as returned by `schema.parse`; None restores the default.

        Returns:
            Error message if the file could not be written, otherwise empty. The setting changes and
            `settings_changed` is published in both cases.
        """
        ...

    def preview_theme(self, name: str) -> None:
        """Display a theme without saving the choice; a terminal with few colors always has the theme `TERMINAL`."""

    def show_status(self, text: str) -> None:
        """Show a message in the status line, or on the join form."""

    def report_error(self, error: BaseException | None) -> None:
        """Log an unexpected error of background work, and show that an error is in the log."""


def app_services(node: DOMNode) -> AppServices:
    """Return the services of the app of `node`, which must be a `ChatApp`."""
    return cast("AppServices", app_of(node))


def report_worker_error(node: DOMNode, event: Worker.StateChanged) -> None:
    """Log and show the error of a failed worker of `node`; other worker states have no effect.

    Textual sends the event to the node only, so each node with workers calls this function.
    """
    if event.state is WorkerState.ERROR:
        app_services(node).report_error(event.worker.error)  # pyright: ignore[reportUnknownMemberType]


def app_of(node: DOMNode) -> "App[Any]":
    """Return the app of `node`."""
    return cast("App[Any]", node.app)  # pyright: ignore[reportUnknownMemberType]
