"""The chat screen, as far as it is about pasting."""

from textual import on

from tui_chat.session.pasting import Paste, PasteMode
from tui_chat.ui.app_of import app_of
from tui_chat.ui.screens.chat_rooms import RoomNavigation
from tui_chat.ui.screens.paste import PasteScreen
from tui_chat.ui.widgets.composer import Composer


class PasteFlow(RoomNavigation):
    """What one can do with messages, rooms and pastes."""

    @on(Composer.LargePaste)
    def _handle_large_paste(self, event: Composer.LargePaste) -> None:
        paste = Paste(event.text)

        def on_closed(mode: PasteMode | None) -> None:
            self.composer.focus()
            if mode is PasteMode.EDIT:
                self.composer.insert_text(paste.text)
            elif mode is not None:
                self._send_paste(paste, mode)

        app_of(self).push_screen(PasteScreen(paste), on_closed)

    def _send_paste(self, paste: Paste, mode: PasteMode) -> None:
        """Say it as it is: a `/` at its beginning is no command."""
        composer_text = self.composer.text
        if mode is PasteMode.SINGLE_MESSAGE and composer_text:
            self.composer.insert_text(paste.text)
            paste = Paste(self.composer.text)
            self.composer.set_text("")
        messages = paste.messages(mode)
        for index, message in enumerate(messages):
            if error := self.send_verbatim(message):
                self.composer.set_text("\n".join(messages[index:]))  # the rest is not lost
                self.show_error(error)
                break
        self.draw_changes()
