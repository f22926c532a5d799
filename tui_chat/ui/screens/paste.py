"""Confirmation of long pastes before anything is sent."""

from collections.abc import Callable
from math import inf

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.session.i18n import plural, tr
from tui_chat.session.paste import Paste, PasteMode
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.chat_view import ChatView


class PasteFlow:
    """Treatment of a large paste, from the dialog to the composer or the sent messages.

    Args:
        view: Widgets of the chat screen.
        send_verbatim: Sends text without command parsing, and returns the error message, empty on success.
    """

    def __init__(self, view: ChatView, send_verbatim: Callable[[str], str]) -> None:
        self._view = view
        self._send_verbatim = send_verbatim

    def confirm(self, text: str) -> None:
        """Open a dialog for the paste mode, which inserts, sends or discards the text.

        Args:
            text: Sanitized text.
        """
        paste = Paste(text)
        self._view.open_dialog(PasteScreen(paste), lambda mode: self._apply(paste, mode))

    def _apply(self, paste: Paste, mode: PasteMode | None) -> None:
        if mode is PasteMode.EDIT:
            self._view.composer.insert_text(paste.text)
        elif mode is not None:
            self._send(paste, mode)

    def _send(self, paste: Paste, mode: PasteMode) -> None:
        """Send the paste without command parsing: a leading `/` has no effect.

        A single message includes the composer text. After an error, the unsent rest moves into the composer.
        """
        composer = self._view.composer
        if mode is PasteMode.SINGLE_MESSAGE and composer.text:
            composer.insert_text(paste.text)
            paste = Paste(composer.text)
            composer.set_text("")
        messages = paste.messages(mode)
        for index, message in enumerate(messages):
            if error := self._send_verbatim(message):
                composer.set_text("\n".join(messages[index:]))  # keep the unsent rest
                self._view.show_error(error)
                break
        self._view.draw_changes()


MAX_PREVIEW_LINES = 8
MAX_PREVIEW_CHARACTERS = 200


class PasteScreen(ModalScreen[PasteMode | None]):
    """Dialog that returns the selected paste mode, None if cancelled.

    Args:
        paste: Pasted text.
    """

    CSS_PATH = "paste.tcss"
    BINDINGS = textual_bindings(KeyScope.PASTE_DIALOG)
    AUTO_FOCUS = "OptionList"

    def __init__(self, paste: Paste) -> None:
        super().__init__()
        self._paste = paste
        self._modes = paste.available_modes()
        self._opened_at = inf

    def compose(self) -> ComposeResult:
        """Yield a frame with a preview above the available modes and "discard".

        The preview has at most `MAX_PREVIEW_LINES` lines of `MAX_PREVIEW_CHARACTERS` characters.
        """
        lines = self._paste.text.split("\n", MAX_PREVIEW_LINES)
        preview = [line[:MAX_PREVIEW_CHARACTERS].expandtabs(4) for line in lines[:MAX_PREVIEW_LINES]]
        if len(lines) > MAX_PREVIEW_LINES:
            preview.append("…")
        with Vertical(id="paste"):
            yield Static("\n".join(preview), id="preview", markup=False)
            rows = [_mode_row(mode, tr(chat_strings.PASTE_OPTIONS[mode], count=count)) for mode, count in self._modes]
            yield OptionList(*(Option(row) for row in [*rows, _mode_row(None, tr("discard"))]), compact=True)

    def on_mount(self, event: events.Mount) -> None:
        """Show the size of the paste in the title, and highlight the first mode."""
        self.query_one("#paste").border_title = Content(
            plural(
                "Pasted: {count:,} line, {characters:,} characters",
                "Pasted: {count:,} lines, {characters:,} characters",
                self._paste.line_count,
                characters=len(self._paste.text),
            )
        )
        self.query_one(OptionList).highlighted = 0
        self._opened_at = event.time

    def on_key(self, event: events.Key) -> None:
        """Ignore keys that were pressed before the dialog opened."""
        if event.time < self._opened_at:
            event.stop()

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self, event: OptionList.OptionSelected) -> None:
        index = event.option_index
        self.dismiss(self._modes[index][0] if index < len(self._modes) else None)

    def action_choose(self, name: str) -> None:
        """Close the dialog with the mode that has the value `name` as result. No effect for an unavailable mode.

        `SINGLE_MESSAGE` falls back to `CHUNKS`.

        Raises:
            ValueError: No mode has this value.
        """
        mode, available = PasteMode(name), dict(self._modes)
        if mode is PasteMode.SINGLE_MESSAGE and mode not in available:
            mode = PasteMode.CHUNKS
        if mode in available:
            self.dismiss(mode)


def _mode_row(mode: PasteMode | None, text: str) -> Content:
    letter = {
        PasteMode.EDIT: "e",
        PasteMode.SINGLE_MESSAGE: "s",
        PasteMode.CHUNKS: "s",
        PasteMode.LINE_BY_LINE: "l",
        None: "Esc",
    }[mode]
    return Content.assemble((f"{letter:>4}  ", "$primary"), text)
