"""Tokens at CONNECT: identity of the connection, reserved names and rejected tokens."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from server.app import RunningServer
from server.domain.account_directory import AccountIdentity
from server.gateway.credentials import find_connect_token
from server.storage.account_records import TokenRecord
from server.storage.account_repository import AccountRepository
from tests.support.accounts import create_account, open_connection
from tests.support.in_process_server import running_server
from tests.support.polling_client import polling_client
from tests.support.raw_client import raw_client


@pytest.mark.parametrize("source", ["auth", "bearer", "bare"])
async def test_a_connection_with_a_token_joins_as_its_account(server: RunningServer, source: str) -> None:
    issued = await create_account(server, "ann.smith", nick_name="Ann")
    headers = {"bearer": {"Authorization": f"Bearer {issued.token}"}, "bare": {"Authorization": issued.token}}
    auth = {"token": issued.token} if source == "auth" else None
    async with open_connection(server, auth, headers.get(source)) as (client, _), raw_client(server.url) as guest:
        joined = await client.join("tea", "other name")
        assert joined["nickName"] == "Ann"
        assert joined["memberId"] == issued.account.member_id
        assert joined["guestKey"] == ""
        (member,) = joined["members"]
        assert member["account"] == "ann.smith"
        await guest.join("tea", "bob")
        assert (await client.request("sendMessage", {"room": "tea", "message": "hi"}))["ok"]
        message = await guest.wait_for_push("message", kind="message")
        assert (message["account"], message["memberId"]) == ("ann.smith", issued.account.member_id)


async def test_a_message_without_a_join_has_the_account_of_the_connection(server: RunningServer) -> None:
    issued = await create_account(server)
    async with open_connection(server, {"token": issued.token}) as (client, _):
        posted = await client.request("sendMessage", {"room": "tea", "message": "hi", "as": {"nickName": "bob"}})
        assert posted["nickName"] == "ann"
        assert "guestKey" not in posted
        (entry, _) = (await client.join("tea", "ann"))["messages"]
        assert (entry["account"], entry["memberId"]) == ("ann", issued.account.member_id)


@pytest.mark.parametrize(
    ("auth", "headers"),
    [({"token": "ct_unknown"}, None), ({"token": 7}, None), (None, {"Authorization": "ct_unknown"})],
    ids=["unknown", "number", "header"],
)
async def test_an_invalid_token_is_answered_with_an_auth_fail_and_a_close(
    server: RunningServer, auth: dict[str, Any] | None, headers: dict[str, str] | None
) -> None:
    async with open_connection(server, auth, headers) as (client, packet):
        assert packet is not None
        assert packet.startswith("40{")
        assert await client.wait_for_push("authFail") == {
            "message": "the token is not valid",
            "reason": "token_invalid",
        }
        await client.wait_closed()


async def test_an_invalid_token_closes_a_polling_session(server: RunningServer) -> None:
    async with polling_client(server.url) as client:
        await client.post('40{"token":"ct_unknown"}')
        packets = await client.receive_packets()
        assert [packet[:13] for packet in packets][1] == '42["authFail"'
        assert (await client.poll()).body == "1"


def test_a_number_out_of_range_is_a_malformed_token() -> None:
    assert find_connect_token(Raw(b'{"token": 1e999}'), "ct_header") == ""


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ({"token": None}, None),
        ({"token": ""}, None),
        ({}, {"Authorization": ""}),
        (None, {"Authorization": "Basic YW5uOng="}),
    ],
    ids=["null", "empty", "empty header", "other scheme"],
)
async def test_a_connection_without_a_token_is_a_guest(
    server: RunningServer, auth: dict[str, Any] | None, headers: dict[str, str] | None
) -> None:
    async with open_connection(server, auth, headers) as (client, _):
        joined = await client.join("tea", "ann")
        assert joined["guestKey"]
        assert "account" not in joined["members"][0]


async def test_a_reserved_name_gets_a_suffix_for_a_guest(server: RunningServer) -> None:
    await create_account(server, "ann", nick_name="Captain")
    async with raw_client(server.url) as guest, raw_client(server.url) as other:
        posted = await guest.request("sendMessage", {"room": "new", "message": "hi", "as": {"nickName": "ＡＮＮ"}})
        assert posted["nickName"] == "ANN2"
        assert (await guest.join("tea", "captain"))["nickName"] == "captain2"
        assert (await other.join("tea", "bob"))["nickName"] == "bob"
        assert (await other.request("changeNick", {"nickName": "Captain"}))["nickName"] == "Captain3"
        assert (await other.request("changeNick", {"nickName": "ann"}))["nickName"] == "ann2"


async def test_a_guest_with_a_nickname_confusable_with_an_account_is_marked(server: RunningServer) -> None:
    issued = await create_account(server, "paypal", nick_name="Ann")
    nicks = {"раураl": True, "Аnn": True, "paypaI": True, "bob": False}
    async with raw_client(server.url) as guest, open_connection(server, {"token": issued.token}) as (client, _):
        for number, (nick, is_marked) in enumerate(nicks.items()):
            (member,) = (await guest.join(f"room {number}", nick))["members"]
            assert member.get("confusable", False) is is_marked, nick
        (member,) = (await client.join("tea", "Ann"))["members"]
        assert "confusable" not in member
        await server.account_service.delete_account_by_name("paypal", "keep")
        (member,) = (await guest.join("later", "Аnn"))["members"]
        assert "confusable" not in member


async def test_a_new_account_takes_its_names_from_present_guests(server: RunningServer) -> None:
    async with raw_client(server.url) as guest:
        await guest.join("tea", "Ann")
        assert (await guest.wait_for_push("presence"))["joined"]
        issued = await create_account(server, "ann")
        renamed = (await guest.wait_for_push("presence"))["renamed"]
        assert [member["nickName"] for member in renamed] == ["Ann2"]
        async with open_connection(server, {"token": issued.token}) as (client, _):
            assert (await client.join("tea", "ann"))["nickName"] == "ann"


async def test_the_guest_key_of_a_registered_guest_is_ignored(server: RunningServer) -> None:
    async with raw_client(server.url) as guest:
        joined = await guest.join("tea", "ann")
        account = await server.account_service.create_account(
            "ann", password=None, address="127.0.0.1", member_id=joined["memberId"]
        )
        issued = await server.account_service.issue_token(account, "")
        await guest.wait_closed()
    async with (
        raw_client(server.url) as impostor,
        open_connection(server, {"token": issued.token, "guestKey": joined["guestKey"]}) as (client, _),
    ):
        rejoined = await impostor.join("tea", "ann", guestKey=joined["guestKey"])
        assert rejoined["memberId"] != joined["memberId"]
        assert rejoined["nickName"] == "ann2"
        assert (await impostor.request("leaveRoom", {"room": "tea"}))["ok"]
        assert (await client.join("tea", "ann", guestKey=rejoined["guestKey"]))["memberId"] == joined["memberId"]


async def test_an_open_connection_of_a_registered_guest_gets_another_member_id(server: RunningServer) -> None:
    async with raw_client(server.url) as guest:
        joined = await guest.join("tea", "ann")
        await guest.request("leaveRoom", {"room": "tea"})
        await server.account_service.create_account(
            "ann", password=None, address="127.0.0.1", member_id=joined["memberId"]
        )
        assert (await guest.join("tea", "bob"))["memberId"] != joined["memberId"]


async def test_a_server_without_guests_requires_a_token(tmp_path: Path) -> None:
    async with running_server(tmp_path, guests="off") as server:
        issued = await create_account(server)
        async with open_connection(server) as (client, packet):
            assert packet is not None
            assert packet.startswith("44")
            error = json.loads(packet[2:])["data"]
            assert (error["code"], error["reason"]) == ("unauthorized", "login_required")
            await client.ws.send_str("40" + json.dumps({"token": issued.token}))
            assert ((await client.read_packet()) or "").startswith("40{")
            assert (await client.join("tea", "x"))["nickName"] == "ann"


async def test_tokens_and_accounts_survive_a_restart(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        issued = await create_account(server, "ann")
    async with (
        running_server(tmp_path) as server,
        open_connection(server, {"token": issued.token}) as (client, _),
        raw_client(server.url) as guest,
    ):
        assert (await client.join("tea", "x"))["memberId"] == issued.account.member_id
        assert (await guest.join("tea", "ann"))["nickName"] == "ann2"


async def test_a_verification_that_overlaps_a_revocation_is_repeated(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = await create_account(server, "ann")
    find_token = AccountRepository.find_token
    has_read, may_continue = asyncio.Event(), asyncio.Event()

    async def find_and_wait(repository: AccountRepository, digest: bytes) -> TokenRecord | None:
        record = await find_token(repository, digest)
        has_read.set()
        await may_continue.wait()
        return record

    monkeypatch.setattr(AccountRepository, "find_token", find_and_wait)
    async with raw_client(server.url, connect=False) as client:
        await client.ws.send_str("40" + json.dumps({"token": issued.token}))
        await has_read.wait()
        account = AccountIdentity.from_account(issued.account, token_id=0)
        (device,) = await server.account_service.list_devices(account.id)
        await server.account_service.revoke_device(account, device.id)
        may_continue.set()
        assert await client.wait_for_push("authFail")
        await client.wait_closed()


async def test_a_verified_token_is_cached(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = await create_account(server, "ann")
    async with open_connection(server, {"token": issued.token}):
        pass
    monkeypatch.delattr(AccountRepository, "find_token")
    async with open_connection(server, {"token": issued.token}) as (client, _):
        assert (await client.join("tea", "ann"))["nickName"] == "ann"
