"""Access to rooms: invisible addresses, durable memberships and the creation of rooms."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.accounts import connect_account
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client

ADDRESS = "~aaaabbbbccccdddd"
"""Address that no room has."""

ADDRESS_REQUESTS: list[tuple[str, Any]] = [
    ("joinRoom", {"roomName": ADDRESS, "nickName": "eve"}),
    ("joinRoom", {"roomName": ADDRESS, "nickName": "eve", "invite": "guessed"}),
    ("joinRoom", ADDRESS),
    ("joinRoom", {"roomId": ADDRESS, "nickName": "eve", "id": 1}),
    ("observe", {"room": ADDRESS}),
    ("leaveRoom", {"room": ADDRESS}),
    ("leaveRoom", {"room": ADDRESS, "forget": True}),
    ("history", {"room": ADDRESS, "before": 9}),
    ("search", {"query": "tea", "room": ADDRESS}),
    ("listMembers", {"room": ADDRESS}),
    ("sendMessage", {"room": ADDRESS, "message": "hi"}),
    ("sendMessage", {"room": ADDRESS, "message": "hi", "as": {"nickName": "eve"}}),
    ("client_msg", {"roomId": ADDRESS, "msg": "hi"}),
    ("editMessage", {"room": ADDRESS, "seq": 1, "message": "hi"}),
    ("deleteMessage", {"room": ADDRESS, "seq": 1}),
    ("react", {"room": ADDRESS, "seq": 1, "emoji": "👍", "on": True}),
    ("setTopic", {"room": ADDRESS, "topic": "news"}),
    ("typing", {"room": ADDRESS, "on": True}),
    *((event, {"room": ADDRESS, "memberId": "g1"}) for event in ("kick", "ban", "unban", "mute", "unmute")),
    ("setRole", {"room": ADDRESS, "memberId": "g1", "role": "member"}),
    ("audit", {"room": ADDRESS}),
    ("changeNick", {"room": ADDRESS, "nickName": "eve"}),
]
"""Requests of all entry points that name a room, with an address."""


async def request_without_ack(client: RawClient, event: str, body: Any) -> Any:
    """Send a request of a basic client, and return its error event."""
    await client.ws.send_str("42" + json.dumps([event, body]))
    return await client.wait_for_push("error")


@pytest.mark.parametrize(("event", "body"), ADDRESS_REQUESTS)
async def test_an_unknown_address_is_no_room(client: RawClient, event: str, body: Any) -> None:
    response = await client.request(event, body)
    assert (response["error"]["code"], response["error"]["reason"]) == ("not_found", "room_not_found")
    assert await request_without_ack(client, event, body) == response["error"]
    assert (await client.request("listRooms", {}))["rooms"] == []


async def test_an_address_is_no_name_of_a_created_room(client: RawClient) -> None:
    response = await client.request("createChatroom", {"name": ADDRESS})
    assert response["error"]["code"] == "room_invalid"
    created = await client.request("createChatroom", {"name": "tea"})
    response = await client.request("updateChatroom", {"id": created["id"], "name": ADDRESS})
    assert response["error"]["code"] == "room_invalid"


async def test_an_account_becomes_a_durable_member_with_its_first_join(server: RunningServer) -> None:
    async with connect_account(server, "ann") as ann, raw_client(server.url) as guest:
        first = await ann.join("tea", "ann")
        assert first["room"]["role"] == "member"
        (entry,) = first["messages"]
        assert (entry["kind"], entry["action"], entry["target"]["account"]) == ("member", "joined", "ann")
        await ann.request("leaveRoom", {"room": "tea"})
        assert (await ann.join("tea", "ann"))["messages"] == [entry]
        assert (await ann.request("leaveRoom", {"room": "tea", "forget": True}))["ok"]
        assert (await ann.request("leaveRoom", {"room": "tea", "forget": True}))["ok"]
        messages = (await guest.join("tea", "guest"))["messages"]
        assert [message["action"] for message in messages] == ["joined", "left"]
        assert (await ann.join("tea", "ann"))["room"]["lastSeq"] == 3


async def test_only_accounts_create_rooms_if_the_operator_requires_it(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rooms="accounts", rate_limit="off") as server,
        connect_account(server, "ann") as ann,
        raw_client(server.url) as guest,
    ):
        for event, body in (
            ("joinRoom", {"roomName": "tea", "nickName": "eve"}),
            ("observe", {"room": "tea"}),
            ("sendMessage", {"room": "tea", "message": "hi", "as": {"nickName": "eve"}}),
            ("createChatroom", {"name": "tea"}),
        ):
            response = await guest.request(event, body)
            assert response["error"]["code"] == "forbidden"
        await ann.join("tea", "ann")
        await guest.join("tea", "guest")


async def test_only_administrators_create_rooms_if_the_operator_requires_it(tmp_path: Path) -> None:
    async with running_server(tmp_path, rooms="admins") as server, connect_account(server, "ann") as ann:
        response = await ann.request("joinRoom", {"roomName": "tea", "nickName": "ann"})
        assert response["error"]["reason"] == "room_creation_restricted"
