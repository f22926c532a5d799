"""What `/whois`, `/ignore` and `/unignore` do."""

from datetime import datetime

from server.protocol import names
from server.protocol.entries import Member
from tui_chat.session import people_words
from tui_chat.session.front import Front
from tui_chat.session.language import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_view import RoomView


def whois(nick: str, front: Front) -> str:
    """Say what is known of somebody in the shown room, or another; why not, empty when it was said."""
    rooms = list(front.session.rooms.values())
    shown = front.session.current
    for room in sorted(rooms, key=lambda view: view is not shown):
        member = _member(nick, room)
        if member is not None:
            front.answer(people_words.whois(member.nick_name, _details(member, room, rooms, front)))
            return ""
    heard = _last_heard(_key(nick), rooms)
    if heard is None:
        return people_words.nobody_called(nick)
    front.answer(people_words.whois(heard.nick, [tr(people_words.WHOIS_AWAY), *_heard_of(heard.nick, heard, front)]))
    return ""


def ignore(nick: str, front: Front) -> str:
    """Hide what somebody says, or say who is ignored; why not, empty when that was done."""
    held = front.held
    if not nick:
        front.answer(people_words.ignored_are(held.ignored))
        return ""
    name = names.validate_nickname(nick.removeprefix("@").rstrip(":"))
    room = front.session.current
    if room is not None and names.canonical_key(name) == names.canonical_key(room.nick):
        return tr(people_words.IGNORE_YOURSELF)
    if not held.ignores(name):
        front.set_setting("ignored", (*held.ignored, name))
    front.answer(people_words.ignored_now(name))
    return ""


def unignore(nick: str, front: Front) -> str:
    """Show again what somebody says; why not, empty when that was done."""
    held = front.held
    wanted = nick.removeprefix("@").rstrip(":").casefold()
    left = tuple(name for name in held.ignored if name.casefold() != wanted)
    if left == held.ignored:
        return people_words.not_ignored(nick)
    front.set_setting("ignored", left)
    front.answer(people_words.not_ignored_now(nick))
    return ""


def _key(nick: str) -> str:
    return names.canonical_key(nick.removeprefix("@").rstrip(":"))


def _last_heard(key: str, rooms: list[RoomView]) -> MessageLine | None:
    heard = [line for line in (room.last_called(key) for room in rooms) if line is not None]
    return max(heard, key=lambda line: line.ts, default=None)


def _member(nick: str, room: RoomView) -> Member | None:
    wanted = _key(nick)
    return next((member for member in room.members if names.canonical_key(member.nick_name) == wanted), None)


def _details(member: Member, room: RoomView, rooms: list[RoomView], front: Front) -> list[str]:
    own = member.member_id == room.member_id
    details = [tr(people_words.WHOIS_YOU)] if own else []
    details.append(people_words.whois_account(member.account) if member.account else tr(people_words.WHOIS_GUEST))
    if member.role in people_words.ROLES:
        details.append(tr(people_words.ROLES[member.role]))
    if member.via:
        details.append(people_words.whois_via(member.via))
    where = [view.name for view in rooms if any(each.member_id == member.member_id for each in view.members)]
    details.append(people_words.whois_rooms(where))
    return details + _heard_of(member.nick_name, room.last_of(member.member_id), front)


def _heard_of(nick: str, said: MessageLine | None, front: Front) -> list[str]:
    details: list[str] = []
    if said is not None:
        moment = datetime.fromtimestamp(said.ts / 1000)
        details.append(people_words.whois_said(f"{moment:%Y-%m-%d %H:%M}"))
    if front.held.ignores(nick):
        details.append(tr(people_words.WHOIS_IGNORED))
    return details
