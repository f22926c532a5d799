import re

from hypothesis import example, given, strategies as st

from server.domain.guest_keys import GuestKeys
from server.domain.presence_delta import PresenceDelta
from tui_chat.protocol.events import Member
from tui_chat.protocol.limits import SECRET_CHARACTERS


def test_a_guest_key_is_valid_only_for_its_member_and_server() -> None:
    guest_keys = GuestKeys(b"s" * 32)
    other_server_keys = GuestKeys(b"t" * 32)
    member_id = guest_keys.generate_member_id()
    assert guest_keys.verify(guest_keys.issue(member_id)) == member_id
    assert other_server_keys.verify(guest_keys.issue(member_id)) is None
    assert len(guest_keys.issue(member_id)) <= SECRET_CHARACTERS
    assert guest_keys.generate_member_id() != member_id
    derived = guest_keys.derive_member_id("request")
    assert re.fullmatch(r"g[\w-]{12}", derived)
    assert len(member_id) == len(derived)
    assert guest_keys.derive_member_id("request") == derived
    assert derived not in {guest_keys.derive_member_id("other"), other_server_keys.derive_member_id("request")}


@given(st.text(min_size=1, max_size=60))
def test_a_forged_guest_key_is_rejected(key: str) -> None:
    guest_keys = GuestKeys(b"s" * 32)
    assert guest_keys.verify(key) is None
    assert guest_keys.verify(key + guest_keys.issue("gabc")) is None
    assert guest_keys.verify(guest_keys.issue("gabc") + "x" + key) is None


events = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "rename"]), st.sampled_from("abc"), st.sampled_from("xyz"))
)


@given(st.frozensets(st.sampled_from("abc")), events, st.integers(0, 10))
@example(frozenset("a"), [("rename", "a", "x"), ("join", "a", "y")], 0)
def test_a_presence_delta_updates_any_snapshot_of_its_tick(
    before: frozenset[str], events_in_tick: list[tuple[str, str, str]], snapshot_step: int
) -> None:
    actual = dict.fromkeys(before, "old")
    snapshot = dict(actual)
    delta = PresenceDelta()
    for step, (event, member_id, nick) in enumerate(events_in_tick):
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
