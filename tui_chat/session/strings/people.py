"""Texts about members, ignored nicknames and muted rooms."""

from collections.abc import Sequence

from tui_chat.session.i18n import mark, tr


def whois(nick: str, details: Sequence[str]) -> str:
    """Return the reply to `/whois`. Empty details are omitted."""
    return f"{nick}: {' · '.join(filter(None, details))}"


WHOIS_ACCOUNT = mark("account {account}")
WHOIS_GUEST = mark("guest")
WHOIS_YOU = mark("that is you")
WHOIS_ABSENT = mark("not in your rooms")
WHOIS_IGNORED = mark("ignored: messages are hidden")
ROLES = {"owner": mark("owner of this room"), "moderator": mark("moderator of this room")}


WHOIS_CLIENT_KIND = mark("basic client ({kind}): may not show edits and reactions")
WHOIS_ROOMS = mark("in {rooms}")
WHOIS_LAST_MESSAGE = mark("last message at {moment}")
NO_SUCH_NICK = mark("No such nickname: {nick}.")
NICK_IGNORED = mark("{nick} is ignored. /unignore {nick} shows the messages again.")
NICK_UNIGNORED = mark("{nick} is no longer ignored.")
NICK_NOT_IGNORED = mark("{nick} is not ignored.")


def ignored_nicks(nicks: Sequence[str]) -> str:
    """Return the list of ignored nicknames."""
    return tr("Ignored: {nicks}", nicks=", ".join(nicks)) if nicks else tr("The ignore list is empty.")


CANNOT_IGNORE_YOURSELF = mark("You cannot ignore yourself.")
ROOM_MUTED = mark("Notifications for {room} are off. /unmute turns them on.")
ROOM_UNMUTED = mark("Notifications for {room} are on.")
