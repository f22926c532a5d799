"""Confirmation of long pastes and dropped files before anything is sent."""

from collections.abc import Callable, Sequence
from pathlib import Path

from textual import on
from textual.widgets import OptionList

from tui_chat.client.outbox_file import OutboxFile
from tui_chat.session.i18n import plural, tr
from tui_chat.session.paste import Paste, PasteMode
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.upload_permission import find_upload_refusal
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.chat_view import ChatView
from tui_chat.ui.screens.choice_dialog import ChoiceDialog
from tui_chat.ui.screens.confirm import Answer, ConfirmScreen

PASTE_FILE_NAME = "paste.txt"
"""Name of a paste that is sent as a file."""


class PasteFlow:
    """Treatment of a large paste or of dropped files, from the dialog to the composer or the sent messages.

    Files are sent to the room in which the dialog opened, even if another room is current at the answer.

    Args:
        view: Widgets of the chat screen.
        send_verbatim: Sends text without command parsing, and returns the error message, empty on success.
        send_files: Sends files to a room as one message, and returns the error message, empty on success.
        upload: Sends files of this computer to a room.
    """

    def __init__(
        self,
        view: ChatView,
        send_verbatim: Callable[[str], str],
        send_files: Callable[[str, Sequence[OutboxFile]], str],
        upload: Callable[[str, Sequence[Path]], None],
    ) -> None:
        self._view = view
        self._send_verbatim = send_verbatim
        self._send_files = send_files
        self._upload = upload

    def attach(self) -> None:
        """Receive the large pastes and dropped files of the composer."""
        self._view.composer.confirm_paste = self.confirm
        self._view.composer.confirm_files = self.confirm_files

    def confirm(self, text: str) -> None:
        """Open a dialog for the paste mode, which inserts, sends or discards the sanitized text.

        A text too large for all modes is not inserted, and an error is shown. After a change of the room during the
        dialog, a text is inserted instead of sent as messages.
        """
        paste, room, upload_room = Paste(text), self._view.session.current_room, self._find_upload_room()

        def on_answered(mode: PasteMode | None) -> None:
            if mode not in (None, PasteMode.FILE) and self._view.session.current_room is not room:
                mode = PasteMode.EDIT
            self._apply(paste, mode, upload_room)

        if modes := paste.available_modes(may_upload=upload_room is not None):
            self._view.open_dialog(PasteScreen(paste, modes), on_answered)
        else:
            self._view.show_error(tr("Paste too large ({count:,} characters); not inserted.", count=len(text)))

    def confirm_files(self, paths: Sequence[Path], text: str) -> None:
        """Ask whether dropped files are sent; otherwise, and in a room without uploads, insert the sanitized text."""
        upload_room = self._find_upload_room()
        if upload_room is None:
            self._view.composer.insert_text(text)
            return
        question = chat_strings.send_files_question([path.name for path in paths])
        excerpt = "\n".join(map(str, paths)) if len(paths) > 1 else ""
        dialog = ConfirmScreen(question, excerpt, tr("send"), tr("insert as text"))

        def on_answered(answer: Answer | None) -> None:
            if answer is not None and answer.is_confirmed:
                self._upload(upload_room, paths)
            else:
                self._view.composer.insert_text(text + (answer.typed_text if answer is not None else ""))

        self._view.open_dialog(dialog, on_answered)

    def _find_upload_room(self) -> str | None:
        """Return the name of the current room, None without one or if the room accepts no files."""
        room = self._view.session.current_room
        return room.name if room is not None and find_upload_refusal(room.room) is None else None

    def _apply(self, paste: Paste, mode: PasteMode | None, upload_room: str | None) -> None:
        """Insert or send the paste by its mode; None discards the paste."""
        if mode is PasteMode.EDIT:
            self._view.composer.insert_text(paste.text)
        elif mode is PasteMode.FILE and upload_room is not None:
            if error := self._send_files(upload_room, [OutboxFile.from_text(PASTE_FILE_NAME, paste.text)]):
                self._view.show_error(error)
            self._view.draw_changes()
        elif mode is not None:
            self._send(paste, mode)

    def _send(self, paste: Paste, mode: PasteMode) -> None:
        """Send the paste without command parsing: a leading `/` has no effect.

        A single message includes the composer text, with the paste at the cursor. The first error is shown, and the
        unsent rest is inserted into the composer.
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
    PasteMode.FILE: "paste-file",
}


class PasteScreen(ChoiceDialog[PasteMode]):
    """Dialog with the available modes and "discard" that returns the selected paste mode, None if cancelled."""

    BINDINGS = textual_bindings(KeyScope.PASTE_DIALOG)

    def __init__(self, paste: Paste, modes: Sequence[tuple[PasteMode, int]]) -> None:
        self._modes = modes
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
