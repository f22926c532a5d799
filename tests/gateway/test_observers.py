"""Observers, messages without membership and bounded member lists on a running server."""

import json
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from server.app import RunningServer
from tests.support.accounts import connect_account
from tests.support.raw_client import RawClient, raw_client


async def send(client: RawClient, message: str, **fields: Any) -> dict[str, Any]:
    """Send a message to `tea`, and return the response, even an error."""
    return await client.request("sendMessage", {"room": "tea", "message": message, **fields})


async def check_absence_of_presence(server: RunningServer, ann: RawClient) -> None:
    """Check that `ann` is the only member so far, and that the next notice and presence are those of a new member."""
    assert (await ann.join("tea", "ann"))["memberCount"] == 1
    async with raw_client(server.url) as bob:
        await bob.join("tea", "bob")
        presence = await ann.wait_for_push("presence")
        assert [member["nickName"] for member in presence["joined"]] == ["bob"]
        await ann.request("listMembers", {"room": "tea"})  # the response follows the notice of the join
        notices = [packet for packet in ann.pushes if '"kind":"join"' in packet or '"kind":"leave"' in packet]
        assert [json.loads(packet[2:])[1]["nickName"] for packet in notices] == ["bob"]


async def test_an_observer_receives_pushes_without_presence_or_notice(
    server: RunningServer, ann: RawClient, client: RawClient
) -> None:
    await send(ann, "before")
    response = await client.request("observe", {"room": "tea"})
    assert set(response) == {"ok", "room", "members", "memberCount", "messages", "hasMore"}
    assert ([member["nickName"] for member in response["members"]], response["memberCount"]) == (["ann"], 1)
    assert [entry["message"] for entry in response["messages"]] == ["before"]
    await send(ann, "after")
    assert (await client.wait_for_push("message"))["message"] == "after"
    page = await client.request("history", {"room": "tea", "after": 1})
    assert [entry["message"] for entry in page["messages"]] == ["after"]
    assert (await send(client, "hi"))["error"]["code"] == "not_joined"
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as metrics:
        lines = (await metrics.text()).splitlines()
    assert {"chat_observers 1.0", "chat_members 1.0"} <= set(lines)
    assert (await client.request("unobserve", {"room": "tea"}))["ok"]
    await send(ann, "unobserved")
    assert (await client.request("history", {"room": "tea", "after": 1}))["error"]["code"] == "not_joined"
    assert not [push for push in client.pushes if "unobserved" in push]
    await check_absence_of_presence(server, ann)


async def test_observers_follow_a_rename_and_end_with_the_removal(server: RunningServer, client: RawClient) -> None:
    await client.request("observe", {"room": "green"})
    await client.request("observe", {"room": "Blue"})
    async with raw_client(server.url) as owner:
        room = await owner.request("createRoom", {"name": "green"})
        await owner.request("sendMessage", {"room": "green", "message": "one", "as": {"nickName": "bot"}})
        assert (await client.wait_for_push("message"))["message"] == "one"
        renamed = await owner.request("updateRoom", {"id": room["id"], "name": "blue"})
        assert renamed["name"] == "blue"
        assert await client.wait_for_push("roomRenamed") == {"room": "green", "newName": "blue"}
        await owner.request("sendMessage", {"room": "blue", "message": "two", "as": {"nickName": "bot"}})
        push = await client.wait_for_push("message")
        assert (push["room"], push["message"]) == ("blue", "two")
        page = await client.request("history", {"room": "blue", "after": 0})
        assert [entry["message"] for entry in page["messages"]] == ["one", "two"]
        assert (await client.request("history", {"room": "green", "after": 0}))["error"]["code"] == "not_joined"
        assert (await owner.request("removeRoom", room["id"]))["name"] == "blue"
        deletions = [await client.wait_for_push("update") for _ in range(2)]
        assert {(deletion["kind"], deletion["target"]) for deletion in deletions} == {("delete", 1), ("delete", 2)}
        assert await client.wait_for_push("roomRemoved") == {"room": "blue"}
        assert (await client.request("history", {"room": "blue", "after": 0}))["error"]["code"] == "not_joined"
        assert not [packet for packet in client.pushes if "roomRe" in packet]


async def test_a_member_beside_an_observer_prevents_a_rename_and_a_removal(
    server: RunningServer, client: RawClient
) -> None:
    async with raw_client(server.url) as owner, raw_client(server.url) as ann:
        room = await owner.request("createRoom", {"name": "green"})
        await client.request("observe", {"room": "green"})
        await ann.join("green", "ann")
        for event, argument in (("updateRoom", {"id": room["id"], "name": "blue"}), ("removeRoom", room["id"])):
            assert (await owner.request(event, argument))["error"]["code"] == "conflict"
        await ann.request("leaveRoom", {"room": "green"})
        assert (await owner.request("removeRoom", room["id"]))["name"] == "green"


async def test_a_room_that_is_only_observed_is_not_listed(client: RawClient) -> None:
    response = await client.request("observe", {"room": "empty"})
    assert (response["memberCount"], response["members"], response["room"]["lastSeq"]) == (0, [], 0)
    assert (await client.request("listRooms", {}))["rooms"] == []


