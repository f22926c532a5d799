"""Application of edits, deletions and reactions to messages; pure functions."""

from msgspec.structs import replace

from tui_chat.protocol.events import (
    Deletion,
    Edit,
    Message,
    MessageChange,
    Reaction,
    ReactionSummary,
    Reactor,
)
from tui_chat.protocol.limits import REACTION_NAMES, REACTIONS_PER_MESSAGE


def apply_change(message: Message, change: MessageChange, member_id: str) -> Message:
    """Return the message after a change (docs/protocol.md, "Entries").

    Without effect: a change of a deleted message, a repetition that the sample or `own` reveals, and a reaction above
    `REACTIONS_PER_MESSAGE`. A deletion sets `deleted` and clears the text, the reactions and the files. An
    edit sets `edited` to its `seq`, even for an equal text.

    Args:
        message: Message before the change, not modified.
        change: Change of this message; its target is not checked.
        member_id: User's member id, for `own` of reactions.
    """
    if message.deleted:
        return message
    if isinstance(change, Edit):
        return replace(message, message=change.message, edited=change.seq)
    if isinstance(change, Deletion):
        return replace(message, message="", deleted=True, reactions=None, attachments=None)
    if is_excess_reaction(message, change):
        return message
    return _apply_reaction(message, change, is_own=change.member_id == member_id)


def is_excess_reaction(message: Message, change: Reaction) -> bool:
    """Return whether a reaction adds another emoji to a message with `REACTIONS_PER_MESSAGE` emojis."""
    reactions = message.reactions or {}
    return change.on and change.emoji not in reactions and len(reactions) >= REACTIONS_PER_MESSAGE


def mark_own_reactions(message: Message, member_id: str) -> Message:
    """Return a stored message with `own` of its reactions for this member.

    Several guests of one computer share the stored messages. A reaction with further members than those of its
    sample keeps `own`.
    """
    reactions = {
        emoji: replace(summary, own=any(reactor.member_id == member_id for reactor in summary.by))
        for emoji, summary in (message.reactions or {}).items()
        if summary.count == len(summary.by)
    }
    return replace(message, reactions=message.reactions | reactions) if message.reactions else message


def _apply_reaction(message: Message, change: Reaction, *, is_own: bool) -> Message:
    """Return the message after a reaction, unchanged if the sample or `own` shows that the reaction has no effect.

    The count also changes for a member outside of the sample. A reaction without members is removed.
    """
    reactions = dict(message.reactions or {})
    summary = reactions.get(change.emoji) or ReactionSummary(count=0, by=[], own=False)
    others = [reactor for reactor in summary.by if reactor.member_id != change.member_id]
    is_known = len(others) < len(summary.by) or (is_own and summary.own)
    is_absent = not is_known and (is_own or summary.count == len(summary.by))
    if is_known if change.on else is_absent:
        return message
    count, by = summary.count + (1 if change.on else -1), others
    if change.on and len(others) < REACTION_NAMES:
        by = [*others, Reactor(member_id=change.member_id, nick_name=change.nick_name)]
    reactions[change.emoji] = ReactionSummary(count=count, by=by, own=change.on if is_own else summary.own)
    return replace(message, reactions={emoji: changed for emoji, changed in reactions.items() if changed.count} or None)
