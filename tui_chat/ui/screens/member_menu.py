"""Menu of the actions on one member."""

from collections.abc import Sequence
from enum import Enum

from textual import on
from textual.widgets import OptionList

from tui_chat.session.i18n import Translatable, mark, tr
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.choice_dialog import ChoiceDialog


class MemberAction(Enum):
    """Action of the member menu; the value is the name of its command."""

    MESSAGE = "query"
    DETAILS = "whois"
    BLOCK = "block"
    UNBLOCK = "unblock"
    SILENCE = "silence"
    KICK = "kick"
    BAN = "ban"
    APPOINT = "op"


_LABELS: dict[MemberAction, tuple[str, Translatable]] = {
    MemberAction.MESSAGE: ("member-message", mark("send a direct message")),
    MemberAction.DETAILS: ("member-details", mark("show details")),
    MemberAction.BLOCK: ("member-block", mark("block")),
    MemberAction.UNBLOCK: ("member-block", mark("unblock")),
    MemberAction.SILENCE: ("member-silence", mark("silence …")),
    MemberAction.KICK: ("member-kick", mark("remove …")),
    MemberAction.BAN: ("member-ban", mark("ban …")),
    MemberAction.APPOINT: ("member-appoint", mark("make moderator …")),
}
"""Key binding and label of each action."""


class MemberMenu(ChoiceDialog[MemberAction]):
    """Menu of the actions on a member that returns the selected one, None if cancelled."""

    BINDINGS = textual_bindings(KeyScope.MEMBER_MENU)

    def __init__(self, nick: str, details: str, actions: Sequence[MemberAction]) -> None:
        self._actions = actions
        choices = [(binding, tr(label)) for binding, label in map(_LABELS.__getitem__, actions)]
        super().__init__(nick, details, choices)

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._actions[event.option_index])

    def action_choose(self, name: str) -> None:
        """Close the menu with the action of this command name as result. No effect for an unavailable action.

        The key of `BLOCK` also selects `UNBLOCK`.
        """
        action = MemberAction(name)
        if action is MemberAction.BLOCK and MemberAction.UNBLOCK in self._actions:
            action = MemberAction.UNBLOCK
        if action in self._actions:
            self.dismiss(action)
