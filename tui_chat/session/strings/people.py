"""Sentences about people: who somebody is, and whom one does not want to hear (see `words`)."""

from collections.abc import Sequence

from tui_chat.session.i18n import mark, tr


def whois(nick: str, details: Sequence[str]) -> str:
    """What is known of somebody."""
    return f"{nick}: {' · '.join(details)}"


def whois_account(account: str) -> str:
    """Somebody has an account of this name."""
    return tr("account {account}", account=account)


WHOIS_GUEST = mark("a guest, without an account")
WHOIS_YOU = mark("that is you")
WHOIS_ABSENT = mark("not in your rooms now")
WHOIS_IGNORED = mark("ignored: messages are not shown")
ROLES = {"owner": mark("owner of this room"), "moderator": mark("moderator of this room")}


def whois_client_kind(client_kind: str) -> str:
    """Somebody uses a plain client."""
    return tr("with a plain client ({form}), which may show neither changes nor reactions", form=client_kind)


def whois_rooms(rooms: Sequence[str]) -> str:
    """In which of your rooms somebody is."""
    return tr("in {rooms}", rooms=", ".join(rooms))


def whois_last_message(moment: str) -> str:
    """When somebody was last heard here."""
    return tr("last said something at {moment}", moment=moment)


def no_such_nick(nick: str) -> str:
    """Nobody here has this nickname."""
    return tr("Nobody here is called {nick}.", nick=nick[:64])


def nick_ignored(nick: str) -> str:
    """Somebody is ignored from now on."""
    return tr("What {nick} says is not shown any more. /unignore {nick} shows it again.", nick=nick)


def nick_unignored(nick: str) -> str:
    """Somebody is no longer ignored."""
    return tr("What {nick} says is shown again.", nick=nick)


def nick_not_ignored(nick: str) -> str:
    """Somebody was to be ignored no longer who is not."""
    return tr("{nick} is not ignored.", nick=nick[:64])


def ignored_nicks(nicks: Sequence[str]) -> str:
    """Who is ignored."""
    return tr("Ignored: {nicks}", nicks=", ".join(nicks)) if nicks else tr("Nobody is ignored.")


CANNOT_IGNORE_YOURSELF = mark("You cannot ignore yourself.")


def room_muted(room: str) -> str:
    """A room is muted now."""
    return tr("{room} is muted: it notifies of nothing. /unmute ends that.", room=room)


def room_unmuted(room: str) -> str:
    """A room is no longer muted."""
    return tr("{room} is not muted.", room=room)
