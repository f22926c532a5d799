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
    reactions = dict(message.reactions or {})
    member_ids = [member_id for member_id in reactions.get(change.emoji, ()) if member_id != change.member_id]
    if not change.on:
        if len(member_ids) == len(reactions.get(change.emoji, ())):
            return message
    elif change.member_id in reactions.get(change.emoji, ()):
        return message
    else:
        member_ids.append(change.member_id)
    if member_ids:
        reactions[change.emoji] = member_ids
    else:
        reactions.pop(change.emoji, None)
    return replace(message, reactions=reactions or None)
