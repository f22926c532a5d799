"""Minimal app around a composer."""

from textual.app import App, ComposeResult
from textual.screen import Screen

from tui_chat.session.commands.completion import Completion, complete
from tui_chat.ui.widgets.composer import Composer


class ComposerScreen(Screen[None]):
    """Screen that counts the requests for the newest message.

    Attributes:
        bottom_requests: Number of requests.
    """

    bottom_requests = 0

    def action_bottom(self) -> None:
        """Count a request."""
        self.bottom_requests += 1


class ComposerApp(App[None], inherit_bindings=False):
    """App with one composer, which completes the nicknames `annabel` and `anton` and the room `tea`.

    Attributes:
        submitted: Submitted texts in order.
        composer_screen: Screen with the composer.
    """

    CSS = "Composer { height: auto; max-height: 33vh; }"

    def __init__(self) -> None:
        super().__init__()
        self.submitted: list[str] = []
        self.composer_screen = ComposerScreen()

    def get_default_screen(self) -> ComposerScreen:
        """Return the screen that counts requests."""
        return self.composer_screen

    def compose(self) -> ComposeResult:
        """Create the composer."""
        yield self._create_composer()

    def _create_composer(self) -> Composer:
        return Composer(self._complete, self.submitted.append, lambda: False)

    def _complete(self, text: str) -> Completion | None:
        return complete(text, ["annabel", "anton"], ["tea"])

    @property
    def composer(self) -> Composer:
        """Composer under test."""
        return self.query_one(Composer)

    async def replace_composer(self) -> None:
        """Replace the composer with a new one with the focus, and forget the submitted texts."""
        await self.composer.remove()
        self.submitted.clear()
        await self.composer_screen.mount(self._create_composer())
        self.composer.focus()
