"""Texts about members, ignored nicknames and muted rooms."""

from collections.abc import Sequence

from tui_chat.session.i18n import mark, tr


def whois(nick: str, details: Sequence[str]) -> str:
    """Return the reply to `/whois`."""
    return f"{nick}: {' · '.join(details)}"


def whois_account(account: str) -> str:
    """Return the account detail of `/whois`."""
    return tr("account {account}", account=account)


WHOIS_GUEST = mark("guest")
WHOIS_YOU = mark("that is you")
WHOIS_ABSENT = mark("not in your rooms")
WHOIS_IGNORED = mark("ignored: messages are hidden")
ROLES = {"owner": mark("owner of this room"), "moderator": mark("moderator of this room")}


def whois_client_kind(client_kind: str) -> str:
    """Return the basic client detail of `/whois`."""
    return tr("basic client ({kind}): may not show edits and reactions", kind=client_kind)


def whois_rooms(rooms: Sequence[str]) -> str:
    """Return the shared rooms detail of `/whois`."""
    return tr("in {rooms}", rooms=", ".join(rooms))


def whois_last_message(moment: str) -> str:
    """Return the last activity detail of `/whois`."""
    return tr("last message at {moment}", moment=moment)


def no_such_nick(nick: str) -> str:
    """Return the error for an unknown nickname."""
    return tr("No such nickname: {nick}.", nick=nick[:64])


def nick_ignored(nick: str) -> str:
    """Return the confirmation of `/ignore`."""
    return tr("{nick} is ignored. /unignore {nick} shows the messages again.", nick=nick)


def nick_unignored(nick: str) -> str:
    """Return the confirmation of `/unignore`."""
    return tr("{nick} is no longer ignored.", nick=nick)


def nick_not_ignored(nick: str) -> str:
    """Return the error for `/unignore` with a nickname that is not ignored."""
    return tr("{nick} is not ignored.", nick=nick[:64])


def ignored_nicks(nicks: Sequence[str]) -> str:
    """Return the list of ignored nicknames."""
    return tr("Ignored: {nicks}", nicks=", ".join(nicks)) if nicks else tr("The ignore list is empty.")


CANNOT_IGNORE_YOURSELF = mark("You cannot ignore yourself.")


def room_muted(room: str) -> str:
    """Return the confirmation of `/mute`."""
    return tr("Notifications for {room} are off. /unmute turns them on.", room=room)


def room_unmuted(room: str) -> str:
    """Return the confirmation of `/unmute`."""
    return tr("Notifications for {room} are on.", room=room)
