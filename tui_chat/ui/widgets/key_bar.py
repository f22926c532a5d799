"""The last line of a screen: the keys that matter there."""

from textual import events
from textual.content import Content
from textual.widget import Widget

from tui_chat.ui.keys import Place
from tui_chat.ui.settings_app import settings_app


class KeyBar(Widget):
    """The keys that matter here, as many as fit; each can be clicked."""

    DEFAULT_CSS = "KeyBar { height: 1; dock: bottom; padding: 0 1; text-wrap: nowrap; }"

    def __init__(self, *places: Place) -> None:
        """Make it.

        Args:
            places: Whose keys they are, the innermost first.
        """
        super().__init__()
        self._places = places
        self._ends: list[tuple[int, str]] = []

    def render(self) -> Content:
        """The line."""
        width = self.content_region.width
        line = Content("")
        self._ends = []
        for key, word, action in settings_app(self).keymap.footer(self._places):
            part = Content.assemble((key, "$primary"), (f" {word}", "$text-muted"))
            longer = Content.assemble(line, "  " if line else "", part)
            if longer.cell_length > width:
                break
            line = longer
            self._ends.append((line.cell_length, action))
        return line

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does that was clicked."""
        x = event.x - self.gutter.left
        action = next((action for end, action in self._ends if x < end), None)
        if action is not None:
            await self.screen.run_action(action)
