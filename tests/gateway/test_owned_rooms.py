"""Owned rooms: creation, policies, rename, deletion, memberships and invites."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.accounts import connect_account, create_account
from tests.support.address_requests import ADDRESS, ADDRESS_REQUESTS, request_without_ack
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.storage import ManualClock
from tui_chat.protocol import limits


@pytest.fixture
async def owner(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Connection of the account `ann` in no room."""
    async with connect_account(server, "ann") as client:
        yield client


async def create_room(owner: RawClient, **fields: Any) -> dict[str, Any]:
    """Create a room and return its state."""
    response = await owner.request("createRoom", fields)
    assert response["ok"], response
    return response["room"]


async def create_private(owner: RawClient) -> str:
    """Create a private room with one message, and return its address."""
    room = await create_room(owner, title="Vault", visibility="private")
    assert (await owner.request("sendMessage", {"room": room["name"], "message": "secret tea"}))["ok"]
    return room["name"]


async def create_invite(owner: RawClient, room: str, **fields: Any) -> dict[str, Any]:
    """Create an invite, and return its description with the code and the URL."""
    response = await owner.request("createInvite", {"room": room, **fields})
    assert response["ok"], response
    return response["invite"]


async def get_reason(client: RawClient, event: str, **fields: Any) -> str:
    """Send a request, and return the reason of its error; empty for a success."""
    response = await client.request(event, fields)
    return "" if response["ok"] else response["error"]["reason"]


async def test_the_creator_of_a_room_is_its_owner_and_joins(owner: RawClient, client: RawClient) -> None:
    response = await owner.request("createRoom", {"roomName": "Tea", "speak": "members", "keep": {"days": 30}})
    assert response["room"]["role"] == "owner"
    assert response["room"]["policy"] == {"speak": "members", "keep": {"days": 30}}
    assert [member["role"] for member in response["members"]] == ["owner"]
    assert [entry["role"] for entry in response["messages"]] == ["owner"]
    assert (await client.join("tea", "guest"))["room"].get("role") is None
    assert await get_reason(client, "sendMessage", room="tea", message="hi") == "members_only"
    assert (await owner.request("sendMessage", {"room": "tea", "message": "hi"}))["ok"]


async def test_guests_own_no_rooms(client: RawClient) -> None:
    assert await get_reason(client, "createRoom", roomName="tea") == "account_required"
    await client.join("tea", "guest")
    for event, fields in (("setPolicy", {"speak": "members"}), ("deleteRoom", {})):
        assert await get_reason(client, event, room="tea", **fields) == "room_not_found"


async def test_no_room_is_created_with_a_name_in_use(owner: RawClient, client: RawClient) -> None:
    await client.join("tea", "guest")
    assert await get_reason(owner, "createRoom", roomName="Tea") == "room_exists"
    await client.request("sendMessage", {"room": "tea", "message": "hi"})
    await client.request("leaveRoom", {"room": "tea"})
    assert await get_reason(owner, "createRoom", roomName="Tea") == "room_exists"
    assert await get_reason(owner, "createRoom", roomName=ADDRESS) == "room_name_reserved"
    assert await get_reason(owner, "createRoom", roomName="tea", visibility="direct") == "room_name_or_title"


async def test_no_room_is_created_above_the_limit_of_joined_and_observed_rooms(
    owner: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROOMS_PER_CONNECTION", 1)
    assert (await owner.request("observe", {"room": "tea"}))["ok"]
    assert await get_reason(owner, "createRoom", roomName="cup") == "too_many_joined_rooms"
    assert (await owner.request("unobserve", {"room": "tea"}))["ok"]
    assert await get_reason(owner, "createRoom", roomName="cup") == ""


async def test_a_private_room_answers_like_an_unknown_address(owner: RawClient, client: RawClient) -> None:
    address = await create_private(owner)
    for event, body in ADDRESS_REQUESTS:
        private_body = json.loads(json.dumps(body).replace(ADDRESS, address))
        for send_request in (RawClient.request, request_without_ack):
            known, unknown = [await send_request(client, event, sent) for sent in (private_body, body)]
            assert known == unknown, (event, body)
    history = await owner.request("history", {"room": address, "after": 0})
    assert [entry["kind"] for entry in history["messages"]] == ["member", "message"]


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("updateRoom", {"title": "Mine"}),
        ("setPolicy", {"speak": "members"}),
        ("deleteRoom", {}),
        ("createInvite", {}),
        ("listInvites", {}),
        ("revokeInvite", {"id": "1"}),
    ],
)
async def test_administration_of_a_private_room_answers_like_an_unknown_address(
    server: RunningServer, owner: RawClient, event: str, fields: dict[str, Any]
) -> None:
    address = await create_private(owner)
    async with connect_account(server, "eve") as eve:
        known = await eve.request(event, {"room": address, **fields})
        assert known["error"]["reason"] == "room_not_found"
        assert known == await eve.request(event, {"room": ADDRESS, **fields})


