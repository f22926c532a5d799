"""Read markers and mentions of accounts (docs/protocol.md, "Unread messages") on a running server."""

from collections.abc import AsyncGenerator

import pytest

from server.app import RunningServer
from server.gateway.account_service import IssuedToken
from tests.support.accounts import connected, create_account
from tests.support.raw_client import RawClient


@pytest.fixture
async def bob(server: RunningServer) -> IssuedToken:
    return await create_account(server, "bob", nick_name="Bobby")


@pytest.fixture
async def device(server: RunningServer, bob: IssuedToken) -> AsyncGenerator[RawClient]:
    """Device of Bob in no room."""
    async with connected(server, {"token": bob.token}) as (client, _):
        yield client


async def send(client: RawClient, *texts: str, room: str = "tea") -> int:
    """Send messages and return the `seq` of the last one."""
    seq = 0
    for text in texts:
        response = await client.request("sendMessage", {"room": room, "message": text})
        assert response["ok"], response
        seq = response["seq"]
    return seq


async def test_guests_have_no_read_marker(ann: RawClient) -> None:
    assert "read" not in await ann.join("tea", "ann")
    for event, body in (("markRead", {"room": "tea", "seq": 1}), ("listMentions", {})):
        error = (await ann.request(event, body))["error"]
        assert (error["code"], error["reason"]) == ("forbidden", "account_required")


async def test_rooms_without_a_membership_have_no_marker(ann: RawClient, device: RawClient) -> None:
    await send(ann, "hi")
    for room, reason in (
        ("tea", "room_not_joined"),
        ("unknown", "room_not_joined"),
        ("~abcdefghijklmnop", "room_not_found"),
    ):
        assert (await device.request("markRead", {"room": room, "seq": 1}))["error"]["reason"] == reason
