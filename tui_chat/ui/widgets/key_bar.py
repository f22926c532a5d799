"""Footer with the most important keys of the active scopes.

- Narrow screens: the first key (help) and the last one stay visible. Keys between them are omitted from the right.
"""

from itertools import accumulate

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.ui.app_services import app_services
from tui_chat.ui.input.keymap import FooterKey
from tui_chat.ui.input.keys import KeyScope

KEY_GAP = 2  # columns between two keys


class KeyBar(Widget):
    """Footer line with clickable keys of the active scopes, innermost scope first."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "KeyBar { height: 1; dock: bottom; padding: 0 1; text-wrap: nowrap; }"

    scopes: reactive[tuple[KeyScope, ...]] = reactive[tuple[KeyScope, ...]](())

    def __init__(self, *scopes: KeyScope) -> None:
        super().__init__()
        self.scopes = scopes
        self._click_targets: list[tuple[int, str]] = []

    def render(self) -> Content:
        """Return the footer line, `F1 help  Enter send`, with the keys that fit; the first and last have priority."""
        line = Content("")
        self._click_targets = []
        for key in self._fitting_keys(self.content_region.width):
            line = Content.assemble(line, " " * KEY_GAP if line else "", _key_content(key))
            self._click_targets.append((line.cell_length, key.action))
        return line

    def _fitting_keys(self, width: int) -> list[FooterKey]:
        """Return the keys that fit into `width` cells, in footer order.

        The first key, the last one, then the others are added until one does not fit.
        """
        keys = app_services(self).keymap.footer_keys(self.scopes)
        by_priority = [*keys[:1], *(keys[-1:] if len(keys) > 1 else []), *keys[1:-1]]
        ends = accumulate(_key_content(key).cell_length + KEY_GAP for key in by_priority)
        fitting = (key for key, end in zip(by_priority, ends, strict=True) if end - KEY_GAP <= width)
        return sorted(fitting, key=keys.index)

    async def on_click(self, event: events.Click) -> None:
        """Run the action of the clicked key on the focused widget if the widget defines it, otherwise on the screen.

        A click beside the keys has no effect.
        """
        event.stop()  # the screen would move the focus to the composer
        action = next((action for end, action in self._click_targets if event.x - self.gutter.left < end), None)
        if action is None:
            return
        focused = self.screen.focused
        namespace = (
            focused if focused is not None and hasattr(focused, f"action_{action.partition('(')[0]}") else self.screen
        )
        await self.app.run_action(action, default_namespace=namespace)  # pyright: ignore[reportUnknownMemberType]


def _key_content(key: FooterKey) -> Content:
    return Content.assemble((key.key_name, "$primary"), (f" {key.label}", "$text-muted"))
