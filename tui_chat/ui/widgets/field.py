"""One line of the join form: a label, an input, and what is wrong with it right below."""

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input, Static

_ACTIONS = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.replace(" ", "").split(",")
}


class LineInput(Input):
    """An input whose keys take effect in the order they were pressed (see `composer`, rule 2).

    Its place does not depend on what stands in it: nothing around it is laid out, and drawn, anew at a key.
    """

    virtual_size = Reactive(Size(0, 0))

    async def _on_key(self, event: events.Key) -> None:
        action = _ACTIONS.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)
        elif not event.key.startswith("alt+"):  # whose letter the base class would put in
            await super()._on_key(event)


class Field(Vertical):
    """A field of the form."""

    def __init__(self, label: str, value: str, placeholder: str, *, id: str) -> None:  # noqa: A002 (Textual's word)
        super().__init__(id=id)
        self._label = label
        self._input = LineInput(value, placeholder=placeholder, compact=True, select_on_focus=False)
        self._input.cursor_blink = False
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
