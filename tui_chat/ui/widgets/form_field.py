"""Labelled input of the join form and of the account dialogs."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tui_chat.ui.widgets.line_input import LineInput


class FormField(Vertical):
    """Labelled input of a form with an error line.

    Args:
        label: Text left of the input.
        value: Initial value.
        default: Value of the empty input, shown in gray.
        placeholder: Hint in the empty input without a default.
        id: Widget id.
        is_secret: Hide the text, even from the clipboard.

    Attributes:
        input: Input right of the label.
    """

    def __init__(
        self,
        label: str,
        value: str,
        default: str,
        *,
        placeholder: str = "",
        id: str,  # noqa: A002 (parameter name of Textual)
        is_secret: bool = False,
    ) -> None:
        super().__init__(id=id)
        self._label_text = label
        self._default = default
        self.input = LineInput(value, default or placeholder, is_secret=is_secret)
        self._error = Static("", classes="error", markup=False)

    def compose(self) -> ComposeResult:
        """Yield label and input side by side, with the error below."""
        with Horizontal():
            yield Static(self._label_text, classes="label", markup=False)
            yield self.input
        yield self._error

    def set_label(self, label: str) -> None:
        """Replace the label after a change of language."""
        self.query_one(".label", Static).update(label)

    @property
    def is_empty(self) -> bool:
        """True for a blank input."""
        return not self.input.value.strip()

    @property
    def value(self) -> str:
        """Input text without surrounding whitespace, or the default; a secret is unchanged."""
        return self.input.value if self.input.password else self.input.value.strip() or self._default

    def set_value(self, value: str) -> None:
        """Replace the input text without an `Input.Changed` message, which would hide the errors of the form."""
        with self.input.prevent(Input.Changed):
            self.input.value = value

    def show_error(self, error: str) -> None:
        """Show an error message below the input, or hide the message for ""."""
        if error or self.has_class("-invalid"):  # avoid a layout of the whole screen for each key
            self._error.update(error)
            self.set_class(bool(error), "-invalid")
