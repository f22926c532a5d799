"""Question before an action with an effect outside of the app, such as a deletion or an upload."""

from dataclasses import dataclass

from textual import events, on
from textual.widgets import OptionList

from tui_chat.session.i18n import tr
from tui_chat.ui.app_services import app_services
from tui_chat.ui.input.inserted_text import typed_text
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.choice_dialog import ChoiceDialog


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a question.

    Attributes:
        is_confirmed: True after the confirmation.
        typed_text: Text of the key that ended the question without a confirmation, otherwise empty.
    """

    is_confirmed: bool
    typed_text: str = ""


class ConfirmScreen(ChoiceDialog[Answer]):
    """Question with Cancel as the initial choice. The result is None after Cancel.

    A printable key without a binding also ends the question, because the user is typing a message.

    Args:
        question: Title.
        excerpt: Text that the action concerns.
        confirm_label: Label of the action.
        cancel_label: Label of the initial choice, empty for "cancel".
    """

    BINDINGS = textual_bindings(KeyScope.CONFIRM_DIALOG)

    def __init__(self, question: str, excerpt: str, confirm_label: str, cancel_label: str = "") -> None:
        choices = (("confirm-cancel", cancel_label or tr("cancel")), ("confirm-yes", confirm_label))
        super().__init__(question, excerpt, choices)

    def on_key(self, event: events.Key) -> None:
        """End the question on a printable key without a binding, or from before the question."""
        is_bound = event.key in app_services(self).keymap.actions[KeyScope.CONFIRM_DIALOG]
        if (text := typed_text(event)) and (self.is_early(event) or not is_bound):
            event.stop()
            self.dismiss(Answer(False, text))

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(Answer(True) if event.option_index else None)

    def action_confirm(self) -> None:
        """Close the dialog with the confirmation as result."""
        self.dismiss(Answer(True))
