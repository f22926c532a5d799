"""Single-line input of the join form and the search dialogs."""

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input

from tui_chat.protocol import sanitize
from tui_chat.ui.input.inserted_text import pasted_text

_ACTION_BY_KEY = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.replace(" ", "").split(",")
}


class LineInput(Input):
    """Input that handles its keys without bubbling, for immediate echo.

    The virtual size is constant, so a key causes no layout of other widgets.

    Args:
        value: Initial text.
        placeholder: Hint for the empty input.
    """

    virtual_size = Reactive(Size(0, 0))

    def __init__(self, value: str, placeholder: str) -> None:
        super().__init__(value, placeholder=placeholder, compact=True, select_on_focus=False)
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        if (action := _ACTION_BY_KEY.get(event.key)) is not None:
            event.stop().prevent_default()
            await self.run_action(action)
        elif not event.key.startswith("alt+"):  # Input would insert the letter
            await super()._on_key(event)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop().prevent_default()
        self.replace(sanitize.sanitize_line(pasted_text(event)), *self.selection)
