"""Member picker and member menu of the chat screen."""

from collections.abc import Callable
from functools import partial

from tui_chat.protocol.events import Member
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.server_link import ServerLink
from tui_chat.session.strings import moderation as moderation_strings
from tui_chat.ui.screens.chat_view import ChatView
from tui_chat.ui.screens.member_menu import MemberAction, MemberMenu
from tui_chat.ui.screens.member_picker import MemberPicker

_RANKS = {"member": 0, "moderator": 1, "owner": 2, "admin": 3}

_IMMEDIATE_ACTIONS = frozenset({MemberAction.MESSAGE, MemberAction.DETAILS, MemberAction.BLOCK, MemberAction.UNBLOCK})
"""Actions whose command runs at once. The command of another action waits in the composer for its details."""


class MemberActions:
    """Actions on the members of the current room.

    Args:
        view: Widgets of the chat screen.
        server_link: Requests to the server.
        run_command: Runs a command, and shows its error.
    """

    def __init__(self, view: ChatView, server_link: ServerLink, run_command: Callable[[str], None]) -> None:
        self._view = view
        self._server_link = server_link
        self._run_command = run_command

    def open_picker(self) -> None:
        """Open the member picker, and the menu of the selected member; without known members, show an error instead."""
        room = self._view.session.current_room
        if room is None or not room.members:
            self._view.show_error(tr("This server has no member list."))
            return

        def load_members(query: str) -> None:
            if room.member_count > len(room.members):
                self._server_link.load_members(room.name, query, picker.update_choices)

        picker = MemberPicker(lambda: room.members, load_members)
        self._view.open_dialog(picker, partial(self._open_menu, room))

    def open_menu(self, member_id: str) -> None:
        """Open the menu of a member of the current room, the member picker for an unknown member."""
        room = self._view.session.current_room
        members = room.members if room is not None else ()
        member = next((member for member in members if member.member_id == member_id), None)
        if room is None or member is None:
            self.open_picker()
        else:
            self._open_menu(room, member)

    def _open_menu(self, room: RoomView, member: Member | None) -> None:
        """Open the menu of a member, and pass the selected action to `_run`; no effect for None."""
        if member is not None:
            is_blocked = member.member_id in self._view.session.ignore_filter.blocked_member_ids
            actions = _available_actions(room, member, is_blocked=is_blocked)
            menu = MemberMenu(member.nick_name, moderation_strings.member_summary(member), actions)
            self._view.open_dialog(menu, partial(self._run, member.nick_name))

    def _run(self, nick: str, action: MemberAction | None) -> None:
        """Run the command of an immediate action, or replace the composer text with the command of another one.

        No effect for None.
        """
        if action in _IMMEDIATE_ACTIONS:
            self._run_command(f"/{action.value} {nick}")
        elif action is not None:
            self._view.composer.clear()  # the undo key restores the draft
            self._view.composer.insert_text(f"/{action.value} {nick} ")


def _available_actions(room: RoomView, member: Member, *, is_blocked: bool) -> list[MemberAction]:
    """Return the actions on a member in display order; on the user, only the details.

    A direct room has no direct message. Moderation needs a higher role than that of the member. Owners and admins may
    appoint a plain member with an account.
    """
    if member.member_id == room.member_id:
        return [MemberAction.DETAILS]
    actions = [] if room.room.is_direct else [MemberAction.MESSAGE]
    actions += [MemberAction.DETAILS, MemberAction.UNBLOCK if is_blocked else MemberAction.BLOCK]
    user_rank = _RANKS.get(room.room.role or "", 0)
    if user_rank > _RANKS.get(member.role, 0):
        actions += [MemberAction.SILENCE, MemberAction.KICK, MemberAction.BAN]
    if user_rank >= _RANKS["owner"] and member.role == "member" and member.account is not None:
        actions.append(MemberAction.APPOINT)
    return actions
