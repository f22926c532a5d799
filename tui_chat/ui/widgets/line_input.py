"""Where one line is typed: on the form, in the switcher, in the search."""

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input

_ACTION_BY_KEY = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.replace(" ", "").split(",")
}


class LineInput(Input):
    """An input whose keys show at once, as those of the composer (its rule 2).

    Its place does not depend on what stands in it: nothing around it is laid out, and drawn, anew at a key.
    """

    virtual_size = Reactive(Size(0, 0))

    def __init__(self, value: str, placeholder: str) -> None:
        """Make it.

        Args:
            value: What stands in it at first.
            placeholder: What is shown while nothing does.
        """
        super().__init__(value, placeholder=placeholder, compact=True, select_on_focus=False)
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        action = _ACTION_BY_KEY.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)
        elif not event.key.startswith("alt+"):  # whose letter the base class would put in
            await super()._on_key(event)