async def test_a_private_room_is_in_no_list_and_in_no_search_of_others(owner: RawClient, client: RawClient) -> None:
    address = await create_private(owner)
    await create_room(owner, roomName="den", visibility="unlisted")
    await owner.request("sendMessage", {"room": "den", "message": "tea in the den"})
    for query in ("", "vault", "den", address):
        assert (await client.request("listRooms", {"query": query}))["rooms"] == []
    assert await client.request("findAllChatroom") == []
    for room_id in range(1, 4):
        assert (await client.request("findOneChatroom", room_id))["error"]["code"] == "not_found"
        assert (await client.request("findChatroomMessages", {"id": room_id}))["error"]["code"] == "not_found"
    assert (await client.request("search", {"query": "tea"}))["messages"] == []
    assert len((await owner.request("search", {"query": "tea"}))["messages"]) == 2
    await client.join("den", "guest")
    assert [hit["room"] for hit in (await client.request("search", {"query": "tea"}))["messages"]] == ["den"]
    assert [hit["room"] for hit in (await client.request("search", {"query": "tea", "room": "den"}))["messages"]] == [
        "den"
    ]


async def test_a_member_searches_private_rooms_without_joining(server: RunningServer, owner: RawClient) -> None:
    address = await create_private(owner)
    await owner.request("leaveRoom", {"room": address})
    for fields in ({}, {"room": address}):
        found = await owner.request("search", {"query": "tea", **fields})
        assert [hit["room"] for hit in found["messages"]] == [address]


async def test_an_invite_makes_accounts_and_guests_durable_members(
    server: RunningServer, owner: RawClient, client: RawClient
) -> None:
    address = await create_private(owner)
    invite = await create_invite(owner, address, uses=2)
    assert invite["url"].endswith(f"/{address}?invite={invite['code']}")
    assert invite["url"].startswith("chat://127.0.0.1:")
    guest = await client.join(address, "guest", invite=invite["code"])
    assert (guest["room"]["title"], guest["room"]["role"]) == ("Vault", "member")
    assert (await client.request("sendMessage", {"room": address, "message": "hi"}))["ok"]
    async with raw_client(server.url) as later:
        await later.join(address, "guest", guestKey=guest["guestKey"])
        assert await get_reason(later, "createInvite", room=address) == ""
    async with connect_account(server, "bob") as bob:
        assert await get_reason(bob, "joinRoom", roomName=address, nickName="bob") == "room_not_found"
        await bob.join(address, "bob", invite=invite["code"])
        await bob.join(address, "bob", invite=invite["code"])
    async with raw_client(server.url) as stranger:
        for code in (invite["code"], "guess", ""):
            reason = await get_reason(stranger, "joinRoom", roomName=address, nickName="eve", invite=code)
            assert reason == "room_not_found"


