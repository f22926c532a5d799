"""Compact view of the reactions of a message."""

from tui_chat.protocol.events import Message, ReactionSummary, Reactor


def summarize(reader_id: str = "", **nick_names: str) -> ReactionSummary:
    """Return the summary of members by id, as received by the member `reader_id`."""
    by = [Reactor(member_id=member_id, nick_name=nick_name) for member_id, nick_name in nick_names.items()]
    return ReactionSummary(count=len(by), by=by, own=reader_id in nick_names)


def reacting_members(message: Message) -> dict[str, list[str]]:
    """Return the member ids by emoji, of a message whose reactions name all members."""
    summaries = message.reactions or {}
    assert all(summary.count == len(summary.by) for summary in summaries.values())
    return {emoji: [reactor.member_id for reactor in summary.by] for emoji, summary in summaries.items()}
