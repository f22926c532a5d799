"""Member picker: search by nickname over the members of a room."""

from collections.abc import Callable, Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_chat.protocol import names
from tui_chat.protocol.events import Member
from tui_chat.session.i18n import mark, tr
from tui_chat.session.strings import moderation as moderation_strings
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog, compose_query_frame
from tui_chat.ui.widgets.side_list import member_sign
from tui_chat.ui.widgets.stable_width import with_stable_width

MAX_CHOICES = 200
"""Maximum number of listed members. A longer query narrows the list."""

LOAD_DELAY = 0.25
"""Seconds without input before unlisted members are loaded."""


class MemberPicker(ListDialog[Member]):
    """Dialog that returns the selected member, None if cancelled.

    Args:
        find_members: Returns the known members in display order.
        load_members: Loads the unlisted members with a part of the nickname, if any, then calls `update_choices`.
    """

    CSS_PATH = "query_dialog.tcss"
    BINDINGS = textual_bindings(KeyScope.MEMBER_PICKER)
    AUTO_FOCUS = "Input"

    def __init__(self, find_members: Callable[[], Sequence[Member]], load_members: Callable[[str], None]) -> None:
        super().__init__()
        self._find_members = find_members
        self._load_members = load_members
        self._choices: list[Member] = []

    def compose(self) -> ComposeResult:
        """Return a frame with the query input above the member list."""
        return compose_query_frame(tr("part of the nickname"))

    def on_mount(self) -> None:
        """Set the titles and list the known members."""
        self.set_up(mark("Members"), KeyScope.MEMBER_PICKER, "#frame")
        self.update_choices()

    def update_choices(self) -> None:
        """Rebuild the list after a change of query or members, limited to `MAX_CHOICES`.

        The highlight stays on its member if listed, otherwise moves to the first row. No effect before the dialog has
        its list.
        """
        if not self.query(OptionList):
            return
        highlighted = self.highlighted_row(self._choices)
        highlighted_id = highlighted.member_id if highlighted is not None else ""
        query = self.query_one(Input).value.strip()
        key = names.canonical_key(query) if query else ""
        members = [member for member in self._find_members() if key in names.canonical_key(member.nick_name)]
        self._choices = members[:MAX_CHOICES]
        self.option_list.set_options(map(_choice_row, self._choices))
        self.option_list.highlighted = next(
            (index for index, member in enumerate(self._choices) if member.member_id == highlighted_id),
            0 if self._choices else None,
        )

    @on(Input.Changed)
    def _handle_input_changed(self, event: Input.Changed) -> None:
        """List the known members for the query, and load unlisted ones after `LOAD_DELAY`."""
        self.update_choices()
        query = event.value.strip()
        self.debounce(LOAD_DELAY, partial(self._load_members, query) if query else None)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def action_go(self) -> None:
        """Close the dialog with the highlighted member as result, None without one."""
        self.dismiss(self.highlighted_row(self._choices))


def _choice_row(member: Member) -> Option:
    nick = with_stable_width(Content(member_sign(member) + member.nick_name))
    return Option(Content.assemble(nick, ("  " + moderation_strings.member_summary(member), "$text-muted")))