async def test_a_replayed_revoked_or_expired_invite_is_void(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        running_server(tmp_path, rate_limit="off", now=clock) as server,
        connect_account(server, "ann") as owner,
        raw_client(server.url) as client,
    ):
        address = await create_private(owner)
        revoked = await create_invite(owner, address)
        (listed,) = (await owner.request("listInvites", {"room": address}))["invites"]
        assert listed == {name: revoked[name] for name in ("id", "uses", "expiresAt")}
        assert (listed["uses"], await get_reason(owner, "revokeInvite", room=address, id=listed["id"])) == (10, "")
        assert await get_reason(owner, "revokeInvite", room=address, id=listed["id"]) == "invite_not_found"
        assert await get_reason(owner, "revokeInvite", room=address, id="x") == "invite_not_found"
        audit = (await owner.request("audit", {"room": address}))["messages"]
        assert [(entry["action"], entry.get("until"), entry["by"]["account"]) for entry in audit] == [
            ("inviteCreated", revoked["expiresAt"], "ann"),
            ("inviteRevoked", None, "ann"),
        ]
        assert revoked["code"] not in str(audit)
        single = await create_invite(owner, address, uses=1)
        short = await create_invite(owner, address, expiresIn=60)
        assert short["expiresAt"] == clock.now + 60_000
        async with raw_client(server.url) as first:
            await first.join(address, "first", invite=single["code"])
        clock.now += 59_999
        async with raw_client(server.url) as second:
            await second.join(address, "second", invite=short["code"])
        clock.now += 1
        for invite in (revoked, single, short):
            reason = await get_reason(client, "joinRoom", roomName=address, nickName="eve", invite=invite["code"])
            assert reason == "room_not_found"
        assert (await owner.request("listInvites", {"room": address}))["invites"] == []


async def test_a_member_leaves_a_private_room_on_all_connections(
    server: RunningServer, owner: RawClient, client: RawClient
) -> None:
    address = await create_private(owner)
    invite = await create_invite(owner, address)
    guest = await client.join(address, "guest", invite=invite["code"])
    async with raw_client(server.url) as second:
        await second.join(address, "guest", guestKey=guest["guestKey"])
        assert (await second.request("leaveRoom", {"room": address, "forget": True}))["ok"]
        assert await get_reason(client, "sendMessage", room=address, message="hi") == "room_not_found"
        assert await get_reason(second, "observe", room=address) == "room_not_found"
        assert await get_reason(owner, "leaveRoom", room=address, forget=True) == "last_owner"


async def test_policies_apply_to_present_members(server: RunningServer, owner: RawClient, client: RawClient) -> None:
    await create_room(owner, roomName="tea")
    await client.join("tea", "guest")
    sent = await client.request("sendMessage", {"room": "tea", "message": "hi"})
    assert await get_reason(client, "setTopic", room="tea", topic="mine") == "members_only"
    changed = await owner.request("setPolicy", {"room": "tea", "guestPost": False, "react": "moderators"})
    update = await client.wait_for_push("update", kind="policy")
    assert update["seq"] == changed["revision"]
    assert (update["guestPost"], update["react"]) == (False, "moderators")
    assert await get_reason(client, "sendMessage", room="tea", message="hi") == "guests_read_only"
    assert await get_reason(client, "editMessage", room="tea", seq=sent["seq"], message="ho") == "guests_read_only"
    assert await get_reason(client, "react", room="tea", seq=sent["seq"], emoji="👍", on=True) == "moderators_only"
    assert (await owner.request("react", {"room": "tea", "seq": sent["seq"], "emoji": "👍", "on": True}))["ok"]
    async with raw_client(server.url) as outsider:
        reason = await get_reason(outsider, "sendMessage", room="tea", message="hi", **{"as": {"nickName": "eve"}})
        assert reason == "guests_read_only"
    assert (await client.join("tea", "guest"))["room"]["policy"] == {"guestPost": False, "react": "moderators"}


