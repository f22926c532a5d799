"""Presence changes of one interval."""

from hypothesis import example, given, strategies as st

from server.domain.presence_delta import PresenceDelta
from tui_chat.protocol.events import Member

events = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "rename"]), st.sampled_from("abc"), st.sampled_from("xyz"))
)


@given(st.frozensets(st.sampled_from("abc")), events, st.integers(0, 10))
@example(frozenset("a"), [("rename", "a", "x"), ("join", "a", "y")], 0)
def test_a_presence_delta_updates_any_snapshot_of_its_interval(
    before: frozenset[str], interval_events: list[tuple[str, str, str]], snapshot_step: int
) -> None:
    actual = dict.fromkeys(before, "old")
    snapshot = dict(actual)
    delta = PresenceDelta()
    for step, (event, member_id, nick) in enumerate(interval_events):
        if step == snapshot_step:
            snapshot = dict(actual)
        member = Member(member_id=member_id, nick_name=nick, role="member")
        if event == "join":
            actual[member_id] = nick
            delta.record_join(member)
        elif event == "leave" and member_id in actual:
            del actual[member_id]
            delta.record_leave(member_id)
        elif event == "rename" and member_id in actual:
            actual[member_id] = nick
            delta.record_rename(member)
    push = delta.to_push("tea", len(actual))
    assert (push.room, push.member_count) == ("tea", len(actual))
    changed = [*push.left, *(member.member_id for member in (*push.joined, *push.renamed))]
    assert len(changed) == len(set(changed))
    for left_id in push.left:
        snapshot.pop(left_id, None)
    for joined_member in push.joined:
        snapshot[joined_member.member_id] = joined_member.nick_name
    for renamed_member in push.renamed:
        snapshot[renamed_member.member_id] = renamed_member.nick_name
    assert snapshot == actual
