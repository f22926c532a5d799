"""Member list of a room under many joins and leaves."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.support.wait import wait_until
from tui_chat.client.roster import MAX_MEMBERS, Roster
from tui_chat.protocol.events import Member, PresencePush, RenamedMember


def member(number: int) -> Member:
    return Member(member_id=f"m{number}", nick_name=f"nick{number}", role="member")


def joined_push(*numbers: int) -> PresencePush:
    return PresencePush(room="tea", joined=[member(number) for number in numbers], left=[], renamed=[])


@contextmanager
def stopped_loop_clock() -> Generator[None]:
    """Stop the clock of the running event loop within the block."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", lambda: now)
        yield


async def test_a_large_room_coalesces_member_list_updates() -> None:
    updates: list[tuple[Member, ...]] = []
    roster = Roster(updates.append, lambda: None)
    with stopped_loop_clock():
        roster.reset([member(number) for number in range(9_000)])
        for number in range(9_000, 10_000):
            roster.apply_presence(joined_push(number))
        roster.apply_presence(
            PresencePush(room="tea", joined=[], left=["m0"], renamed=[RenamedMember(member_id="m1", nick_name="ann")])
        )
    assert len(updates) == 1
    await wait_until(lambda: len(updates) == 2)
    assert len(updates[-1]) == 9_999
    assert updates[-1][0] == Member(member_id="m1", nick_name="ann", role="member")


async def test_cancel_drops_the_pending_update() -> None:
    updates: list[tuple[Member, ...]] = []
    cancelled, active = Roster(updates.append, lambda: None), Roster(updates.append, lambda: None)
    with stopped_loop_clock():
        for roster in (cancelled, active):
            roster.reset([member(number) for number in range(1_000)])
            roster.apply_presence(joined_push(1_000))
    cancelled.cancel()
    await wait_until(lambda: len(updates) == 3)
    assert [len(members) for members in updates] == [1_000, 1_000, 1_001]


async def test_members_above_the_limit_are_only_counted() -> None:
    reports: list[int] = []
    roster = Roster(lambda _: None, lambda: reports.append(1))
    roster.reset([member(number) for number in range(MAX_MEMBERS)])
    assert not reports
    roster.apply_presence(joined_push(-1))
    assert (len(roster.members), roster.count, len(reports)) == (MAX_MEMBERS, MAX_MEMBERS + 1, 1)
    roster.apply_presence(PresencePush(room="tea", joined=[member(-2)], left=["m0", "m-1"], renamed=[]))
    assert "m-2" in roster.members
    assert (len(roster.members), roster.count) == (MAX_MEMBERS, MAX_MEMBERS)
    roster.reset([member(number) for number in range(MAX_MEMBERS + 5)])
    assert (len(roster.members), roster.count) == (MAX_MEMBERS, MAX_MEMBERS + 5)
    roster.cancel()


async def test_the_count_includes_members_that_are_missing_in_the_join_response() -> None:
    roster = Roster(lambda _: None, lambda: None)
    roster.reset([member(0), member(1)], 12_000)
    assert (len(roster.members), roster.count) == (2, 12_000)
    roster.apply_presence(PresencePush(room="tea", joined=[member(2)], left=["m1", "unlisted"], renamed=[]))
    assert (len(roster.members), roster.count) == (2, 11_999)
    roster.cancel()


async def test_the_count_of_a_presence_push_replaces_the_counted_changes() -> None:
    roster = Roster(lambda _: None, lambda: None)
    roster.reset([member(0), member(1)], 600)
    roster.apply_presence(PresencePush(room="tea", joined=[], left=["joined-meanwhile"], renamed=[], member_count=600))
    assert roster.count == 600
    roster.apply_presence(PresencePush(room="tea", joined=[member(2)], left=[], renamed=[], member_count=3))
    assert (len(roster.members), roster.count) == (3, 3)
    roster.cancel()


async def test_added_members_are_no_longer_unlisted() -> None:
    roster = Roster(lambda _: None, lambda: None)
    roster.reset([member(0), member(1)], 4)
    roster.add([member(1), member(2)], 4)
    assert (len(roster.members), roster.count) == (3, 4)
    roster.cancel()
