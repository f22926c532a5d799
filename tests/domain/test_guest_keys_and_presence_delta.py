import secrets

from hypothesis import given
from hypothesis import strategies as st

from server.domain.guest_keys import GuestKeys
from server.domain.presence_delta import PresenceDelta
from tui_chat.protocol.events import Member
from tui_chat.protocol.limits import SECRET_CHARACTERS


def test_a_guest_key_brings_back_the_same_member_and_only_on_its_server() -> None:
    guests = GuestKeys(b"s" * 32, secrets.token_bytes)
    other = GuestKeys(b"t" * 32, secrets.token_bytes)
    member_id = guests.generate_member_id()
    assert guests.verify(guests.issue(member_id)) == member_id
    assert other.verify(guests.issue(member_id)) is None
    assert len(guests.issue(member_id)) <= SECRET_CHARACTERS
    assert guests.generate_member_id() != member_id


@given(st.text(min_size=1, max_size=60))
def test_a_key_that_was_never_given_is_not_recognised(key: str) -> None:
    guests = GuestKeys(b"s" * 32, secrets.token_bytes)
    assert guests.verify(key) is None
    assert guests.verify(key + guests.issue("gabc")) is None
    assert guests.verify(guests.issue("gabc") + "x" + key) is None


events = st.lists(
    st.tuples(st.sampled_from(["came", "went", "renamed"]), st.sampled_from("abc"), st.sampled_from("xyz"))
)


@given(st.frozensets(st.sampled_from("abc")), events, st.integers(0, 10))
def test_what_was_gathered_turns_the_members_at_any_moment_of_the_tick_into_those_as_they_are(
    before: frozenset[str], happened: list[tuple[str, str, str]], moment: int
) -> None:
    actual = dict.fromkeys(before, "old")
    told = dict(actual)
    delta = PresenceDelta()
    for step, (what, member_id, nick) in enumerate(happened):
        if step == moment:
            told = dict(actual)
        member = Member(member_id=member_id, nick_name=nick, role="member")
        if what == "came" and member_id not in actual:
            actual[member_id] = nick
            delta.record_join(member)
        elif what == "went" and member_id in actual:
            del actual[member_id]
            delta.record_leave(member_id)
        elif what == "renamed" and member_id in actual:
            actual[member_id] = nick
            delta.record_rename(member)
    push = delta.to_push("tea")
    for left in push.left:
        told.pop(left, None)
    for joined in push.joined:
        told[joined.member_id] = joined.nick_name
    for renamed in push.renamed:
        told[renamed.member_id] = renamed.nick_name
    assert told == actual
