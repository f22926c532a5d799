"""Confirmation of long pastes before anything is sent."""

from collections.abc import Callable

from textual import events, on
from textual.widgets import OptionList

from tui_chat.session.i18n import plural, tr
from tui_chat.session.paste import Paste, PasteMode
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.chat_view import ChatView
from tui_chat.ui.screens.choice_dialog import ChoiceDialog


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

        A single message includes the composer text. After an error, the unsent rest is inserted into the composer.
        """
        composer = self._view.composer
        if mode is PasteMode.SINGLE_MESSAGE and composer.text:
            composer.insert_text(paste.text)
            paste = Paste(composer.text)
            composer.set_text("")
        messages = paste.messages(mode)
        for index, message in enumerate(messages):
            if error := self._send_verbatim(message):
                composer.insert_text("\n".join(messages[index:]))
                self._view.show_error(error)
                break
        self._view.draw_changes()


_BINDING_IDS = {
    PasteMode.EDIT: "paste-edit",
    PasteMode.SINGLE_MESSAGE: "paste-one",
    PasteMode.CHUNKS: "paste-one",
    PasteMode.LINE_BY_LINE: "paste-lines",
}


class PasteScreen(ChoiceDialog[PasteMode]):
    """Dialog with the available modes and "discard" that returns the selected paste mode, None if cancelled.

    Args:
        paste: Pasted text.
    """

    BINDINGS = textual_bindings(KeyScope.PASTE_DIALOG)

    def __init__(self, paste: Paste) -> None:
        self._modes = paste.available_modes()
        question = plural(
            "Pasted: {count:,} line, {characters:,} characters",
            "Pasted: {count:,} lines, {characters:,} characters",
            paste.line_count,
            characters=len(paste.text),
        )
        labels = [
            (_BINDING_IDS[mode], tr(chat_strings.PASTE_OPTIONS[mode], count=count)) for mode, count in self._modes
        ]
        super().__init__(question, paste.text, (*labels, ("paste-discard", tr("discard"))))

    def on_key(self, event: events.Key) -> None:
        """Ignore keys that were pressed before the dialog opened."""
        if self.is_early(event):
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
