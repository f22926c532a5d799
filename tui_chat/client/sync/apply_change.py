"""Application of edits, deletions and reactions to messages; pure functions."""

from msgspec.structs import replace

from tui_chat.protocol.events import Deletion, Edit, Message, MessageChange, Reaction


def apply_change(message: Message, change: MessageChange) -> Message:
    """Return the message after a change (docs/protocol.md, "Entries").

    Without effect: a change of a deleted message, a repeated reaction and the removal of a missing reaction. A deletion
    clears the text and the reactions; an edit sets `edited` even for an equal text.
    """
    if message.deleted:
        return message
    if isinstance(change, Edit):
        return replace(message, message=change.message, edited=change.seq)
    if isinstance(change, Deletion):
        return replace(message, message="", deleted=True, reactions=None)
    return _apply_reaction(message, change)


def _apply_reaction(message: Message, change: Reaction) -> Message:
    reactions = message.reactions or {}
    member_ids = reactions.get(change.emoji, [])
    if change.on == (change.member_id in member_ids):
        return message
    other_ids = [member_id for member_id in member_ids if member_id != change.member_id]
    changed = {**reactions, change.emoji: [*other_ids, change.member_id] if change.on else other_ids}
    return replace(message, reactions={emoji: ids for emoji, ids in changed.items() if ids} or None)