async def test_a_message_without_membership_has_no_join_or_leave(
    server: RunningServer, ann: RawClient, client: RawClient
) -> None:
    sent = await send(client, "deployed", **{"as": {"nickName": "Ann"}})
    assert (sent["seq"], sent["nickName"]) == (1, "Ann2")
    push = await ann.wait_for_push("message")
    assert (push["kind"], push["nickName"], push["message"]) == ("message", "Ann2", "deployed")
    assert (await send(client, "again", **{"as": {"nickName": "bot"}}))["nickName"] == "bot"
    await check_absence_of_presence(server, ann)


async def test_a_message_without_membership_creates_its_room(client: RawClient) -> None:
    first = await client.request("sendMessage", {"room": "new", "message": "hi", "as": {"nickName": "bot"}})
    assert (first["ok"], first["nickName"]) == (True, "bot")
    assert [room["name"] for room in (await client.request("listRooms", {}))["rooms"]] == ["new"]


async def test_a_repeated_message_without_membership_is_stored_once(server: RunningServer, ann: RawClient) -> None:
    guest_key = (await ann.join("tea", "ann"))["guestKey"]
    fields = {"clientId": "0b2f6ed4-7a07-4f6e-9f0b-6c4c2a3f9a11", "as": {"nickName": "bot", "guestKey": guest_key}}
    responses: list[dict[str, Any]] = []
    for _ in range(2):
        async with raw_client(server.url) as sender:
            responses.append(await send(sender, "once", **fields))
    assert [(response["seq"], response["duplicate"]) for response in responses] == [(1, False), (1, True)]


async def test_a_known_client_id_gives_no_access_to_its_author(server: RunningServer, client: RawClient) -> None:
    fields = {"clientId": "0b2f6ed4-7a07-4f6e-9f0b-6c4c2a3f9a11", "as": {"nickName": "bot"}}
    first = await send(client, "once", **fields)
    member_id = first["guestKey"].partition(".")[0]
    for request, body in (
        ("sendMessage", {"room": "tea", "message": "again", "as": {"nickName": "bot"}}),
        ("joinRoom", {"roomName": "tea", "nickName": "bot"}),
    ):
        async with raw_client(server.url) as impostor:
            repeated = await send(impostor, "once", **fields)
            assert (repeated["seq"], repeated["duplicate"], repeated.get("guestKey")) == (first["seq"], True, None)
            assert not (await impostor.request(request, body))["guestKey"].startswith(member_id)
    assert (await send(client, "again", **{"as": {"nickName": "bot"}}))["guestKey"] == first["guestKey"]


@pytest.mark.parametrize("author", [{}, {"nickName": ""}, {"nickName": 7}, "bot"])
async def test_an_invalid_temporary_author_is_rejected(client: RawClient, author: Any) -> None:
    assert (await send(client, "hi", **{"as": author}))["error"]["code"] in {"bad_request", "nick_invalid"}


async def test_a_member_cannot_send_as_another_author(ann: RawClient) -> None:
    assert (await send(ann, "hi", **{"as": {"nickName": "bot"}}))["error"]["reason"] == "author_is_member"
    assert (await send(ann, "hi", **{"as": None}))["ok"]


async def test_join_lists_are_bounded_and_list_members_pages_through_all(
    server: RunningServer, ann: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_chat.protocol.limits.MEMBER_PAGE", 5)
    async with AsyncExitStack() as stack:
        owner, moderator = [await stack.enter_async_context(connect_account(server, name)) for name in ("own", "mod")]
        await owner.request("createRoom", {"roomName": "crowd"})
        member_id = (await moderator.join("crowd", "mod"))["memberId"]
        promoted = await owner.request("setRole", {"room": "crowd", "memberId": member_id, "role": "moderator"})
        assert promoted["ok"], promoted
        crowd = [await stack.enter_async_context(raw_client(server.url)) for _ in range(6)]
        for number, client in enumerate(crowd):
            await client.join("crowd", f"m{number}")
        await crowd[1].request("sendMessage", {"room": "crowd", "message": "hi"})
        joined = await ann.join("crowd", "ann")
        nicks = [member["nickName"] for member in joined["members"]]
        assert (nicks, joined["memberCount"]) == (["ann", "own", "mod", "m1", "m5"], 9)
        listed: list[str] = []
        fields: dict[str, Any] = {"room": "crowd", "limit": 2}
        while True:
            page = await ann.request("listMembers", fields)
            listed += [member["nickName"] for member in page["members"]]
            if not page["hasMore"]:
                break
            fields["after"] = page["members"][-1]["memberId"]
        assert sorted(listed) == ["ann", *(f"m{number}" for number in range(6)), "mod", "own"]
        found = await ann.request("listMembers", {"room": "crowd", "query": "M4"})
        assert ([member["nickName"] for member in found["members"]], found["memberCount"]) == (["m4"], 9)
        await ann.ws.send_str('42["joinRoom",{"nickName":"list","id":1,"roomId":"crowd"}]')
        assert len((await ann.wait_for_push("roomUser"))["crowd"]) == 5


async def test_list_members_requires_membership_and_a_valid_limit(ann: RawClient, client: RawClient) -> None:
    assert (await client.request("listMembers", {"room": "tea"}))["error"]["code"] == "not_joined"
    assert (await ann.request("listMembers", {"room": "tea", "limit": 501}))["error"]["code"] == "bad_request"