async def test_a_room_is_renamed_with_its_members_present(
    server: RunningServer, owner: RawClient, client: RawClient
) -> None:
    await create_room(owner, roomName="tea")
    await client.join("tea", "guest")
    async with raw_client(server.url) as basic_client:
        joined = await basic_client.request("joinRoom", {"nickName": "basic", "id": 7, "roomId": "tea"})
        assert joined["ok"]
        assert [*await basic_client.wait_for_push("roomUser")] == ["tea"]
        renamed = await owner.request("updateRoom", {"room": "tea", "roomName": "Coffee"})
        assert renamed["ok"]
        assert await client.wait_for_push("roomRenamed") == {"room": "tea", "newName": "Coffee"}
        for name in ("tea", "coffee"):
            assert (await client.request("sendMessage", {"room": name, "message": "hi"}))["ok"]
        assert (await basic_client.request("client_msg", {"msg": "ho", "roomId": "tea"}))["ok"]
        pushes = [await basic_client.wait_for_push("server_msg") for _ in range(3)]
        assert [(push["roomId"], push["userId"] == 7) for push in pushes] == [("tea", False)] * 2 + [("tea", True)]
        assert (await basic_client.request("leaveRoom", {"room": "coffee"}))["ok"]
    assert (await client.request("history", {"room": "coffee", "after": 0}))["messages"][-1]["room"] == "Coffee"
    async with raw_client(server.url) as other:
        assert (await other.join("tea", "guest"))["memberCount"] == 1
        assert (await other.join("coffee", "other"))["memberCount"] == 3
    assert (await client.request("leaveRoom", {"room": "coffee"}))["ok"]
    assert await get_reason(client, "history", room="tea", after=0) == "room_not_joined"
    assert await get_reason(owner, "updateRoom", room="coffee", roomName=ADDRESS) == "room_name_reserved"
    assert await get_reason(owner, "updateRoom", room="coffee", title="Mine") == "room_name_or_title"
    assert await get_reason(owner, "setPolicy", room="coffee", visibility="private") == "visibility_fixed"
    assert await get_reason(owner, "setPolicy", room="coffee", visibility="unlisted") == ""


async def test_a_deleted_room_removes_its_readers_and_frees_its_name(
    server: RunningServer, owner: RawClient, client: RawClient
) -> None:
    first = await create_room(owner, roomName="tea")
    await client.join("tea", "guest")
    async with raw_client(server.url) as observer:
        assert (await observer.request("observe", {"room": "tea"}))["ok"]
        assert await get_reason(client, "deleteRoom", room="tea") == "owner_only"
        assert (await owner.request("deleteRoom", {"room": "tea"}))["ok"]
        for reader in (client, observer):
            assert await reader.wait_for_push("roomRemoved") == {"room": "tea"}
    assert await get_reason(client, "sendMessage", room="tea", message="hi") == "room_not_joined"
    assert await get_reason(owner, "deleteRoom", room="tea") == "room_not_found"
    second = await create_room(owner, roomName="tea")
    assert second["logId"] != first["logId"]


async def test_my_rooms_lists_durable_memberships_with_unread_counts(
    server: RunningServer, owner: RawClient, client: RawClient
) -> None:
    assert await get_reason(client, "myRooms") == "account_required"
    address = await create_private(owner)
    await create_room(owner, roomName="tea")
    await client.join("tea", "guest")
    await client.request("sendMessage", {"room": "tea", "message": "hi"})
    rooms = (await owner.request("myRooms", {}))["rooms"]
    assert [(room["name"], room["role"], room["lastSeq"], room["read"]["unread"]) for room in rooms] == [
        ("tea", "owner", 2, 1),
        (address, "owner", 2, 0),
    ]
    assert rooms[1]["title"] == "Vault"


async def test_a_revoked_permission_applies_to_concurrent_requests(
    server: RunningServer, owner: RawClient, client: RawClient
) -> None:
    await create_room(owner, roomName="tea")
    await client.join("tea", "guest")
    policy_id = await owner.start_request("setPolicy", {"room": "tea", "guestPost": False})
    request_ids = [
        await client.start_request("sendMessage", {"room": "tea", "message": str(number)}) for number in range(50)
    ]
    revision = (await owner.read_response(policy_id))["revision"]
    responses = [await client.read_response(request_id) for request_id in request_ids]
    assert all(response["seq"] < revision for response in responses if response["ok"])
    history = await owner.request("history", {"room": "tea", "after": revision - 1, "limit": 200})
    assert [entry["kind"] for entry in history["messages"]] == ["policy"]


