"""Member list of the current room."""

from collections.abc import Sequence

from tui_chat.protocol.events import Member
from tui_chat.session.i18n import mark, tr
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.theme import nick_style
from tui_chat.ui.widgets.side_list import ListRow, SideList

OWNER_SIGN, MODERATOR_SIGN, BASIC_CLIENT_SIGN = "&", "+", "~"
SIGNS = (
    (OWNER_SIGN, mark("owner of the room")),
    (MODERATOR_SIGN, mark("moderator")),
    (BASIC_CLIENT_SIGN, mark("basic client: may not show edits and reactions")),
)
"""Role and client signs beside nicknames, with their meaning. Source of the legend in the help."""


class MemberList(SideList):
    """Members in the given order, in their timeline colours, with signs for roles and basic clients.

    In the row of the user, the label `you` replaces the sign of a basic client.
    """

    def set_members(self, members: Sequence[Member], own_member_id: str) -> None:
        """Show the members of a room.

        Args:
            members: Members in display order.
            own_member_id: Member id of the user.
        """

        def build_row(index: int) -> ListRow:
            member = members[index]
            sign = {"owner": OWNER_SIGN, "moderator": MODERATOR_SIGN}.get(member.role, "")
            client_sign = BASIC_CLIENT_SIGN if member.via is not None else ""
            label = tr("you") if member.member_id == own_member_id else client_sign
            return ListRow(sign + member.nick_name, label, "", nick_style(self, member.nick_name), "muted")

        self.set_rows(lambda: chat_strings.member_count(len(members)), build_row, len(members))
