"""Sentences about status, and about changes of membership, roles, sanctions and policies."""

from collections.abc import Sequence

from msgspec.structs import fields

from tui_chat.client.events import RoomLost
from tui_chat.protocol.events import Entry, Member, MemberChange, MemberRef, PolicyChange
from tui_chat.protocol.policies import PolicyFields, Retention, RoomPolicy
from tui_chat.protocol.responses import Hook, Invite
from tui_chat.session import error_text
from tui_chat.session.i18n import mark, plural, tr
from tui_chat.session.strings.chat import date_and_time, quote_nick, role_name, room_label

_ACTIONS = {
    "joined": mark("{nick} became a member."),
    "left": mark("{nick} is no longer a member."),
    "invited": mark("{by} invited {nick}."),
    "kicked": mark("{by} removed {nick}."),
    "banned": mark("{by} banned {nick}."),
    "unbanned": mark("{by} ended the ban of {nick}."),
    "muted": mark("{by} silenced {nick}."),
    "unmuted": mark("{by} ended the silence of {nick}."),
    "hookCreated": mark("{by} created the webhook {nick}."),
    "hookRevoked": mark("{by} revoked the webhook {nick}."),
    "inviteCreated": mark("{by} created an invite."),
    "inviteRevoked": mark("{by} revoked an invite."),
}

_UNKNOWN_ACTION = mark("{by} changed the membership of {nick}.")

LAST_OWNER = mark(
    "You are the last owner. Make another member owner with /transfer NICKNAME, or delete the room with /delete-room."
)


def describe_change(change: MemberChange | PolicyChange) -> str:
    """Return the sentence of an entry (`member_changed`, `policy_changed`)."""
    return member_changed(change) if isinstance(change, MemberChange) else policy_changed(change)


def away(text: str) -> str:
    """Return the status of a member that is away, with its text if any: `away: lunch`."""
    return tr("away: {text}", text=text) if text else tr("away")


def member_summary(member: Member) -> str:
    """Return kind, role, account or guest, and status of a member: `bot · owner · account ann · away: lunch`."""
    details = (
        tr("bot") * member.bot,
        role_name(member.role) if member.role != "member" else "",
        tr("account {account}", account=member.account) if member.account else tr("guest"),
        "" if member.away is None else away(member.away),
    )
    return " · ".join(filter(None, details))


def audit_list(entries: Sequence[Entry]) -> str:
    """Return a line with local time and sentence for each entry: `2026-11-29 13:05 ann banned bob (spam).`

    `No actions by moderators.` without entries.
    """
    lines = [f"{date_and_time(entry.ts)} {_audit_sentence(entry)}" for entry in entries]
    return "\n".join(lines) or tr("No actions by moderators.")


def sanction_list(sanctions: Sequence[MemberChange]) -> str:
    """Return a line with local time, sentence and the command that ends the sanction for each ban or silence.

    `No silenced or banned members.` without sanctions.
    """
    lines = [
        tr(
            "{time} {sentence} · /{command} {nick} ends it",
            time=date_and_time(entry.ts),
            sentence=member_changed(entry),
            command="unban" if entry.action == "banned" else "unsilence",
            nick=entry.target.nick_name,
        )
        for entry in sanctions
    ]
    return "\n".join(lines) or tr("No silenced or banned members.")


def _audit_sentence(entry: Entry) -> str:
    if isinstance(entry, MemberChange | PolicyChange):
        return describe_change(entry)
    return tr("{nick} deleted a message of another member.", nick=quote_nick(entry.nick_name))


def policy_list(policy: RoomPolicy) -> str:
    """Return a line `field = value` for each field of a policy."""
    values = {field.encode_name: getattr(policy, field.name) for field in fields(RoomPolicy)}
    return "\n".join(
        f"{name} = {_format_retention(value) if name == 'keep' else str(value).lower()}"
        for name, value in values.items()
    )


def invite_created(url: str, invite: Invite) -> str:
    """Return the link of a new invite, with its uses and its end in local time."""
    return plural(
        "Invite for {count:,} person until {end}: {url}",
        "Invite for {count:,} people until {end}: {url}",
        invite.uses,
        end=date_and_time(invite.expires_at),
        url=url,
    )


