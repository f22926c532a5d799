"""What a message reads like after a change: pure, one change at a time."""

from msgspec.structs import replace

from tui_chat.protocol.events import Deletion, Edit, Message, Reaction

MessageChange = Edit | Deletion | Reaction
"""The entries that change a message said before."""


def apply_change(message: Message, change: MessageChange) -> Message:
    """The message after the change (WIRE 1, "An entry").

    A reaction that is there already, or was not there, changes nothing; nor does
    an edit or a reaction under a message that was taken back.
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
