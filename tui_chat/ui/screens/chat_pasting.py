"""The chat screen, as far as it is about pasting."""

from textual import on

from tui_chat.session.pasting import Paste, PasteMode
from tui_chat.ui.app_of import app_of
from tui_chat.ui.screens.chat_rooms import RoomActions
from tui_chat.ui.screens.paste import PasteScreen
from tui_chat.ui.widgets.composer import Composer


class PasteActions(RoomActions):
    """What one can do with messages, rooms and pastes."""

    @on(Composer.Pasted)
    def _pasted(self, event: Composer.Pasted) -> None:
        paste = Paste(event.text)

        def answered(wish: PasteMode | None) -> None:
            self.composer.focus()
            if wish is PasteMode.EDIT:
                self.composer.add(paste.text)
            elif wish is not None:
                self._send(paste, wish)

        app_of(self).push_screen(PasteScreen(paste), answered)

    def _send(self, paste: Paste, wish: PasteMode) -> None:
        """Say it as it is: a `/` at its beginning is no command."""
        written = self.composer.text
        if wish is PasteMode.SINGLE_MESSAGE and written:
            self.composer.add(paste.text)
            paste = Paste(self.composer.text)
            self.composer.write("")
        messages = paste.messages(wish)
        for at, message in enumerate(messages):
            if refused := self.say_in(message):
                self.composer.write("\n".join(messages[at:]))  # the rest is not lost
                self.problem(refused)
                break
        self.draw()