async def test_refused_requests_without_an_ack_result_in_error_events(owner: RawClient, client: RawClient) -> None:
    await create_room(owner, roomName="tea", speak="members")
    await client.ws.send_str('42["joinRoom","tea"]')
    await client.wait_for_push("message")
    error = await request_without_ack(client, "sendMessage", {"room": "tea", "message": "hi"})
    assert (error["code"], error["reason"]) == ("forbidden", "members_only")
    error = await request_without_ack(client, "client_msg", {"roomId": "tea", "msg": "hi"})
    assert (error["code"], error["reason"]) == ("forbidden", "members_only")


async def test_notices_to_basic_clients_name_private_rooms_by_title(
    server: RunningServer, owner: RawClient, client: RawClient
) -> None:
    address = await create_private(owner)
    invite = await create_invite(owner, address)
    await client.join(address, "小明", invite=invite["code"])
    await client.request("leaveRoom", {"room": address})
    client.pushes.clear()
    await client.ws.send_str("42" + json.dumps(["joinRoom", address]))
    assert await client.wait_for_push("message") == "新用户加入了 Vault 房间"
    async with connect_account(server, "bob") as bob:
        await bob.join(address, "bob", invite=invite["code"])
        assert await client.wait_for_push("message") == "bob 加入了 Vault 房间"
        assert await get_reason(owner, "updateRoom", room=address, title="Attic") == ""
    assert await client.wait_for_push("message") == "bob 离开了 Attic 房间"


async def test_resource_clients_with_an_account_own_their_rooms(
    server: RunningServer, owner: RawClient, client: RawClient
) -> None:
    created = await owner.request("createChatroom", {"name": "Tea", "topic": "green"})
    assert (created["name"], created["topic"]) == ("Tea", "green")
    assert (await owner.request("createChatroom", {"name": "tea"}))["error"]["code"] == "conflict"
    joined = await client.join("tea", "guest")
    assert ([entry["kind"] for entry in joined["messages"]], joined["room"]["topic"]) == (["member"], "green")
    for event, body in (
        ("updateChatroom", {"id": created["id"], "name": "Mine"}),
        ("removeChatroom", created["id"]),
    ):
        assert (await client.request(event, body))["error"]["code"] == "forbidden"
    updated = await owner.request("updateChatroom", {"id": created["id"], "name": "Coffee", "topic": "black"})
    assert (updated["name"], updated["topic"], updated["members"]) == ("Coffee", "black", 1)
    assert (await owner.request("removeChatroom", created["id"]))["name"] == "Coffee"
    assert await client.wait_for_push("roomRemoved") == {"room": "Coffee"}
    assert (await owner.request("findOneChatroom", created["id"]))["error"]["code"] == "not_found"


async def test_policies_apply_after_a_restart(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, connect_account(server, "ann") as ann:
        await create_room(ann, roomName="tea", guestPost=False)
        await create_room(ann, roomName="den", visibility="unlisted")
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as guest:
        as_guest = {"as": {"nickName": "eve"}}
        assert await get_reason(guest, "sendMessage", room="tea", message="hi", **as_guest) == "guests_read_only"
        assert (await guest.join("tea", "eve"))["room"]["policy"] == {"guestPost": False}
        assert await get_reason(guest, "sendMessage", room="tea", message="hi") == "guests_read_only"
        await guest.join("den", "eve")
        assert [room["name"] for room in (await guest.request("listRooms", {}))["rooms"]] == ["tea"]


async def test_a_former_administrator_loses_its_permissions_in_joined_rooms(
    server: RunningServer, owner: RawClient
) -> None:
    await create_room(owner, roomName="tea", topic="owner")
    issued = await create_account(server, "root", role="admin")
    async with raw_client(server.url, headers={"Authorization": f"Bearer {issued.token}"}) as admin:
        await admin.join("tea", "root")
        assert await get_reason(admin, "setTopic", room="tea", topic="order") == ""
        await server.account_service.set_role("root", "user")
        assert await get_reason(admin, "setTopic", room="tea", topic="order") == "owner_only"


async def test_a_guest_forgets_rooms_without_a_membership(client: RawClient) -> None:
    await client.join("tea", "guest")
    assert await get_reason(client, "leaveRoom", room="tea", forget=True) == ""
    assert await get_reason(client, "sendMessage", room="tea", message="hi") == "room_not_joined"
    assert await get_reason(client, "leaveRoom", room="den", forget=True) == ""
