"""Bans and timed sanctions on a real server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.moderated_room import ModeratedRoom
from tests.support.persons import Person, connect_person
from tests.support.raw_client import raw_client
from tests.support.storage import ManualClock

NOW = 1_800_000_000_000


@asynccontextmanager
async def admin_and_guest(directory: Path, clock: ManualClock) -> AsyncGenerator[tuple[Person, Person]]:
    """Yield an administrator and the guest ann in the room `tea`.

    Args:
        directory: Directory of the database.
        clock: Clock of the server.
    """
    async with (
        running_server(directory, rate_limit="off", now=clock) as server,
        connect_person(server, "root", "admin") as admin,
        connect_person(server, "ann") as ann,
    ):
        await admin.join()
        await ann.join()
        yield admin, ann


async def test_a_banned_member_neither_reads_nor_writes_until_the_unban(room: ModeratedRoom) -> None:
    admin, ann = await room.add("root", "admin"), await room.add("ann", "account")
    await ann.send("before")
    assert await admin.attempt("ban", memberId=ann.member_id, reason="spam") == ""
    error = await ann.client.wait_for_push("error")
    assert (error["reason"], error["params"]) == ("member_banned", {"room": "tea"})
    assert await ann.join() == "member_banned"
    assert await ann.attempt("observe") == "member_banned"
    assert await ann.attempt("history", after=0) == "room_not_joined"
    assert await ann.attempt("sendMessage", message="x") == "room_not_joined"
    assert await ann.attempt("listMembers") == "room_not_joined"
    assert await ann.attempt("sendMessage", message="x", as_={"nickName": "ann"}) == "member_banned"
    found = await ann.client.request("search", {"query": "before"})
    assert found["messages"] == []
    assert await ann.attempt("search", query="before") == "member_banned"
    assert await admin.attempt("unban", memberId=ann.member_id) == ""
    assert await ann.join() == ""
    assert await ann.send()


async def test_a_ban_ends_an_observation(room: ModeratedRoom) -> None:
    admin, ann = await room.add("root", "admin"), await room.add("ann")
    await ann.send()
    assert await ann.attempt("leaveRoom") == ""
    assert await ann.attempt("observe") == ""
    assert await admin.attempt("ban", memberId=ann.member_id) == ""
    assert (await ann.client.wait_for_push("error"))["reason"] == "member_banned"
    await admin.send("secret")
    assert await ann.attempt("history", after=0) == "room_not_joined"
    assert not any("secret" in push for push in ann.client.pushes)


async def test_timed_sanctions_end_at_their_time(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with admin_and_guest(tmp_path, clock) as (admin, ann):
        assert await admin.attempt("mute", memberId=ann.member_id, until=NOW) == "until_past"
        assert await admin.attempt("mute", memberId=ann.member_id, until=NOW + 60_000) == ""
        response = await ann.client.request("sendMessage", {"room": "tea", "message": "x"})
        assert (response["error"]["reason"], response["error"]["params"]) == ("member_muted", {"until": NOW + 60_000})
        clock.now = NOW + 59_999
        assert await ann.attempt("sendMessage", message="x") == "member_muted"
        clock.now = NOW + 60_000
        assert await ann.attempt("sendMessage", message="x") == ""
        assert await admin.attempt("ban", memberId=ann.member_id, until=NOW + 120_000) == ""
        response = await ann.client.request("joinRoom", {"roomName": "tea", "nickName": "ann"})
        assert (response["error"]["reason"], response["error"]["params"]) == ("member_banned", {"until": NOW + 120_000})
        clock.now = NOW + 119_999
        assert await ann.join() == "member_banned"
        clock.now = NOW + 120_000
        assert await ann.join() == ""
        assert await ann.send()


async def test_a_ban_of_a_guest_holds_for_guests_of_the_address(room: ModeratedRoom) -> None:
    admin = await room.add("root", "admin", address="192.0.2.1")
    guest = await room.add("guest", address="192.0.2.1")
    neighbor = await room.add("neighbor", address="192.0.2.1")
    account = await room.add("member", "account", address="192.0.2.1")
    other = await room.add("other", address="192.0.2.2")
    assert await admin.attempt("ban", memberId=guest.member_id) == ""
    for person in (guest, neighbor):
        assert (await person.client.wait_for_push("error"))["reason"] == "member_banned"
        assert await person.attempt("sendMessage", message="x") == "room_not_joined"
    for person in (admin, account, other):
        await person.send()
    async with connect_person(room.server, "new", address="192.0.2.1") as new:
        assert await new.attempt("observe") == "member_banned"
        assert await new.attempt("search", query="hi") == "member_banned"
        assert await new.attempt("sendMessage", message="x", as_={"nickName": "new"}) == "member_banned"
        assert await new.join() == "member_banned"
        assert await new.join("lounge") == ""
    async with connect_person(room.server, "guest", address="192.0.2.3") as moved:
        assert await moved.join(guestKey=guest.guest_key) == "member_banned"
    async with connect_person(room.server, "guest", address="192.0.2.3") as neighbor_of_moved:
        assert await neighbor_of_moved.join() == ""
    assert await admin.attempt("unban", memberId=guest.member_id) == ""
    assert await neighbor.join() == ""


async def test_a_ban_holds_for_the_address_of_a_guest_that_left(room: ModeratedRoom) -> None:
    admin = await room.add("root", "admin")
    async with connect_person(room.server, "troll", address="192.0.2.9") as troll:
        await troll.join()
        await troll.send()
    assert await admin.attempt("ban", memberId=troll.member_id) == ""
    async with connect_person(room.server, "troll", address="192.0.2.9") as troll:
        assert await troll.join() == "member_banned"


async def test_a_ban_of_an_account_does_not_hold_for_its_address(room: ModeratedRoom) -> None:
    admin = await room.add("root", "admin")
    member = await room.add("ann", "account", address="192.0.2.1")
    guest = await room.add("guest", address="192.0.2.1")
    assert await admin.attempt("ban", memberId=member.member_id) == ""
    assert await member.join() == "member_banned"
    await guest.send()


async def test_a_banned_guest_stays_banned_as_account(room: ModeratedRoom) -> None:
    admin, guest = await room.add("root", "admin"), await room.add("ann")
    assert await admin.attempt("ban", memberId=guest.member_id) == ""
    service = room.server.account_service
    account = await service.create_account("ann", password=None, address="127.0.0.1", member_id=guest.member_id)
    token = (await service.issue_token(account, "test")).token
    async with connect_person(room.server, "ann", token=token) as registered:
        assert await registered.join() == "member_banned"
        assert await admin.attempt("unban", memberId=guest.member_id) == ""
        assert await registered.join() == ""


async def test_a_ban_does_not_hold_for_the_address_of_a_trusted_proxy(room: ModeratedRoom) -> None:
    admin, ann, ben = await room.add("root", "admin"), await room.add("ann"), await room.add("ben")
    assert await admin.attempt("ban", memberId=ann.member_id) == ""
    assert await ann.join() == "member_banned"
    await ben.send()


async def test_a_ban_deletes_recent_messages(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with admin_and_guest(tmp_path, clock) as (admin, ann):
        await ann.send("old")
        clock.now += 60_000
        await ann.client.send_messages("tea", [f"recent {number}" for number in range(250)])
        await admin.send("own")
        assert await admin.attempt("ban", memberId=ann.member_id, deleteRecent=59) == ""
        messages = [entry for entry in await admin.read_log() if entry["kind"] == "message"]
        assert [entry["message"] for entry in messages] == ["old", *[""] * 250, "own"]
        deletions = [entry for entry in await admin.read_log() if entry["kind"] == "delete"]
        assert {entry["memberId"] for entry in deletions} == {admin.member_id}


async def test_a_banned_person_neither_reads_nor_changes_a_room_as_resource(room: ModeratedRoom) -> None:
    admin = await room.add("root", "admin")
    async with raw_client(room.server.url) as client:
        room_id = (await client.request("createChatroom", {"name": "shop"}))["id"]
        assert await admin.join("shop") == ""
        joined = await client.join("shop", "js")
        assert await admin.attempt("ban", room="shop", memberId=joined["memberId"]) == ""
        assert await admin.attempt("leaveRoom", room="shop") == ""
        for event, fields in (
            ("findChatroomMessages", {"id": room_id}),
            ("updateChatroom", {"id": room_id, "topic": "spam"}),
            ("removeChatroom", {"id": room_id}),
        ):
            response = await client.request(event, fields)
            assert response["error"]["code"] == "forbidden", event


@pytest.mark.timeout(240)  # 1,000 bans take 11 seconds of CPU time
async def test_no_message_of_a_banned_member_follows_the_ban(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, AsyncExitStack() as stack:
        token = (await create_account(server, "root", role="admin")).token
        races: list[tuple[str, Person, Person]] = []
        for number in range(25):
            admin = await stack.enter_async_context(connect_person(server, "root", "admin", token=token))
            victim = await stack.enter_async_context(connect_person(server, f"ann{number}"))
            assert await admin.join(f"room{number}") == ""
            races.append((f"room{number}", admin, victim))
        outcomes = set[str]()
        round_count = 0
        while round_count < 40 or not {"", "room_not_joined"} <= outcomes:
            outcomes |= {*await asyncio.gather(*(ban_and_send(*race, round_count) for race in races))}
            round_count += 1
        assert outcomes <= {"", "room_not_joined", "member_banned"}
        for name, admin, victim in races:
            is_banned, ban_count = False, 0
            for entry in await admin.read_log(name):
                match entry:
                    case {"kind": "member", "action": "banned" | "unbanned" as action}:
                        is_banned = action == "banned"
                        ban_count += is_banned
                    case {"kind": "message", "memberId": victim.member_id}:
                        assert not is_banned, entry
                    case _:
                        pass
            assert ban_count == round_count


async def ban_and_send(name: str, admin: Person, victim: Person, delay: int) -> str:
    """Ban a member while it sends a message, and end the ban; return the reason of a rejected message.

    The reason of an accepted message is empty.

    Args:
        name: Room.
        admin: Administrator in the room.
        victim: Person outside the room.
        delay: Passes of the event loop between the ban and the message.
    """
    assert await victim.join(name) == ""
    ban = await admin.client.start_request("ban", {"room": name, "memberId": victim.member_id})
    for _ in range(delay):
        await asyncio.sleep(0)
    reason = await victim.attempt("sendMessage", room=name, message="x")
    assert (await admin.client.read_response(ban))["ok"]
    assert await admin.attempt("unban", room=name, memberId=victim.member_id) == ""
    return reason
