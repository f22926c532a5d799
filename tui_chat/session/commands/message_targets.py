"""Targets of `/edit` and `/delete`, and the permission to delete a message."""

from tui_chat.protocol import names
from tui_chat.session.commands.people_handlers import parse_nick
from tui_chat.session.commands.registry import CommandRejected
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.ports import MODERATING_ROLES
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings


def may_delete(view: RoomView, line: MessageLine) -> bool:
    """Return whether the user may try to delete a message: one of the user, and as moderator any message.

    The server rejects the deletion of a message of another member with an equal or higher role.
    """
    return line.is_own or view.room.role in MODERATING_ROLES


def find_own_message(view: RoomView) -> MessageLine | None:
    """Return the newest message with a visible text of the user, None if not found (`RoomView.find_newest`).

    Raises:
        CommandRejected: That message is not sent yet. The user does not mean an earlier one.
    """
    line = view.find_newest(lambda line: line.is_own and not line.is_text_hidden)
    if line is not None and line.seq is None:
        raise CommandRejected(tr(chat_strings.LAST_MESSAGE_NOT_SENT))
    return line


def find_deletion_target(view: RoomView, nick: str) -> MessageLine:
    """Return the newest message with a visible text of the user, or of a nickname if it is not empty.

    Raises:
        CommandRejected: There is no such message, the user may not delete that message, or the newest message of the
            user is not sent yet.
    """

    def find_message(name: str) -> MessageLine | None:
        nick_key = names.canonical_key(name)
        return view.find_newest(
            lambda line: line.seq is not None and not line.is_text_hidden and names.canonical_key(line.nick) == nick_key
        )

    if nick:
        line = find_message(parse_nick(nick, lambda name: find_message(name) is not None))
    else:
        line = find_own_message(view)
    if line is None:
        raise CommandRejected(tr(chat_strings.NO_SUCH_MESSAGE))
    if not may_delete(view, line):
        raise CommandRejected(tr(chat_strings.NOT_OWN_MESSAGE))
    return line
