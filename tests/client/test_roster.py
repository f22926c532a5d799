"""Member list of a room under many joins and leaves."""

from tests.support.wait import wait_until
from tui_chat.client.roster import MAX_MEMBERS, Roster
from tui_chat.protocol.events import Member, PresencePush, RenamedMember


def member(number: int) -> Member:
    return Member(member_id=f"m{number}", nick_name=f"nick{number}", role="member")


def joined_push(*numbers: int) -> PresencePush:
    return PresencePush(room="tea", joined=[member(number) for number in numbers], left=[], renamed=[])


async def test_a_large_room_coalesces_member_list_updates() -> None:
    updates: list[tuple[Member, ...]] = []
    roster = Roster(updates.append)
    roster.reset(map(member, range(10_000)))
    for number in range(10_000, 11_000):
        roster.apply_presence(joined_push(number))
    assert len(updates) == 1
    roster.apply_presence(
        PresencePush(room="tea", joined=[], left=["m0"], renamed=[RenamedMember(member_id="m1", nick_name="ann")])
    )
    await wait_until(lambda: len(updates) == 2)
    assert len(updates[-1]) == 10_999
    assert updates[-1][0] == Member(member_id="m1", nick_name="ann", role="member")


async def test_cancel_drops_the_pending_update() -> None:
    updates: list[tuple[Member, ...]] = []
    cancelled, active = Roster(updates.append), Roster(updates.append)
    for roster in (cancelled, active):
        roster.reset(map(member, range(1_000)))
        roster.apply_presence(joined_push(1_000))
    cancelled.cancel()
    await wait_until(lambda: len(updates) == 3)
    assert [len(members) for members in updates] == [1_000, 1_000, 1_001]


async def test_the_number_of_members_is_bounded() -> None:
    roster = Roster(lambda _: None)
    roster.reset(map(member, range(MAX_MEMBERS + 5)))
    roster.apply_presence(joined_push(-1))
    assert len(roster.members) == MAX_MEMBERS
    roster.apply_presence(PresencePush(room="tea", joined=[member(-1)], left=["m0"], renamed=[]))
    assert "m-1" in roster.members
    roster.cancel()
