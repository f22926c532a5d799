"""Member list of the current room."""

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
"""Role and client signs beside nicknames, with their meaning. Source of the legend in the help."""


class MemberList(SideList):
    """Members in the given order, in their timeline colours, with signs for roles and basic clients.

    In the row of the user, the label `you` replaces the sign of a basic client.
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002 (parameter name of Textual)
        super().__init__(id=id)
        self._room_members: Sequence[Member] = ()
        self._own_member_id = ""

    @property
    def heading(self) -> str:
        """Heading with the number of members."""
        return chat_strings.member_count(len(self._room_members))

    def set_members(self, members: Sequence[Member], own_member_id: str) -> None:
        """Show the members of a room.

        Args:
            members: Members in display order.
            own_member_id: Member id of the user.
        """
        self._room_members = members
        self._own_member_id = own_member_id
        self.set_row_count(len(members))

    def build_row(self, index: int) -> ListRow:
        """Return the row of the member at `index`."""
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
