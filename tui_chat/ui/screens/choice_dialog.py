"""Base of the dialogs that ask for a choice about a text."""

from collections.abc import Sequence
from math import inf
from typing import TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.ui.app_services import app_services
from tui_chat.ui.screens.dialog import Dialog

MAX_EXCERPT_LINES = 8
MAX_EXCERPT_CHARACTERS = 200

ChoiceT = TypeVar("ChoiceT")


class ChoiceDialog(Dialog[ChoiceT | None]):
    """Dialog with an excerpt of a text above the choices. The first choice is highlighted initially.

    Args:
        question: Title; without a text, a wrapped paragraph in place of the excerpt.
        text: Text that the choice concerns, empty for none.
        choices: Id of the key binding and label of each choice.
    """

    CSS_PATH = "choice_dialog.tcss"
    AUTO_FOCUS = "OptionList"

    def __init__(self, question: str, text: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._question = question
        self._text = text
        self._choices = choices
        self._opened_at = inf

    def compose(self) -> ComposeResult:
        """Yield a frame with the excerpt above the choices with their keys.

        The excerpt has at most `MAX_EXCERPT_LINES` lines of `MAX_EXCERPT_CHARACTERS` characters before the expansion of
        tabs, and a row `…` if lines are omitted.
        """
        lines = self._text.split("\n", MAX_EXCERPT_LINES)
        excerpt = [line[:MAX_EXCERPT_CHARACTERS].expandtabs(4) for line in lines[:MAX_EXCERPT_LINES]]
        if len(lines) > MAX_EXCERPT_LINES:
            excerpt.append("…")
        keymap = app_services(self).keymap
        with Vertical(id="question"):
            if self._text:
                yield Static("\n".join(excerpt), id="excerpt", markup=False)
            else:
                yield Static(self._question, id="paragraph", markup=False)
            yield OptionList(
                *(
                    Option(Content.assemble((f"{keymap.display_key(binding):>4}  ", "$primary"), label))
                    for binding, label in self._choices
                ),
                compact=True,
            )

    def on_mount(self, event: events.Mount) -> None:
        """Show the question in the border if there is an excerpt, and highlight the first choice."""
        self.query_one("#question").border_title = Content(self._question if self._text else "")
        self.query_one(OptionList).highlighted = 0
        self._opened_at = event.time

    def on_key(self, event: events.Key) -> None:
        """Ignore keys that were pressed before the dialog opened."""
        if self.is_early(event):
            event.stop()

    def is_early(self, key: events.Key) -> bool:
        """Return whether a key was pressed before the dialog opened, and therefore cannot be an answer."""
        return key.time < self._opened_at
