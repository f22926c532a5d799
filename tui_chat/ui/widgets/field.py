"""One line of the join form: a label, an input, and what is wrong with it right below."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui_chat.ui.widgets.line_input import LineInput


class Field(Vertical):
    """A field of the form."""

    def __init__(self, label: str, value: str, placeholder: str, *, id: str) -> None:  # noqa: A002 (Textual's word)
        super().__init__(id=id)
        self._label = label
        self._input = LineInput(value, placeholder)
        self._problem = Static("", classes="problem", markup=False)

    def compose(self) -> ComposeResult:
        """Label and input side by side, the problem under the input."""
        with Horizontal():
            yield Static(self._label, classes="label", markup=False)
            yield self._input
        yield self._problem

    def tell(self, label: str, placeholder: str) -> None:
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

    def complain(self, problem: str) -> None:
        """Say what is wrong with it; empty says nothing is."""
        if problem or self.has_class("-wrong"):  # an update lays the screen out anew, at every key
            self._problem.update(problem)
            self.set_class(bool(problem), "-wrong")