def ban_question(target: MemberRef, period: str) -> str:
    """Return the question before a ban with effects beyond the person or the future, "" if no question is necessary.

    The period is the age of the messages to delete as a typed duration, empty for none.
    """
    nick = quote_nick(target.nick_name)
    is_guest = target.account is None and not target.bot
    if is_guest and period:
        return tr(
            "{nick} is a guest. All guests with the same network address are banned too. The messages of {nick} of the "
            "last {period} are deleted for everyone. Ban {nick}?",
            nick=nick,
            period=period,
        )
    if is_guest:
        return tr("{nick} is a guest. All guests with the same network address are banned too. Ban {nick}?", nick=nick)
    if period:
        return tr(
            "The messages of {nick} of the last {period} are deleted for everyone. Ban {nick}?",
            nick=nick,
            period=period,
        )
    return ""


def invite_list(invites: Sequence[Invite]) -> str:
    """Return a line with id, remaining uses and end in local time for each invite; a hint without invites."""
    lines = [
        plural(
            "{id}: for {count:,} more person until {end} · /uninvite {id} revokes it",
            "{id}: for {count:,} more people until {end} · /uninvite {id} revokes it",
            invite.uses,
            id=invite.id,
            end=date_and_time(invite.expires_at),
        )
        for invite in invites
    ]
    return "\n".join(lines) or tr("No valid invites. /invite creates one.")


def hook_list(hooks: Sequence[Hook]) -> str:
    """Return a line with name, creator and local time of the creation for each webhook; a hint without webhooks."""
    lines = [
        tr(
            "{nick}: by {creator}, {time} · /unhook {nick} revokes it",
            nick=hook.nick_name,
            creator=quote_nick(hook.created_by.nick_name),
            time=date_and_time(hook.created_at),
        )
        for hook in hooks
    ]
    return "\n".join(lines) or tr("No webhooks. /hook NAME creates one.")


def room_lost(event: RoomLost) -> str:
    """Return the notice of a lost room: `You are no longer in tea: …`.

    The reason is the sentence of the kick or ban if received, otherwise that of the error.
    """
    reason = error_text.phrase(event.error) if event.change is None else member_changed(event.change)
    return error_text.sentence(
        tr("You are no longer in {room}: {reason}", room=event.title or room_label(event.room), reason=reason)
    )


def member_changed(change: MemberChange) -> str:
    """Return the sentence of a membership change, with its end and reason if any: `ann banned bob (spam).`

    The end of a ban, silence or invite is in local time. An unknown action gives a general sentence.
    """
    by, target = quote_nick(change.by.nick_name), quote_nick(change.target.nick_name)
    if change.action == "role":
        sentence = tr("{by} made {nick} {role}.", by=by, nick=target, role=role_name(change.role or "member"))
    else:
        sentence = tr(_ACTIONS.get(change.action, _UNKNOWN_ACTION), by=by, nick=target)
    details: list[str] = []
    if change.until is not None:
        details.append(tr("until {time}", time=date_and_time(change.until)))
    if change.reason:
        details.append(change.reason)
    return f"{sentence[:-1]} ({', '.join(details)}){sentence[-1]}" if details else sentence


def policy_changed(change: PolicyChange) -> str:
    """Return the sentence of a policy change with the new values: `ann changed the room: speak = members`.

    The new name or title is the first value.
    """
    values: list[str] = []
    if change.new_name or change.title:
        values.append(tr("name = {name}", name=change.new_name or change.title))
    for field in fields(PolicyFields):
        value = getattr(change, field.name)
        if field.name == "keep" and value is not None:
            values.append(f"keep = {_format_retention(value)}")
        elif value is not None:
            values.append(f"{field.encode_name} = {str(value).lower()}")
    return tr("{by} changed the room: {values}", by=quote_nick(change.nick_name), values=", ".join(values))


def _format_retention(retention: Retention) -> str:
    """Return the limits of a retention, `30 days, 1,000 messages`, or `everything` without limits."""
    parts: list[str] = []
    if retention.days is not None:
        parts.append(plural("{count:,} day", "{count:,} days", retention.days))
    if retention.messages is not None:
        parts.append(plural("{count:,} message", "{count:,} messages", retention.messages))
    return ", ".join(parts) or tr("everything")
