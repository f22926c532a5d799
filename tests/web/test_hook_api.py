"""Endpoints of webhooks on a running server: management, messages, permissions and limits."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.account_api import AccountApiClient, account_api
from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.persons import connect_person

HOOKS = "/api/rooms/tea/hooks"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


async def create_hook(server: RunningServer, creator: AccountApiClient, name: str = "grafana") -> tuple[str, str]:
    """Create a webhook over HTTP, and return its id and its path."""
    response = await creator.request("POST", HOOKS, {"nickName": name})
    assert response.status == 201, response
    assert response.body["url"].startswith(server.url)
    return response.body["id"], response.body["url"].removeprefix(server.url)


async def post(api: AccountApiClient, path: str, text: str = "hi") -> str:
    """Post to a webhook; return the body of a success, or the reason of the problem."""
    response = await api.request("POST", path, {"text": text})
    return "ok" if response.status == 200 else response.reason


async def test_a_message_has_the_name_and_the_id_of_the_webhook(
    server: RunningServer, api: AccountApiClient, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    async with connect_person(server, "ann", "account") as ann, connect_person(server, "bob", "account") as bob:
        assert [await ann.join(), await bob.join()] == ["", ""]
        creator = api.with_token(ann.token)
        hook_id, path = await create_hook(server, creator)
        plain = api.with_headers(Content_Type="text/plain")
        assert (await plain.request("POST", path, data="disk full, @bob")).status == 200
        message = await bob.client.wait_for_push("message", kind="message")
        fields = {"nickName": "grafana", "memberId": hook_id, "message": "disk full, @bob", "bot": True}
        assert fields.items() <= message.items()
        assert "account" not in message
        assert (await bob.read_log())[-1] == message
        mentions = await bob.client.request("listMentions", {})
        assert [found["seq"] for found in mentions["messages"]] == [message["seq"]]
        members = (await bob.client.request("listMembers", {"room": "tea"}))["members"]
        assert sorted(member["nickName"] for member in members) == ["ann", "bob"]
        await create_account(server, "grafana")  # takes the name
        assert await post(api, path) == "ok"
        assert (await bob.client.wait_for_push("message"))["nickName"] == "grafana2"
        listed = (await creator.request("GET", HOOKS)).body["hooks"]
        assert [(hook["id"], hook["nickName"], hook["createdBy"]["account"]) for hook in listed] == [
            (hook_id, "grafana", "ann")
        ]
        assert (await creator.request("DELETE", f"{HOOKS}/{hook_id}")).status == 204
        assert await post(api, path) == "hook_not_found"
        assert (await creator.request("DELETE", f"{HOOKS}/{hook_id}")).reason == "hook_not_found"
    secret = path.rpartition("/")[2]
    assert secret not in caplog.text
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"disk full" in stored
    assert secret.encode() not in stored


async def test_a_webhook_has_the_permissions_of_its_creator(server: RunningServer, api: AccountApiClient) -> None:
    async with connect_person(server, "root", "admin") as admin, connect_person(server, "ann", "account") as ann:
        assert [await admin.join(), await ann.join()] == ["", ""]
        hook_id, path = await create_hook(server, api.with_token(ann.token))
        for target in (ann.member_id, hook_id):
            assert await admin.attempt("mute", memberId=target) == ""
            assert await post(api, path) == "member_muted"
            assert await admin.attempt("unmute", memberId=target) == ""
            assert await post(api, path) == "ok"
            assert await admin.attempt("ban", memberId=target, deleteRecent=3600) == ""
            assert await post(api, path) == "member_banned"
            assert await admin.attempt("unban", memberId=target) == ""
        messages = [entry for entry in await admin.read_log() if entry["kind"] == "message"]
        assert [entry.get("deleted", False) for entry in messages] == [True, True]
        assert await post(api, path) == "ok"
        await server.account_service.suspend("ann")
        assert await post(api, path) == "hook_not_found"


async def test_a_webhook_of_a_private_room_ends_with_the_membership_of_its_creator(
    server: RunningServer, api: AccountApiClient
) -> None:
    async with connect_person(server, "ann", "account") as ann, connect_person(server, "bob", "account") as bob:
        created = await ann.client.request("createRoom", {"title": "Vault", "visibility": "private"})
        address = created["room"]["name"]
        invite = await ann.client.request("createInvite", {"room": address})
        assert await bob.join(address, invite=invite["invite"]["code"]) == ""
        assert await ann.attempt("setRole", room=address, memberId=bob.member_id, role="moderator") == ""
        created = await bob.client.request("createHook", {"room": address, "nickName": "ci"})
        path = created["url"].removeprefix(server.url)
        assert await post(api, path) == "ok"
        assert await ann.attempt("kick", room=address, memberId=bob.member_id) == ""
        assert await post(api, path) == "room_not_found"
        hooks = (await ann.client.request("listHooks", {"room": address}))["hooks"]
        assert [hook["nickName"] for hook in hooks] == ["ci"]
        assert await ann.attempt("deleteRoom", room=address) == ""
        assert await post(api, path) == "hook_not_found"


async def test_bodies_and_rates_are_limited(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, message_burst=3, message_rate=0.01) as server,
        account_api(server.url) as api,
        connect_person(server, "ann", "account") as ann,
    ):
        assert await ann.join() == ""
        creator = api.with_token(ann.token)
        _, path = await create_hook(server, creator)
        _, other_path = await create_hook(server, creator, "ci")
        assert (await api.request("POST", path, data=b"x" * (256 * 1024 + 1))).status == 413
        assert (await api.request("POST", "/api/hooks/unknown", data=b"x" * (256 * 1024 + 1))).reason == (
            "hook_not_found"
        )
        assert await post(api, path, "") == "hook_text_missing"
        results = await asyncio.gather(*(post(api, path) for _ in range(5)))
        assert sorted(results) == ["ok", "ok", "ok", "too_many_messages", "too_many_messages"]
        limited = await api.request("POST", path, {"text": "hi"})
        assert (limited.status, int(limited.headers["Retry-After"]) > 0) == (429, True)
        assert await post(api, other_path) == "ok"
        assert await ann.send()
        assert (await api.request("GET", HOOKS)).status == 401
        assert (await creator.request("POST", HOOKS, {"nickName": "x" * 33})).reason == "nick_too_long"
        revocations = [await creator.request("DELETE", f"{HOOKS}/unknown") for _ in range(4)]
        assert [response.reason for response in revocations] == ["hook_not_found"] * 3 + ["too_many_messages"]
