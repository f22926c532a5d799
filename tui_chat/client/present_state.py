"""What a message reads like after a change: pure, one change at a time."""

from msgspec.structs import replace

from server.protocol.entries import Deletion, Edit, Message, Reaction

MessageChange = Edit | Deletion | Reaction
"""The entries that change a message said before."""


def changed(message: Message, change: MessageChange) -> Message:
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
    return _reacted(message, change)


def _reacted(message: Message, change: Reaction) -> Message:
    reactions = dict(message.reactions or {})
    members = [member for member in reactions.get(change.emoji, ()) if member != change.member_id]
    if not change.on:
        if len(members) == len(reactions.get(change.emoji, ())):
            return message
    elif change.member_id in reactions.get(change.emoji, ()):
        return message
    else:
        members.append(change.member_id)
    if members:
        reactions[change.emoji] = members
    else:
        reactions.pop(change.emoji, None)
    return replace(message, reactions=reactions or None)
