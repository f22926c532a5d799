"""Changes outside the logs, and pushes to accounts, between the nodes of one database."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from server.app import RunningServer
from server.cluster import log_follower
from server.cluster.bus import Bus
from server.domain.account_directory import AccountIdentity
from server.gateway import account_sync
from tests.cluster.conftest import StartNode
from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.persons import connect_person
from tests.support.postgresql import PostgreSQLServer
from tests.support.raw_client import RawClient

pytestmark = pytest.mark.needs_postgresql

NEVER = 3600.0  # seconds


@pytest.fixture
def messages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the nodes compare their state with the database after messages only."""
    monkeypatch.setattr(account_sync, "POLL_INTERVAL", NEVER)
    monkeypatch.setattr(log_follower, "POLL_INTERVAL", NEVER)


@pytest.fixture
def without_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose all control messages, and compare the state with the database often."""
    publish = Bus.publish

    def lose(bus: Bus, channel: str, body: bytes) -> None:
        if channel != "control":
            publish(bus, channel, body)

    monkeypatch.setattr(Bus, "publish", lose)
    monkeypatch.setattr(account_sync, "POLL_INTERVAL", 0.05)
    monkeypatch.setattr(log_follower, "POLL_INTERVAL", 0.05)


async def wait_for_nick(client: RawClient, nick_name: str) -> None:
    """Wait for a member with this nickname; one push combines a join with a rename shortly afterwards."""
    while f"'{nick_name}'" not in str(await client.wait_for_push("presence")):
        pass


@pytest.mark.parametrize("delivery", ["messages_only", "without_messages"])
async def test_changes_of_accounts_and_blocks_apply_on_all_nodes(
    start_node: StartNode, request: pytest.FixtureRequest, delivery: str
) -> None:
    request.getfixturevalue(delivery)
    room, name, new_name = uuid4().hex, f"a{uuid4().hex[:8]}", f"b{uuid4().hex[:8]}"
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(start_node()) for _ in range(2)]
        guest = await stack.enter_async_context(connect_person(second, name))
        assert await guest.join(room) == ""
        ann = await stack.enter_async_context(connect_person(first, name, "account"))
        await wait_for_nick(guest.client, f"{name}2")
        device = await stack.enter_async_context(connect_person(second, name, token=ann.token))
        assert await device.join(room) == ""
        account = first.account_service.directory.find(name)
        assert account is not None
        assert (await ann.client.request("changeNick", {"nickName": new_name}))["ok"]
        await wait_for_nick(guest.client, new_name)

        bob_account = (await create_account(second, f"c{uuid4().hex[:8]}")).account
        bob_token = (await second.account_service.issue_token(bob_account, "")).token
        bob = await stack.enter_async_context(connect_person(second, bob_account.name, token=bob_token))
        opened = await bob.client.request("openDirect", {"memberIds": [account.member_id]})
        assert opened["ok"], opened
        direct = opened["room"]["name"]
        assert await bob.attempt("sendMessage", room=direct, message="hi") == ""
        block = {"memberId": bob_account.member_id}
        assert (await ann.client.request("block", block))["ok"]
        while await bob.attempt("sendMessage", room=direct, message="hi") != "contact_refused":
            pass
        assert (await ann.client.request("unblock", block))["ok"]
        while await bob.attempt("sendMessage", room=direct, message="hi") != "":
            pass

        other_token = (await first.account_service.issue_token(account, "other")).token
        other = await stack.enter_async_context(connect_person(second, name, token=other_token))
        identity = AccountIdentity.from_account(account, token_id=0)
        revoked, remaining = sorted(await first.account_service.list_devices(account.id), key=lambda token: token.id)
        assert remaining.label == "other"
        await first.account_service.revoke_device(identity, revoked.id)
        assert (await device.client.wait_for_push("authFail"))["reason"] == "token_invalid"
        await device.client.wait_closed()
        assert await other.join(room) == ""
        await first.account_service.suspend(name)
        assert (await other.client.wait_for_push("authFail"))["reason"] == "account_suspended"
        await other.client.wait_closed()


async def test_an_account_gets_its_nickname_from_a_guest_on_another_node(
    start_node: StartNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, delayed = Bus.publish, list[tuple[Bus, str, bytes]]()

    def delay(bus: Bus, channel: str, body: bytes) -> None:
        if channel == "control":
            delayed.append((bus, channel, body))
        else:
            publish(bus, channel, body)

    monkeypatch.setattr(Bus, "publish", delay)
    monkeypatch.setattr(account_sync, "POLL_INTERVAL", NEVER)
    room, name = uuid4().hex, f"a{uuid4().hex[:8]}"
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(start_node()) for _ in range(2)]
        guest = await stack.enter_async_context(connect_person(second, name))
        assert await guest.join(room) == ""
        ann = await stack.enter_async_context(connect_person(first, name, "account"))
        assert await ann.join(room) == ""

        async def list_nicks() -> dict[str, str]:
            response = await ann.client.request("listMembers", {"room": room})
            return {member["memberId"]: member["nickName"] for member in response["members"]}

        assert await list_nicks() == {guest.member_id: name, ann.member_id: f"{name}2"}
        for bus, channel, body in delayed:
            publish(bus, channel, body)
        while (nicks := await list_nicks())[ann.member_id] != name:
            await ann.client.wait_for_push("presence")
        assert nicks[guest.member_id] != name


async def test_devices_and_direct_contacts_on_other_nodes_receive_pushes(nodes: list[RunningServer]) -> None:
    room, name = uuid4().hex, f"a{uuid4().hex[:8]}"
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(connect_person(nodes[0], name, "account"))
        device = await stack.enter_async_context(connect_person(nodes[1], name, token=ann.token))
        bob = await stack.enter_async_context(connect_person(nodes[0], f"b{name}", "account"))
        assert await ann.join(room) == ""
        seq = await ann.send("first", room=room)
        response = await ann.client.request("markRead", {"room": room, "seq": seq - 1, "unread": True})
        assert response["ok"], response
        assert (await device.client.wait_for_push("readMarker"))["seq"] == seq - 1
        assert await bob.join(room) == ""
        assert (await ann.client.request("block", {"memberId": bob.member_id}))["ok"]
        assert (await device.client.wait_for_push("blocks"))["member"]["memberId"] == bob.member_id
        assert (await ann.client.request("unblock", {"memberId": bob.member_id}))["ok"]
        assert not (await device.client.wait_for_push("blocks")).get("on")
        opened = await bob.client.request("openDirect", {"memberIds": [ann.member_id]})
        assert opened["ok"], opened
        await bob.send(room=opened["room"]["name"])
        for client in (ann.client, device.client):
            assert (await client.wait_for_push("directRoom"))["room"] == opened["room"]["name"]
        await asyncio.gather(*(client.request("myRooms", {}) for client in (ann.client, device.client)))
        for person in (ann, device):
            assert not [packet for packet in person.client.pushes if "directRoom" in packet]


@pytest.mark.usefixtures("messages_only")
async def test_a_room_without_members_on_any_node_is_renamed_and_deleted_for_all_observers(
    nodes: list[RunningServer],
) -> None:
    room, new_name = uuid4().hex, uuid4().hex
    async with (
        connect_person(nodes[0], "creator") as creator,
        connect_person(nodes[0], "near") as near,
        connect_person(nodes[1], "far") as far,
    ):
        created = await creator.client.request("createChatroom", {"name": room})
        assert "id" in created, created
        for person in (near, far):
            assert await person.attempt("observe", room=room) == ""
        async with connect_person(nodes[1], "member") as member:
            assert await member.join(room) == ""
            refused = await creator.client.request("removeChatroom", created["id"])
            assert refused["error"]["code"] == "conflict"
        new = {"id": created["id"], "name": new_name}
        while "error" in (updated := await creator.client.request("updateChatroom", new)):
            assert updated["error"]["code"] == "conflict"  # until the leave of the member is known
        assert updated["name"] == new_name
        for person in (near, far):
            assert await person.client.wait_for_push("roomRenamed") == {"room": room, "newName": new_name}
        for server_number, text in enumerate(("from the first node", "from the second node")):
            async with connect_person(nodes[server_number], "writer") as writer:
                assert await writer.join(new_name) == ""
                await writer.send(text, room=new_name)
            for person in (near, far):
                await person.client.wait_for_push("message", message=text)
        while "error" in (removed := await creator.client.request("removeChatroom", created["id"])):
            assert removed["error"]["code"] == "conflict"  # until the node has processed the disconnect of the writer
        for person in (near, far):
            assert await person.client.wait_for_push("roomRemoved") == {"room": new_name}
        assert await far.attempt("observe", room=new_name) == ""


async def test_the_ban_of_a_guest_applies_to_its_address_on_all_nodes(
    postgresql: PostgreSQLServer, bus: str, tmp_path: Path
) -> None:
    settings = {"database": postgresql.url, "bus": bus, "trusted_proxy": ("127.0.0.0/8",), "rate_limit": "off"}
    room, address = uuid4().hex, "203.0.113.7"
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(running_server(tmp_path, **settings)) for _ in range(2)]
        owner = await stack.enter_async_context(connect_person(first, uuid4().hex[:8], "account"))
        created = await owner.client.request("createRoom", {"roomName": room, "visibility": "public"})
        assert created["ok"], created
        guest, neighbor, other = [
            await stack.enter_async_context(connect_person(second, name, address=guest_address))
            for name, guest_address in (("guest", address), ("neighbor", address), ("other", "203.0.113.8"))
        ]
        near = await stack.enter_async_context(connect_person(first, "near", address=address))
        for person in (guest, neighbor, other, near):
            assert await person.join(room) == ""
        await guest.send(room=room)
        assert await owner.attempt("ban", room=room, memberId=guest.member_id) == ""
        for person in (guest, neighbor, near):
            assert (await person.client.wait_for_push("error"))["reason"] == "member_banned"
        for server in (first, second):
            async with connect_person(server, "new", address=address) as new:
                assert await new.join(room) == "member_banned"
        assert await other.attempt("sendMessage", room=room, message="still here") == ""
