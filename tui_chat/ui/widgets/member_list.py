"""Who is in the room, each in the colour that the timeline gives them."""

from collections.abc import Sequence

from tui_chat.protocol.events import Member
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.theme import nick_style
from tui_chat.ui.widgets.side_list import ListRow, SideList

OWNER_SIGN, MODERATOR_SIGN, BASIC_CLIENT_SIGN = "&", "+", "~"
SIGNS = (
    (OWNER_SIGN, chat_strings.SIGN_OWNER),
    (MODERATOR_SIGN, chat_strings.SIGN_MODERATOR),
    (BASIC_CLIENT_SIGN, chat_strings.SIGN_BASIC_CLIENT),
)
"""What stands beside a nickname, and what it says; the help screen lists them."""


class MemberList(SideList):
    """The members by nickname; you are marked, and so are moderators, owners and who is in a plain client."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 (Textual's word)
        super().__init__(id=id)
        self._room_members: Sequence[Member] = ()
        self._own_member_id = ""

    @property
    def heading(self) -> str:
        """What stands above the rows."""
        return chat_strings.member_count(len(self._room_members))

    def set_members(self, members: Sequence[Member], own_member_id: str) -> None:
        """Show these members; `own` is your id."""
        self._room_members = members
        self._own_member_id = own_member_id
        self.set_row_count(len(members))

    def build_row(self, index: int) -> ListRow:
        """The row of one member."""
        member = self._room_members[index]
        sign = {"owner": OWNER_SIGN, "moderator": MODERATOR_SIGN}.get(member.role, "")
        client_sign = BASIC_CLIENT_SIGN if member.via is not None else ""
        return ListRow(
            sign + member.nick_name,
            tr(chat_strings.YOU) if member.member_id == self._own_member_id else client_sign,
            "",
            nick_style(self, member.nick_name),
            "muted",
        )
