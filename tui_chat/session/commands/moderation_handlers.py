"""Handlers of the moderation commands (docs/moderation.md).

- Target: the longest nickname at the start of the argument, which may contain spaces. Present members come first, then
  authors of loaded messages, then targets of the audit. `/unban` and `/unsilence` first look for a sanctioned person.
- Result: the entry of the action appears in the room. An action without effect, and the lists, have an output.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from itertools import islice
from time import time_ns

from tui_chat.client.room import Room
from tui_chat.protocol import names
from tui_chat.protocol.errors import Forbidden
from tui_chat.protocol.events import Member, MemberAction, MemberChange, MemberRef, Message
from tui_chat.protocol.limits import DELETE_RECENT_SECONDS, HISTORY_PAGE
from tui_chat.protocol.responses import ChangeAccepted
from tui_chat.session.commands.background import require_owner, require_room, run_in_background
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.commands.people_handlers import strip_mention
from tui_chat.session.duration_parser import is_duration_like, parse_duration, parse_end
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings, moderation as moderation_strings

_DELETE_OPTION = "--delete"
_MAX_MESSAGES_SEARCHED = 10_000  # newest loaded messages whose authors can be targets

Action = Callable[[Room, MemberRef, str, CommandContext], Awaitable[ChangeAccepted | None]]
"""Request for a target and the rest of the argument; None after a cancellation."""


def _run(command: str, action: Action, argument: str, context: CommandContext) -> None:
    """Start a moderation command in the current room."""
    room = require_room(command, context)
    run_in_background(_act(action, room, strip_mention(argument), context), context)


async def _act(action: Action, room: Room, argument: str, context: CommandContext) -> str:
    """Run an action for the person at the start of the argument. Return a message if the action changed nothing.

    Returns "" after a change and after a cancellation.
    """
    sanctioned = await _list_sanctioned(room, _SANCTIONS[action]) if action in _SANCTIONS else []
    target, rest = match_person(argument, sanctioned) or await find_person(room, argument)
    newest_seq = room.log.last
    accepted = await action(room, target, rest, context)
    if accepted is not None and accepted.revision <= newest_seq:
        return tr("No change for {nick}.", nick=chat_strings.quote_nick(target.nick_name))
    return ""


async def find_person(room: Room, argument: str) -> tuple[MemberRef, str]:
    """Return the person at the start of the argument, and the rest of the argument.

    The candidates have the order of the module docstring; the server searches unlisted members.

    Raises:
        ChatError: A request failed.
        CommandRejected: No candidate has this nickname.
    """
    if (found := match_person(argument, list_present(room))) is not None:
        return found
    word = argument.split(maxsplit=1)[0].rstrip(":") or argument
    if room.member_count > len(room.members):
        loaded = [_to_ref(member) for member in await room.list_members(word)]
        if (found := match_person(argument, loaded)) is not None:
            return found
    authors = islice(reversed(list(room.log.messages())), _MAX_MESSAGES_SEARCHED)
    if (found := match_person(argument, map(_to_ref, authors))) is not None:
        return found
    if (found := match_person(argument, await _list_targets(room))) is not None:
        return found
    raise CommandRejected(chat_strings.no_such_nick(word))


def list_present(room: Room) -> list[MemberRef]:
    """Return the stored members of a room, possibly only a part of the present ones."""
    return [_to_ref(member) for member in room.members.values()]


async def _list_targets(room: Room) -> list[MemberRef]:
    """Return the targets of up to `HISTORY_PAGE` newest actions, newest first; empty without the permission."""
    try:
        entries = (await room.moderation.read_audit(limit=HISTORY_PAGE)).messages
    except Forbidden:
        return []
    return [entry.target for entry in reversed(entries) if isinstance(entry, MemberChange)]


async def _list_sanctioned(room: Room, action: MemberAction) -> list[MemberRef]:
    """Return the persons with a current sanction of the kind `action`; empty without the permission."""
    try:
        sanctions = await room.moderation.list_sanctions(_now_ms())
    except Forbidden:
        return []
    return [entry.target for entry in sanctions if entry.action == action]


def _now_ms() -> int:
    return time_ns() // 1_000_000


def _to_ref(person: Member | Message) -> MemberRef:
    return MemberRef(member_id=person.member_id, nick_name=person.nick_name, account=person.account, bot=person.bot)


def match_person(argument: str, candidates: Iterable[MemberRef]) -> tuple[MemberRef, str] | None:
    """Return the candidate with the longest nickname at the start of the argument, and the rest; None without one.

    The first of several candidates with equally long nicknames counts. Nicknames match by canonical key; further colons
    after the nickname are ignored. The rest has single spaces.
    """
    best: tuple[MemberRef, str] | None = None
    words = argument.split()
    for candidate in candidates:
        count = len(candidate.nick_name.split())
        typed_key, nick_key = names.canonical_key(" ".join(words[:count])), names.canonical_key(candidate.nick_name)
        is_longer = len(candidate.nick_name) > (0 if best is None else len(best[0].nick_name))
        if is_longer and typed_key.startswith(nick_key) and not typed_key[len(nick_key) :].strip(":"):
            best = candidate, " ".join(words[count:])
    return best


def _split_end(rest: str) -> tuple[int | None, str]:
    """Return the end of a sanction in milliseconds since the epoch, and the reason; None and `rest` without an end.

    Raises:
        CommandRejected: The first word starts with a digit, but is no duration or date, or is in the past.
    """
    word, _, reason = rest.partition(" ")
    if not is_duration_like(word):
        return None, rest
    now_ms = _now_ms()
    end = parse_end(word, now_ms)
    if end is None:
        raise CommandRejected(tr("{word} is not a duration. Use 30m, 2h, 7d or a date (2026-12-31).", word=word[:32]))
    if end <= now_ms:
        raise CommandRejected(tr("{word} is in the past.", word=word[:32]))
    return end, reason


async def _kick(room: Room, target: MemberRef, reason: str, context: CommandContext) -> ChangeAccepted:
    return await room.moderation.kick(target.member_id, reason)


async def _ban(room: Room, target: MemberRef, rest: str, context: CommandContext) -> ChangeAccepted | None:
    """Ban a person; a guest, and with a deletion, only after a question that names all effects. None if declined."""
    rest, period = _split_deletion(rest)
    until, reason = _split_end(rest)
    question = moderation_strings.ban_question(target, period)
    if question and not await context.confirm(question, tr("ban")):
        return None
    delete_recent = parse_duration(period) or 0
    return await room.moderation.ban(target.member_id, reason, until=until, delete_recent=delete_recent)


def _split_deletion(rest: str) -> tuple[str, str]:
    """Return the arguments without the option `--delete DURATION` at any place, and its duration as typed.

    The duration is "" without the option.

    Raises:
        CommandRejected: The duration is missing, invalid or above `DELETE_RECENT_SECONDS`.
    """
    words = rest.split()
    if _DELETE_OPTION not in words:
        return rest, ""
    index = words.index(_DELETE_OPTION)
    period = words[index + 1] if index + 1 < len(words) else ""
    if not 0 < (parse_duration(period) or 0) <= DELETE_RECENT_SECONDS:
        raise CommandRejected(tr("Add a duration of at most 7 days after --delete, such as 1h."))
    return " ".join(words[:index] + words[index + 2 :]), period


async def _silence(room: Room, target: MemberRef, rest: str, context: CommandContext) -> ChangeAccepted:
    until, reason = _split_end(rest)
    return await room.moderation.mute(target.member_id, reason, until=until)


async def _unban(room: Room, target: MemberRef, rest: str, context: CommandContext) -> ChangeAccepted:
    return await room.moderation.unban(target.member_id)


async def _unsilence(room: Room, target: MemberRef, rest: str, context: CommandContext) -> ChangeAccepted:
    return await room.moderation.unmute(target.member_id)


async def _op(room: Room, target: MemberRef, rest: str, context: CommandContext) -> ChangeAccepted:
    if rest.casefold() not in ("", "moderator", "owner"):
        raise CommandRejected(tr("{word} is not a role. Use moderator or owner.", word=rest[:32]))
    return await room.moderation.set_role(target.member_id, "owner" if rest.casefold() == "owner" else "moderator")


async def _deop(room: Room, target: MemberRef, rest: str, context: CommandContext) -> ChangeAccepted:
    return await room.moderation.set_role(target.member_id, "member")


async def _transfer(room: Room, target: MemberRef, rest: str, context: CommandContext) -> ChangeAccepted | None:
    """Make a person the owner after a question; the user, if another owner, becomes a moderator. None if declined.

    Raises:
        Forbidden: The user is neither an owner nor an administrator; no question is asked.
    """
    require_owner(room)
    question = tr(
        "Make {nick} the owner of {room}? You become a moderator and cannot undo this.",
        nick=chat_strings.quote_nick(target.nick_name),
        room=room.title,
    )
    if not await context.confirm(question, tr("transfer")):
        return None
    accepted = await room.moderation.set_role(target.member_id, "owner")
    if room.role == "owner" and target.member_id != room.member_id:
        await room.moderation.set_role(room.member_id, "moderator")
    return accepted


def _list_audit(argument: str, context: CommandContext) -> None:
    room = require_room("audit", context)

    async def read() -> str:
        return moderation_strings.audit_list((await room.moderation.read_audit()).messages)

    run_in_background(read(), context)


def _list_sanctions(argument: str, context: CommandContext) -> None:
    room = require_room("sanctions", context)

    async def read() -> str:
        return moderation_strings.sanction_list(await room.moderation.list_sanctions(_now_ms()))

    run_in_background(read(), context)


_ACTIONS: dict[str, Action] = {
    "kick": _kick,
    "ban": _ban,
    "unban": _unban,
    "silence": _silence,
    "unsilence": _unsilence,
    "op": _op,
    "deop": _deop,
    "transfer": _transfer,
}

_SANCTIONS: dict[Action, MemberAction] = {_unban: "banned", _unsilence: "muted"}
"""Actions that end a sanction; persons with this sanction take precedence over others of the same nickname."""

HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {
    **{command: partial(_run, command, action) for command, action in _ACTIONS.items()},
    "audit": _list_audit,
    "sanctions": _list_sanctions,
}
"""Handlers by command name."""
