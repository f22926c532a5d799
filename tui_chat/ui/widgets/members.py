"""Who is in the room, each in the colour that the timeline gives them."""

from collections.abc import Sequence

from server.protocol.entries import Member
from tui_chat.session import words
from tui_chat.session.language import tr
from tui_chat.ui.themes import nick_style
from tui_chat.ui.widgets.side_list import Row, SideList

OWNER, MODERATOR, PLAIN = "&", "+", "~"
SIGNS = ((OWNER, words.SIGN_OWNER), (MODERATOR, words.SIGN_MODERATOR), (PLAIN, words.SIGN_BASIC_CLIENT))
"""What stands beside a nickname, and what it says; the help screen lists them."""


class MemberList(SideList):
    """The members by nickname; you are marked, and so are moderators, owners and who is in a plain client."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 (Textual's word)
        super().__init__(id=id)
        self._members: Sequence[Member] = ()
        self._own = ""

    @property
    def heading(self) -> str:
        """What stands above the rows."""
        return words.member_count(len(self._members))

    def show(self, members: Sequence[Member], own: str) -> None:
        """Show these members; `own` is your id."""
        self._members = members
        self._own = own
        self.set_count(len(members))

    def row(self, index: int) -> Row:
        """The row of one member."""
        member = self._members[index]
        sign = {"owner": OWNER, "moderator": MODERATOR}.get(member.role, "")
        plain = PLAIN if member.via is not None else ""
        return Row(
            sign + member.nick_name,
            tr(words.YOU) if member.member_id == self._own else plain,
            "",
            nick_style(self, member.nick_name),
            "quiet",
        )
