"""The last line of a screen: the keys that matter there.

Rule 1  The help comes first and the way out last, however narrow it is; what is between
        gives way, whole, from the right.
"""

from textual import events
from textual.content import Content
from textual.widget import Widget

from tui_chat.ui.keymap import FooterKey
from tui_chat.ui.keys import Place
from tui_chat.ui.settings_app import settings_app

BETWEEN = 2
"""Columns between one key and the next."""


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

    def show(self, *places: Place) -> None:
        """Show the keys of these places from now on, the innermost first."""
        if places != self._places:
            self._places = places
            self.refresh()

    def render(self) -> Content:
        """The line."""
        line = Content("")
        self._ends = []
        for key in self._fitting(self.content_region.width):
            line = Content.assemble(line, " " * BETWEEN if line else "", _part(key))
            self._ends.append((line.cell_length, key.action))
        return line

    def _fitting(self, width: int) -> list[FooterKey]:
        keys = settings_app(self).keymap.footer(self._places)
        important = [*keys[:1], *(keys[-1:] if len(keys) > 1 else []), *keys[1:-1]]
        shown: list[FooterKey] = []
        used = -BETWEEN
        for key in important:
            used += BETWEEN + _part(key).cell_length
            if used > width:
                break
            shown.append(key)
        return sorted(shown, key=keys.index)

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does that was clicked, there where it counts."""
        event.stop()  # the focus stays where the key counts
        x = event.x - self.gutter.left
        action = next((action for end, action in self._ends if x < end), None)
        if action is None:
            return
        focused = self.screen.focused
        here = (
            focused if focused is not None and hasattr(focused, f"action_{action.partition('(')[0]}") else self.screen
        )
        await self.app.run_action(action, default_namespace=here)  # pyright: ignore[reportUnknownMemberType]


def _part(key: FooterKey) -> Content:
    return Content.assemble((key.shown, "$primary"), (f" {key.word}", "$text-muted"))
