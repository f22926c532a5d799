"""Question before an action that other members notice."""

from dataclasses import dataclass
from math import inf

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.session.i18n import tr
from tui_chat.ui.app_services import app_services
from tui_chat.ui.input.inserted_text import typed_text
from tui_chat.ui.input.keys import KeyScope, textual_bindings

MAX_EXCERPT_LINES = 8
MAX_EXCERPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a question.

    Attributes:
        is_confirmed: True after the confirmation.
        typed_text: Text of the key that ended the question without a confirmation, otherwise empty.
    """

    is_confirmed: bool
    typed_text: str = ""


class ConfirmScreen(ModalScreen[Answer | None]):
    """Question with Cancel as the initial choice. The result is None after Cancel.

    Any other printable key also ends the question, because the user is typing a message.

    Args:
        question: Title.
        excerpt: Text that the action concerns.
        confirm_label: Label of the action.
    """

    CSS_PATH = "confirm.tcss"
    BINDINGS = textual_bindings(KeyScope.CONFIRM_DIALOG)
    AUTO_FOCUS = "OptionList"

    def __init__(self, question: str, excerpt: str, confirm_label: str) -> None:
        super().__init__()
        self._question = question
        self._excerpt = excerpt
        self._confirm_label = confirm_label
        self._opened_at = inf

    def compose(self) -> ComposeResult:
        """Yield a frame with the excerpt above the choices: cancel, then the action.

        The excerpt has at most `MAX_EXCERPT_LINES` lines of `MAX_EXCERPT_CHARACTERS` characters.
        """
        lines = self._excerpt.split("\n", MAX_EXCERPT_LINES)
        excerpt = [line[:MAX_EXCERPT_CHARACTERS].expandtabs(4) for line in lines[:MAX_EXCERPT_LINES]]
        if len(lines) > MAX_EXCERPT_LINES:
            excerpt.append("…")
        keymap = app_services(self).keymap
        with Vertical(id="question"):
            yield Static("\n".join(excerpt), id="excerpt", markup=False)
            yield OptionList(
                *(
                    Option(Content.assemble((f"{keymap.display_key(binding):>4}  ", "$primary"), label))
                    for binding, label in (("confirm-cancel", tr("cancel")), ("confirm-yes", self._confirm_label))
                ),
                compact=True,
            )

    def on_mount(self, event: events.Mount) -> None:
        """Show the question in the border, and highlight Cancel."""
        self.query_one("#question").border_title = Content(self._question)
        self.query_one(OptionList).highlighted = 0
        self._opened_at = event.time

    def on_key(self, event: events.Key) -> None:
        """End the question on a printable key without a binding. A key from before the question never confirms."""
        is_early = event.time < self._opened_at
        is_bound = event.key in app_services(self).keymap.actions[KeyScope.CONFIRM_DIALOG]
        if (text := typed_text(event)) and (is_early or not is_bound):
            event.stop()
            self.dismiss(Answer(False, text))
        elif is_early:
            event.stop()

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(Answer(True) if event.option_index else None)

    def action_confirm(self) -> None:
        """Confirm the action."""
        self.dismiss(Answer(True))
