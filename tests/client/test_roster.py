"""Who is in a room, however many come and go."""

from tests.support.wait import wait_until
from tui_chat.client import roster
from tui_chat.client.roster import Roster
from tui_chat.protocol.events import Member, PresencePush, RenamedMember


def member(number: int) -> Member:
    return Member(member_id=f"m{number}", nick_name=f"nick{number}", role="member")


def came(*numbers: int) -> PresencePush:
    return PresencePush(room="tea", joined=[member(number) for number in numbers], left=[], renamed=[])


async def test_a_long_list_that_changes_all_the_time_is_told_seldom_and_ends_right() -> None:
    told: list[tuple[Member, ...]] = []
    room = Roster(told.append)
    room.reset(map(member, range(10_000)))
    for number in range(10_000, 11_000):
        room.apply_presence(came(number))
    assert len(told) == 1
    room.apply_presence(
        PresencePush(room="tea", joined=[], left=["m0"], renamed=[RenamedMember(member_id="m1", nick_name="ann")])
    )
    await wait_until(lambda: len(told) == 2)
    assert len(told[-1]) == 10_999
    assert told[-1][0] == Member(member_id="m1", nick_name="ann", role="member")


async def test_after_its_end_nothing_is_told() -> None:
    told: list[tuple[Member, ...]] = []
    left, stayed = Roster(told.append), Roster(told.append)
    for room in (left, stayed):
        room.reset(map(member, range(1_000)))
        room.apply_presence(came(1_000))
    left.cancel()
    await wait_until(lambda: len(told) == 3)
    assert [len(members) for members in told] == [1_000, 1_000, 1_001]


async def test_what_is_known_has_an_end() -> None:
    room = Roster(lambda _: None)
    room.reset(map(member, range(roster.MAX_MEMBERS + 5)))
    room.apply_presence(came(-1))
    assert len(room.members) == roster.MAX_MEMBERS
    room.apply_presence(PresencePush(room="tea", joined=[member(-1)], left=["m0"], renamed=[]))
    assert "m-1" in room.members
    room.cancel()
