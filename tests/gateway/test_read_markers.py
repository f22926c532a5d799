"""Read markers and mentions of accounts (docs/protocol.md, "Unread messages") on a running server."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from server.app import RunningServer
from server.gateway.account_service import IssuedToken
from tests.support.accounts import create_account, open_connection
from tests.support.raw_client import RawClient


@pytest.fixture
async def bob(server: RunningServer) -> IssuedToken:
    """Account `bob` with the nickname `Bobby`."""
    return await create_account(server, "bob", nick_name="Bobby")


@pytest.fixture
async def device(server: RunningServer, bob: IssuedToken) -> AsyncGenerator[RawClient]:
    """Device of Bob in no room."""
    async with open_connection(server, {"token": bob.token}) as (client, _):
        yield client


async def send(client: RawClient, *texts: str, room: str = "tea") -> int:
    """Send messages and return the `seq` of the last one."""
    seq = 0
    for text in texts:
        response = await client.request("sendMessage", {"room": room, "message": text})
        assert response["ok"], response
        seq = response["seq"]
    return seq


async def mark_read(client: RawClient, seq: int, room: str = "tea", **fields: Any) -> dict[str, int]:
    """Move the read marker, and return it with its counts."""
    response = await client.request("markRead", {"room": room, "seq": seq, **fields})
    assert response["ok"], response
    return response["read"]


async def test_a_join_of_an_account_returns_its_read_marker_and_counts(
    server: RunningServer, ann: RawClient, bob: IssuedToken
) -> None:
    await send(ann, "before the first join")
    async with open_connection(server, {"token": bob.token}) as (device, _):
        joined = await device.join("tea", "any")
        assert joined["read"] == {"seq": joined["room"]["lastSeq"], "unread": 0, "mentions": 0}
    await ann.request("setTopic", {"room": "tea", "topic": "news"})
    last = await send(ann, "hi", "@bob", "@BOBBY: hi", "`@bob`")
    async with open_connection(server, {"token": bob.token}) as (device, _):
        assert (await device.join("tea", "any"))["read"] == {"seq": joined["read"]["seq"], "unread": 4, "mentions": 2}
        assert await mark_read(device, last - 2) == {"seq": last - 2, "unread": 2, "mentions": 1}
        assert (await device.join("tea", "any"))["read"] == {"seq": last - 2, "unread": 2, "mentions": 1}


async def test_an_owner_mentions_all_members_and_a_guest_none(
    server: RunningServer, ann: RawClient, device: RawClient
) -> None:
    owner_account = await create_account(server, "owner")
    async with open_connection(server, {"token": owner_account.token}) as (owner, _):
        assert (await owner.request("createRoom", {"roomName": "coffee"}))["ok"]
        for client in (device, ann):
            await client.join("coffee", "ann")
        await send(ann, "@room", room="coffee")
        assert (await device.join("coffee", "any"))["read"]["mentions"] == 0
        last = await send(owner, "@room", room="coffee")
        assert (await device.join("coffee", "any"))["read"]["mentions"] == 1
        assert [message["seq"] for message in (await device.request("listMentions", {}))["messages"]] == [last]
        assert (await owner.request("listMentions", {}))["messages"] == []


async def test_guests_have_no_read_marker(ann: RawClient) -> None:
    assert "read" not in await ann.join("tea", "ann")
    for event, body in (("markRead", {"room": "tea", "seq": 1}), ("listMentions", {})):
        error = (await ann.request(event, body))["error"]
        assert (error["code"], error["reason"]) == ("forbidden", "account_required")


async def test_a_move_is_pushed_to_the_other_devices_of_the_account(
    server: RunningServer, ann: RawClient, device: RawClient, bob: IssuedToken
) -> None:
    await device.join("tea", "any")
    last = await send(ann, "1", "2", "@bob")
    async with open_connection(server, {"token": bob.token}) as (second_device, _):
        moved = await mark_read(device, last - 1)
        assert await second_device.wait_for_push("readMarker") == {"room": "tea", **moved}
        assert await mark_read(device, last - 2) == moved
        unread = await mark_read(device, last - 2, unread=True)
        assert unread == {"seq": last - 2, "unread": 2, "mentions": 1}
        assert await second_device.wait_for_push("readMarker") == {"room": "tea", **unread}
    for client in (device, ann):
        await client.request("listRooms", {})
        assert not [packet for packet in client.pushes if "readMarker" in packet]


async def test_an_own_message_moves_the_read_marker(ann: RawClient, device: RawClient) -> None:
    await device.join("tea", "any")
    await send(ann, "@bob")
    last = await send(device, "here")
    await send(ann, "welcome")
    assert (await device.join("tea", "any"))["read"] == {"seq": last, "unread": 1, "mentions": 0}


async def test_rooms_without_a_membership_have_no_read_marker(ann: RawClient, device: RawClient) -> None:
    await send(ann, "hi")
    for room, reason in (
        ("tea", "room_not_joined"),
        ("unknown", "room_not_joined"),
        ("~abcdefghijklmnop", "room_not_found"),
    ):
        assert (await device.request("markRead", {"room": room, "seq": 1}))["error"]["reason"] == reason


async def test_mentions_of_all_rooms_are_listed_in_pages(ann: RawClient, device: RawClient) -> None:
    await ann.join("coffee", "ann")
    for room in ("tea", "coffee"):
        await device.join(room, "any")
    expected: list[tuple[str, int]] = []
    for number in range(3):
        for room in ("tea", "coffee"):
            await send(ann, f"hello {number}", room=room)
            expected.insert(0, (room, await send(ann, f"@bob {number}", room=room)))
    found: list[tuple[str, int]] = []
    page: dict[str, Any] = {"next": None}
    while "next" in page:
        page = await device.request("listMentions", {"limit": 4, "cursor": page["next"]})
        found += [(message["room"], message["seq"]) for message in page["messages"]]
        assert page["hasMore"] == ("next" in page)
    assert found == expected
    invalid = await device.request("listMentions", {"cursor": "x" * 32})
    assert invalid["error"]["reason"] == "cursor_invalid"


async def test_an_edit_and_a_deletion_change_the_mentions(ann: RawClient, device: RawClient) -> None:
    await device.join("tea", "any")
    seq = await send(ann, "@bob")
    await send(ann, "tea?")
    await ann.request("editMessage", {"room": "tea", "seq": seq, "message": "nobody"})
    await ann.request("editMessage", {"room": "tea", "seq": seq + 1, "message": "tea, @bob?"})
    listed = (await device.request("listMentions", {}))["messages"]
    assert [message["message"] for message in listed] == ["tea, @bob?"]
    await ann.request("deleteMessage", {"room": "tea", "seq": seq + 1})
    assert (await device.request("listMentions", {}))["messages"] == []
