"""Reaction summaries of messages, in time proportional to the returned summaries and names."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, bindparam, exists, func, select

from server.storage.tables import reaction_counts, reactions
from tui_chat.protocol.events import ReactionSummary, Reactor
from tui_chat.protocol.limits import REACTION_NAMES, SEQ_MAX

Summaries = dict[int, dict[str, ReactionSummary]]
"""Summaries by emoji, by `seq` of the message; messages without reactions have no key."""

_is_counted = and_(
    reactions.c.room_id == reaction_counts.c.room_id,
    reactions.c.target == reaction_counts.c.target,
    reactions.c.emoji == reaction_counts.c.emoji,
)
_on_targets = and_(
    reaction_counts.c.room_id == bindparam("room"), reaction_counts.c.target.in_(bindparam("seqs", expanding=True))
)
_select_counts = (
    select(
        reaction_counts.c.target,
        reaction_counts.c.emoji,
        reaction_counts.c.count,
        exists().where(_is_counted, reactions.c.member_id == bindparam("reader")).label("own"),
    )
    .where(_on_targets)
    .order_by(reaction_counts.c.target, reaction_counts.c.began)
)
_earlier = reactions.alias("earlier")
_first_seq_after_names = func.coalesce(
    select(_earlier.c.seq)
    .where(
        _earlier.c.room_id == reaction_counts.c.room_id,
        _earlier.c.target == reaction_counts.c.target,
        _earlier.c.emoji == reaction_counts.c.emoji,
    )
    .order_by(_earlier.c.seq)
    .limit(1)
    .offset(REACTION_NAMES)
    .scalar_subquery(),
    SEQ_MAX,
)
_select_names = (
    select(reactions.c.target, reactions.c.emoji, reactions.c.member_id, reactions.c.nick_name)
    .select_from(reaction_counts.join(reactions, _is_counted))
    .where(_on_targets, reactions.c.seq < _first_seq_after_names)
    .order_by(reaction_counts.c.target, reaction_counts.c.emoji, reactions.c.seq)
)


def read_counts(connection: Connection, room_id: int, seqs: Collection[int], reader: str | None) -> Summaries:
    """Return the summaries of some messages of a room, without names (`by` is empty).

    The emoji of a message are in the order in which their current uninterrupted use began.

    Args:
        reader: Member id for `own`; None for a reader without an id, whose `own` is False.
    """
    summaries: Summaries = {}
    if not seqs:
        return summaries
    parameters = {"room": room_id, "seqs": list(seqs), "reader": reader or ""}
    for target, emoji, count, own in connection.execute(_select_counts, parameters):
        summaries.setdefault(target, {})[emoji] = ReactionSummary(count=count, by=[], own=bool(own))
    return summaries


def add_names(connection: Connection, room_id: int, summaries: Summaries) -> None:
    """Append the first `REACTION_NAMES` members to each summary of `read_counts`, in order of their reactions.

    The summaries change in place; a second call would append the members again.
    """
    if not summaries:
        return
    parameters = {"room": room_id, "seqs": list(summaries)}
    for target, emoji, member_id, nick_name in connection.execute(_select_names, parameters):
        summaries[target][emoji].by.append(Reactor(member_id=member_id, nick_name=nick_name))
