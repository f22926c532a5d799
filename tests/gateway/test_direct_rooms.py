"""Direct rooms and blocks (docs/protocol.md, "Direct rooms") on a running server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

from server.app import RunningServer
from server.gateway.account_service import IssuedToken
from tests.support.accounts import create_account, open_connection
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client

Accounts = dict[str, IssuedToken]


class Connect(Protocol):
    """Opener of connections; the fixture `connect`."""

    async def __call__(self, name: str) -> RawClient: ...


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """Server whose wall clock advances with each read, so that no two times are equal."""
    async with running_server(tmp_path, rate_limit="off", now=count(1_700_000_000_000).__next__) as running:
        yield running


@pytest.fixture
async def accounts(server: RunningServer) -> Accounts:
    """Accounts `ann`, `bob` and `cat`."""
    return {name: await create_account(server, name) for name in ("ann", "bob", "cat")}


@pytest.fixture
async def connect(server: RunningServer, accounts: Accounts) -> AsyncGenerator[Connect]:
    """Opener of connections: of the account with this name, otherwise of a guest."""
    async with AsyncExitStack() as clients:

        async def connect(name: str) -> RawClient:
            if name not in accounts:
                return await clients.enter_async_context(raw_client(server.url))
            client, _ = await clients.enter_async_context(open_connection(server, {"token": accounts[name].token}))
            return client

        yield connect


async def open_direct(client: RawClient, *member_ids: str) -> dict[str, Any]:
    """Open the direct room with these members, and return the response."""
    response = await client.request("openDirect", {"memberIds": member_ids})
    assert response["ok"], response
    return response


async def get_reason(client: RawClient, event: str, body: dict[str, Any]) -> str:
    """Return the reason of the error, `ok` for a success."""
    response = await client.request(event, body)
    return "ok" if response["ok"] else response["error"]["reason"]


async def send(client: RawClient, room: str, message: str = "hi") -> str:
    """Send a message; return the reason of the error, `ok` for a success."""
    return await get_reason(client, "sendMessage", {"room": room, "message": message})


async def test_a_set_of_members_has_one_room(connect: Connect, accounts: Accounts) -> None:
    ids = {name: issued.account.member_id for name, issued in accounts.items()}
    ann, bob = await connect("ann"), await connect("bob")
    opened, reopened = await asyncio.gather(open_direct(ann, ids["bob"]), open_direct(bob, ids["ann"]))
    assert opened["room"]["name"] == reopened["room"]["name"]
    assert opened["room"]["visibility"] == "direct"
    group = await open_direct(ann, ids["cat"], ids["bob"], ids["cat"], ids["ann"])
    assert group["room"]["name"] != opened["room"]["name"]
    assert (await open_direct(bob, ids["ann"], ids["cat"]))["room"]["name"] == group["room"]["name"]


async def test_an_absent_member_receives_the_messages_later(connect: Connect, accounts: Accounts) -> None:
    ann = await connect("ann")
    room = (await open_direct(ann, accounts["bob"].account.member_id))["room"]["name"]
    for text in ("1", "2"):
        assert await send(ann, room, text) == "ok"
    bob = await connect("bob")
    (listed,) = (await bob.request("myRooms", {}))["rooms"]
    assert (listed["name"], listed["read"]["unread"]) == (room, 2)
    assert [member["nickName"] for member in listed["direct"]] == ["ann"]
    joined = await bob.join(room, "any")
    assert [entry["message"] for entry in joined["messages"] if entry["kind"] == "message"] == ["1", "2"]
    assert joined["read"]["unread"] == 2


async def test_a_direct_room_is_visible_to_its_members_only(connect: Connect, accounts: Accounts) -> None:
    ann, cat, guest = await connect("ann"), await connect("cat"), await connect("guest")
    room = (await open_direct(ann, accounts["bob"].account.member_id))["room"]["name"]
    assert await send(ann, room, "secret words") == "ok"
    for client in (cat, guest):
        for event, body in (
            ("joinRoom", {"roomName": room, "nickName": "x"}),
            ("observe", {"room": room}),
            ("history", {"room": room, "before": 10}),
            ("search", {"room": room, "query": "secret"}),
            ("sendMessage", {"room": room, "message": "hi", "as": {"nickName": "x"}}),
            ("leaveRoom", {"room": room, "forget": True}),
        ):
            assert await get_reason(client, event, body) == "room_not_found"
        assert (await client.request("search", {"query": "secret"}))["messages"] == []
        assert room not in str(await client.request("listRooms", {}))
    assert [message["room"] for message in (await ann.request("search", {"query": "secret"}))["messages"]] == [room]


async def test_a_message_is_pushed_to_members_outside_the_room(connect: Connect, accounts: Accounts) -> None:
    ann, bob, second_bob, cat = [await connect(name) for name in ("ann", "bob", "bob", "cat")]
    room = (await open_direct(ann, accounts["bob"].account.member_id))["room"]["name"]
    await second_bob.join(room, "any")
    assert await send(ann, room) == "ok"
    ann_ref = {"memberId": accounts["ann"].account.member_id, "nickName": "ann", "account": "ann"}
    assert await bob.wait_for_push("directRoom") == {"room": room, "direct": [ann_ref]}
    for client in (ann, second_bob, cat):
        await client.request("listRooms", {})
        assert not [packet for packet in client.pushes if "directRoom" in packet]
    posted = {"room": room, "message": "hi", "as": {"nickName": "any"}}
    assert await get_reason(await connect("bob"), "sendMessage", posted) == "ok"


async def test_members_have_the_current_nickname_of_their_account(
    server: RunningServer, connect: Connect, accounts: Accounts
) -> None:
    ann, bob = await connect("ann"), await connect("bob")
    room = (await open_direct(ann, accounts["bob"].account.member_id))["room"]["name"]
    identity = await server.account_service.tokens.authenticate(accounts["ann"].token)
    await server.account_service.update_profile(identity, {"nick_name": "Annie"})
    assert await send(ann, room) == "ok"
    renamed = {"memberId": accounts["ann"].account.member_id, "nickName": "Annie", "account": "ann"}
    assert (await bob.wait_for_push("directRoom"))["direct"] == [renamed]
    assert (await bob.request("myRooms", {}))["rooms"][0]["direct"] == [renamed]


async def test_invalid_members_are_rejected(connect: Connect, accounts: Accounts) -> None:
    ann, guest = await connect("ann"), await connect("guest")
    own_id = accounts["ann"].account.member_id
    guest_id = (await guest.join("tea", "guest"))["memberId"]
    for member_ids, reason in (
        ([own_id], "direct_room_alone"),
        ([], "field_invalid"),
        ([f"m{number}" for number in range(8)], "field_invalid"),
        ([own_id, "unknown"], "member_not_found"),
        ([guest_id], "member_not_found"),
    ):
        assert await get_reason(ann, "openDirect", {"memberIds": member_ids}) == reason


async def test_a_guest_takes_part_while_in_a_common_room(connect: Connect, accounts: Accounts) -> None:
    ann, guest = await connect("ann"), await connect("guest")
    ann_id = accounts["ann"].account.member_id
    await ann.join("tea", "any")
    guest_id = (await guest.join("tea", "guest"))["memberId"]
    room = (await open_direct(guest, ann_id))["room"]["name"]
    assert (await open_direct(ann, guest_id))["room"]["name"] == room
    assert await send(guest, room) == await send(ann, room) == "ok"
    await ann.request("leaveRoom", {"room": "tea"})
    assert await send(guest, room) == "no_common_room"
    assert await get_reason(guest, "editMessage", {"room": room, "seq": 2, "message": "edited"}) == "no_common_room"
    assert await get_reason(guest, "openDirect", {"memberIds": [ann_id]}) == "member_not_found"
    assert await get_reason(ann, "openDirect", {"memberIds": [guest_id]}) == "member_not_found"
    assert await get_reason(guest, "joinRoom", {"roomName": room, "nickName": "guest"}) == "no_common_room"
    await guest.request("leaveRoom", {"room": room})
    assert await get_reason(guest, "observe", {"room": room}) == "no_common_room"
    assert await send(ann, room) == "ok"
    await ann.join("tea", "any")
    assert (await open_direct(guest, ann_id))["room"]["name"] == room
    await guest.request("leaveRoom", {"room": room})
    guest.pushes.clear()
    await guest.request("joinRoom", room, "小明")
    assert await guest.wait_for_push("message") == "小明 加入了房间"


async def test_a_block_prevents_messages_in_a_room_of_two_and_the_opening_of_rooms(
    connect: Connect, accounts: Accounts
) -> None:
    ann, bob = await connect("ann"), await connect("bob")
    ann_id, bob_id, cat_id = [accounts[name].account.member_id for name in ("ann", "bob", "cat")]
    room = (await open_direct(ann, bob_id))["room"]["name"]
    await open_direct(bob, ann_id)
    group = (await open_direct(ann, bob_id, cat_id))["room"]["name"]
    for _ in range(2):
        assert await get_reason(bob, "block", {"memberId": ann_id}) == "ok"
    for client, other_id, reason in ((bob, ann_id, "contact_blocked"), (ann, bob_id, "contact_refused")):
        assert await send(client, room) == reason
        assert await get_reason(client, "openDirect", {"memberIds": [other_id]}) == reason
        assert await get_reason(client, "openDirect", {"memberIds": [other_id, cat_id]}) == reason
    assert await send(ann, group) == "ok"
    assert (await (await connect("ann")).join(room, "any"))["ok"], "the history stays readable"
    assert await get_reason(bob, "unblock", {"memberId": ann_id}) == "ok"
    assert await send(ann, room) == await send(bob, room) == "ok"


async def test_a_block_is_in_effect_in_a_room_that_was_not_live(connect: Connect, accounts: Accounts) -> None:
    ann, bob = await connect("ann"), await connect("bob")
    room = (await open_direct(ann, accounts["bob"].account.member_id))["room"]["name"]
    await ann.request("leaveRoom", {"room": room})
    assert await get_reason(bob, "block", {"memberId": accounts["ann"].account.member_id}) == "ok"
    posted = {"room": room, "message": "hi", "as": {"nickName": "any"}}
    assert await get_reason(ann, "sendMessage", posted) == "contact_refused"
    await ann.join(room, "any")
    assert await send(ann, room) == "contact_refused"


async def test_mentions_by_blocked_members_do_not_count(connect: Connect, accounts: Accounts) -> None:
    guest, bob = await connect("guest"), await connect("bob")
    guest_id = (await guest.join("tea", "guest"))["memberId"]
    await bob.join("tea", "any")
    assert await send(guest, "tea", "@bob") == "ok"
    assert (await bob.join("tea", "any"))["read"]["mentions"] == 1
    assert await get_reason(bob, "block", {"memberId": guest_id}) == "ok"
    assert (await bob.join("tea", "any"))["read"]["mentions"] == 0
    assert (await bob.request("listMentions", {}))["messages"] == []
    assert (await bob.join("tea", "any"))["read"]["unread"] == 1


async def test_blocks_are_listed_and_pushed_with_the_names_at_their_time(connect: Connect, accounts: Accounts) -> None:
    guest, bob, device = await connect("guest"), await connect("bob"), await connect("bob")
    guest_id = (await guest.join("tea", "Guest"))["memberId"]
    ann_id = accounts["ann"].account.member_id
    for member_id in ("absent", guest_id, ann_id):
        assert await get_reason(bob, "block", {"memberId": member_id}) == "ok"
    pushes = [await device.wait_for_push("blocks") for _ in range(3)]
    blocks = (await bob.request("listBlocks", {}))["blocks"]
    assert sorted(blocks, key=lambda member: str(member["nickName"])) == [
        {"memberId": "absent", "nickName": ""},
        {"memberId": guest_id, "nickName": "Guest"},
        {"memberId": ann_id, "nickName": "ann", "account": "ann"},
    ]
    assert pushes == [{"member": member, "on": True} for member in reversed(blocks)]
    assert await get_reason(bob, "unblock", {"memberId": "absent"}) == "ok"
    assert await device.wait_for_push("blocks") == {"member": {"memberId": "absent", "nickName": ""}, "on": False}
    assert len((await bob.request("listBlocks", {}))["blocks"]) == 2
    for event, body in (("block", {"memberId": ann_id}), ("unblock", {"memberId": ann_id}), ("listBlocks", {})):
        assert await get_reason(guest, event, body) == "account_required"
    assert not [packet for packet in (*bob.pushes, *guest.pushes) if "blocks" in packet]


async def test_the_membership_of_a_direct_room_cannot_be_forgotten(connect: Connect, accounts: Accounts) -> None:
    ann = await connect("ann")
    room = (await open_direct(ann, accounts["bob"].account.member_id))["room"]["name"]
    assert await get_reason(ann, "leaveRoom", {"room": room, "forget": True}) == "not_in_direct_room"
    assert await get_reason(ann, "leaveRoom", {"room": room}) == "ok"
    assert await get_reason(ann, "joinRoom", {"roomName": room, "nickName": "any"}) == "ok"
