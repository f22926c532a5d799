"""One line of the join form: a label, an input, and what is wrong with it right below."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui_chat.ui.widgets.line_input import LineInput


class FormField(Vertical):
    """A field of the form."""

    def __init__(self, label: str, value: str, placeholder: str, *, id: str) -> None:  # noqa: A002 (Textual's word)
        super().__init__(id=id)
        self._label_text = label
        self._input = LineInput(value, placeholder)
        self._error = Static("", classes="error", markup=False)

    def compose(self) -> ComposeResult:
        """Label and input side by side, the problem under the input."""
        with Horizontal():
            yield Static(self._label_text, classes="label", markup=False)
            yield self._input
        yield self._error

    def set_labels(self, label: str, placeholder: str) -> None:
        """Name it otherwise, as in another language."""
        self.query_one(".label", Static).update(label)
        self._input.placeholder = placeholder

    @property
    def value(self) -> str:
        """What stands in it, without spaces around it."""
        return self._input.value.strip()

    @value.setter
    def value(self, value: str) -> None:
        self._input.value = value

    def focus_input(self) -> None:
        """Put the caret into it."""
        self._input.focus()

    def show_error(self, error: str) -> None:
        """Say what is wrong with it; empty says nothing is."""
        if error or self.has_class("-invalid"):  # an update lays the screen out anew, at every key
            self._error.update(error)
            self.set_class(bool(error), "-invalid")
