"""HTTP endpoints of accounts, devices and profiles, with a real server."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from server.gateway import password_hashing
from server.web.api import authentication
from tests.support.account_api import AccountApiClient, account_api
from tests.support.accounts import PASSWORD, create_account, open_connection
from tests.support.in_process_server import running_server
from tests.support.monotonic_clocks import ManualMonotonicClock
from tests.support.polling_client import polling_client
from tests.support.raw_client import raw_client

PROXY = {"trusted_proxy": ("127.0.0.1",)}
DAY_MS = 24 * 3_600_000


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, registration="open", rate_limit="off") as running:
        yield running


async def test_a_registration_returns_a_token_for_the_socket(server: RunningServer, api: AccountApiClient) -> None:
    registered = await api.register("Ann.Smith", nickName="Ann")
    assert registered.status == 201
    assert registered.body["account"] == "Ann.Smith"
    assert registered.headers["Cache-Control"] == "no-store"
    profile = (await api.with_token(registered.body["token"]).request("GET", "/api/me")).body
    assert (profile["account"], profile["nickName"], profile["role"]) == ("Ann.Smith", "Ann", "user")
    async with open_connection(server, {"token": registered.body["token"]}) as (client, _):
        assert (await client.join("tea", "x"))["memberId"] == profile["memberId"]


async def test_a_login_creates_a_device_that_is_listed_and_revoked(api: AccountApiClient) -> None:
    first = (await api.register("ann")).body["token"]
    logged_in = await api.log_in("ANN", label="laptop\n1")
    assert logged_in.status == 200
    client = api.with_token(logged_in.body["token"])
    sessions = (await client.request("GET", "/api/sessions")).body["sessions"]
    assert [(device["label"], device["current"]) for device in sessions] == [("laptop 1", True), ("", False)]
    assert all(device["lastUsedAt"] % 3_600_000 == 0 for device in sessions)
    assert logged_in.body["expiresAt"] == sessions[0]["lastUsedAt"] + 90 * DAY_MS
    assert (await client.request("DELETE", f"/api/sessions/{sessions[1]['id']}")).status == 204
    assert (await api.with_token(first).request("GET", "/api/me")).reason == "token_invalid"
    assert (await client.request("DELETE", f"/api/sessions/{sessions[1]['id']}")).reason == "session_not_found"
    assert (await client.request("DELETE", "/api/sessions/current")).status == 204
    assert (await client.request("GET", "/api/me")).status == 401


async def test_a_device_cannot_revoke_that_of_another_account(api: AccountApiClient) -> None:
    ann = api.with_token((await api.register("ann")).body["token"])
    bob = api.with_token((await api.register("bob")).body["token"])
    (device,) = (await ann.request("GET", "/api/sessions")).body["sessions"]
    assert (await bob.request("DELETE", f"/api/sessions/{device['id']}")).reason == "session_not_found"
    assert (await ann.request("GET", "/api/me")).status == 200
    overlong_id = f"{device['id']:0>16}0"
    assert (await ann.request("DELETE", f"/api/sessions/{overlong_id}")).status == 400


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"account": "ann bob"}, "account_name_invalid"),
        ({"account": "a@b"}, "account_name_invalid"),
        ({"account": "Deleted-1"}, "account_name_invalid"),
        ({"account": ""}, "nick_empty"),
        ({"account": "room"}, "nick_reserved"),
        ({"account": "x" * 33}, "nick_too_long"),
        ({"nickName": "a\u202eb"}, "nick_character"),
        ({"password": "short"}, "password_too_short"),
        ({"password": "x" * 257}, "password_too_long"),
        ({"password": "pass\x07word"}, "password_character"),
        ({"account": "annsmith", "password": "AnnSmith"}, "password_is_name"),
        ({"email": "ann"}, "email_invalid"),
        ({"password": 12345678}, "field_invalid"),
        ({"password": None}, "field_invalid"),
    ],
)
async def test_an_invalid_registration_names_the_problem(
    api: AccountApiClient, fields: dict[str, Any], reason: str
) -> None:
    response = await api.request("POST", "/api/accounts", {"account": "ann", "password": PASSWORD} | fields)
    assert response.reason == reason
    assert PASSWORD not in str(response.body)


async def test_account_names_and_nicknames_share_one_namespace(api: AccountApiClient) -> None:
    assert (await api.register("ann", nickName="Captain")).status == 201
    for fields in ({"account": "ＡＮＮ"}, {"account": "captain"}, {"account": "bob", "nickName": "Ann"}):
        response = await api.request("POST", "/api/accounts", {"password": PASSWORD} | fields)
        assert (response.status, response.reason) == (409, "account_name_in_use")
    bob = api.with_token((await api.register("bob")).body["token"])
    assert (await bob.request("PATCH", "/api/me", {"nickName": "CAPTAIN"})).reason == "account_name_in_use"
    assert (await bob.request("GET", "/api/me")).body["nickName"] == "bob"


async def test_concurrent_registrations_of_one_name_create_one_account(api: AccountApiClient) -> None:
    responses = await asyncio.gather(*(api.register("ann") for _ in range(8)))
    assert sorted(response.status for response in responses) == [201] + [409] * 7


async def test_a_profile_change_applies_to_all_rooms_and_frees_the_former_nickname(
    server: RunningServer, api: AccountApiClient
) -> None:
    token = (await api.register("ann", nickName="Captain")).body["token"]
    async with open_connection(server, {"token": token}) as (client, _), raw_client(server.url) as guest:
        await client.join("tea", "x")
        await guest.join("tea", "Major")
        changed = await api.with_token(token).request("PATCH", "/api/me", {"nickName": "Major", "about": "tea\nlover"})
        assert (changed.body["nickName"], changed.body["about"]) == ("Major", "tea lover")
        names = [member["nickName"] for member in (await guest.request("listMembers", {"room": "tea"}))["members"]]
        assert sorted(names) == ["Major", "Major2"]
        assert (await guest.request("changeNick", {"nickName": "Captain"}))["nickName"] == "Captain"
        assert (await client.join("coffee", "x"))["nickName"] == "Major"


async def test_a_nickname_change_on_the_socket_changes_the_account(
    server: RunningServer, api: AccountApiClient
) -> None:
    token = (await api.register("ann")).body["token"]
    await api.register("bob")
    async with open_connection(server, {"token": token}) as (client, _), raw_client(server.url) as guest:
        for room in ("tea", "coffee"):
            await client.join(room, "ann")
        await guest.join("coffee", "Captain")
        assert (await client.request("changeNick", {"nickName": "Captain", "room": "tea"}))["nickName"] == "Captain"
        names = [member["nickName"] for member in (await guest.request("listMembers", {"room": "coffee"}))["members"]]
        assert sorted(names) == ["Captain", "Captain2"]
        refused = await client.request("changeNick", {"nickName": "BOB"})
        assert refused["error"]["reason"] == "account_name_in_use"
    assert (await api.with_token(token).request("GET", "/api/me")).body["nickName"] == "Captain"


async def test_a_guest_who_registers_keeps_the_member_id(server: RunningServer, api: AccountApiClient) -> None:
    async with raw_client(server.url) as guest:
        joined = await guest.join("tea", "ann")
        await guest.request("sendMessage", {"room": "tea", "message": "as a guest"})
        claim = api.with_headers(Authorization=f"Guest {joined['guestKey']}")
        registered = await claim.register("ann")
        assert registered.status == 201
        await guest.wait_closed()
    async with open_connection(server, {"token": registered.body["token"]}) as (client, _):
        again = await client.join("tea", "ann")
        assert again["memberId"] == joined["memberId"]
        assert (await client.request("editMessage", {"room": "tea", "seq": 1, "message": "edited"}))["ok"]
    assert (await claim.register("bob")).reason == "guest_key_invalid"
    assert (await api.with_headers(Authorization="Guest g1.forged").register("bob")).reason == "guest_key_invalid"


async def test_the_connections_of_a_revoked_device_are_closed(server: RunningServer, api: AccountApiClient) -> None:
    token = (await create_account(server, "ann")).token
    async with (
        open_connection(server, {"token": token}) as (client, _),
        polling_client(server.url) as polling,
        raw_client(server.url) as guest,
    ):
        await client.join("tea", "ann")
        await guest.join("tea", "bob")
        await polling.post(f'40{{"token":"{token}"}}')
        await polling.receive_packets()
        poll = await polling.start_poll()
        assert (await api.with_token(token).request("DELETE", "/api/sessions/current")).status == 204
        assert await client.wait_for_push("authFail")
        await client.wait_closed()
        members = (await guest.request("listMembers", {"room": "tea"}))["members"]
        assert [member["nickName"] for member in members] == ["bob"]
        assert (await poll).packets == ['42["authFail",{"message":"the token is not valid","reason":"token_invalid"}]']
        assert (await polling.poll()).body == "1"
    async with open_connection(server, {"token": token}) as (client, _):
        assert await client.wait_for_push("authFail")


async def test_a_password_change_revokes_the_other_devices(server: RunningServer, api: AccountApiClient) -> None:
    other_token = (await api.register("ann")).body["token"]
    device = api.with_token((await api.log_in("ann")).body["token"])
    body = {"password": PASSWORD, "newPassword": "battery staple"}
    async with open_connection(server, {"token": other_token}) as (client, _):
        assert (await device.request("POST", "/api/me/password", body | {"password": "wrong password"})).status == 401
        assert (await device.request("POST", "/api/me/password", body)).status == 204
        assert await client.wait_for_push("authFail")
    assert len((await device.request("GET", "/api/sessions")).body["sessions"]) == 1
    assert (await api.log_in("ann")).reason == "login_failed"
    assert (await api.log_in("ann", "battery staple")).status == 200


async def test_passwords_are_compared_in_their_normalized_form(api: AccountApiClient) -> None:
    await api.register("ann", "cafe\u0301 au lait")
    assert (await api.log_in("ann", "caf\u00e9\u00a0au lait")).status == 200


async def test_a_suspended_account_is_disconnected_and_may_return(server: RunningServer, api: AccountApiClient) -> None:
    token = (await api.register("ann")).body["token"]
    async with open_connection(server, {"token": token}) as (client, _):
        await server.account_service.suspend("ann")
        assert await client.wait_for_push("authFail")
    assert (await api.log_in("ann")).reason == "account_suspended"
    assert (await api.log_in("ann", "wrong password")).reason == "login_failed"
    assert (await api.with_token(token).request("GET", "/api/me")).reason == "account_suspended"
    await server.account_service.resume("ann")
    assert (await api.with_token(token).request("GET", "/api/me")).status == 200


@pytest.mark.parametrize(
    ("forwarded", "allowed"),
    [
        ({"X_Forwarded_For": "192.0.2.1"}, False),
        ({"X_Forwarded_For": "192.0.2.1", "X_Forwarded_Proto": "http"}, False),
        ({"X_Forwarded_For": "192.0.2.1", "X_Forwarded_Proto": "https"}, True),
        ({}, True),
    ],
)
async def test_passwords_of_other_machines_require_https(
    tmp_path: Path, forwarded: dict[str, str], allowed: bool
) -> None:
    async with running_server(tmp_path, registration="open", **PROXY) as server, account_api(server.url) as api:
        token = (await api.register("ann")).body["token"]
        remote = api.with_headers(**forwarded)
        responses = [
            await remote.log_in("ann"),
            await remote.register("bob"),
            await remote.with_token(token).request(
                "POST", "/api/me/password", {"password": PASSWORD, "newPassword": "battery staple"}
            ),
        ]
        expected = [200, 201, 204] if allowed else [403] * 3
        assert [response.status for response in responses] == expected
        if not allowed:
            assert {response.reason for response in responses} == {"login_insecure"}
        assert (await remote.with_token(token).request("GET", "/api/me")).status == 200


async def test_the_operator_can_allow_passwords_over_plain_http(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, registration="open", insecure_login="on", **PROXY) as server,
        account_api(server.url) as api,
    ):
        assert (await api.with_headers(X_Forwarded_For="192.0.2.1").register("ann")).status == 201


async def test_registrations_are_limited_per_address_and_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "REGISTRATIONS_PER_MINUTE", 2)
    clock = ManualMonotonicClock()
    async with (
        running_server(tmp_path, registration="open", monotonic=clock, **PROXY) as server,
        account_api(server.url) as api,
    ):
        ann, bob = [api.with_headers(X_Forwarded_For=f"192.0.2.{n}", X_Forwarded_Proto="https") for n in (1, 2)]
        rejected = [await ann.register("ann", "short") for _ in range(3)]
        assert [response.reason for response in rejected[:2]] == ["password_too_short"] * 2
        assert (rejected[2].status, rejected[2].reason) == (429, "too_many_registrations")
        assert rejected[2].headers["Retry-After"] == "30"
        assert (await bob.register("bob", "short")).reason == "password_too_short"
        clock.now += 30.0
        assert (await ann.register("ann", "short")).reason == "password_too_short"


async def test_a_registration_may_require_an_invite(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, account_api(server.url) as api:
        assert (await api.register("ann")).reason == "invite_invalid"
        invite = await server.account_service.create_invite(uses=1, lifetime=60)
        assert (await api.register("ann", invite=invite.code + "x")).reason == "invite_invalid"
        assert (await api.register("ann", "short", invite="unknown")).reason == "invite_invalid"
        assert (await api.register("ann", "short", invite=invite.code)).reason == "password_too_short"
        assert (await api.register("ann", invite=invite.code)).status == 201
        assert (await api.register("bob", invite=invite.code)).reason == "invite_invalid"
        assert (await api.register("ann", invite="unknown")).reason == "invite_invalid"
        expired = await server.account_service.create_invite(uses=1, lifetime=0)
        assert (await api.register("bob", invite=expired.code)).reason == "invite_invalid"


async def test_a_rejected_registration_keeps_the_invite(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, account_api(server.url) as api:
        invite = await server.account_service.create_invite(uses=2, lifetime=60)
        assert (await api.register("ann", invite=invite.code)).status == 201
        assert (await api.register("ann", invite=invite.code)).reason == "account_name_in_use"
        assert (await api.register("bob", invite=invite.code)).status == 201


async def test_a_closed_server_accepts_no_registration(tmp_path: Path) -> None:
    async with running_server(tmp_path, registration="closed") as server, account_api(server.url) as api:
        assert (await api.register("ann")).reason == "registration_closed"


async def test_invalid_bodies_methods_and_paths_are_rejected(api: AccountApiClient) -> None:
    async def send(data: bytes, content_type: str = "application/json") -> tuple[int, str]:
        """Send a login with this body; return the status and the reason, or the code without a reason."""
        response = await api.with_headers(Content_Type=content_type).request("POST", "/api/sessions", data=data)
        return response.status, response.body.get("reason", response.body["code"])

    assert await send(b"{}", "text/plain") == (415, "json_required")
    assert await send(b"{") == (400, "json_invalid")
    assert await send(b'{"account": "\xff"}') == (400, "json_invalid")
    assert await send(b"[]") == (400, "field_invalid")
    assert await send(b"[" * 10_000) == (400, "json_too_deep")
    assert await send(b'{"x":"' + b"x" * 20_000 + b'"}') == (413, "body_too_long")
    assert (await api.request("PUT", "/api/sessions")).status == 405
    assert (await api.request("GET", "/api/other")).status == 404


async def test_requests_without_a_valid_token_are_rejected(api: AccountApiClient) -> None:
    for path in ("/api/me", "/api/sessions"):
        assert (await api.request("GET", path)).reason == "login_required"
        assert (await api.with_token("ct_unknown").request("GET", path)).reason == "token_invalid"
        assert (await api.with_headers(Authorization="Basic eA==").request("GET", path)).status == 401


async def test_only_allowed_origins_may_call_the_endpoints(tmp_path: Path) -> None:
    page = "https://chat.example.org"
    async with (
        running_server(tmp_path, registration="open", cors_origin=(page,)) as server,
        account_api(server.url) as api,
    ):
        preflight = await api.with_headers(
            Origin=page, Access_Control_Request_Method="PATCH", Access_Control_Request_Headers="authorization"
        ).request("OPTIONS", "/api/me")
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == page
        assert preflight.headers["Access-Control-Allow-Headers"] == "authorization"
        assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
        failed = await api.with_headers(Origin=page).log_in("ann")
        assert (failed.status, failed.headers["Access-Control-Allow-Origin"]) == (401, page)
        foreign = await api.with_headers(Origin="https://evil.example.org").register("ann")
        assert (foreign.status, foreign.reason) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in foreign.headers
        assert (await api.log_in("ann")).reason == "login_failed"


async def test_a_login_replaces_a_hash_with_other_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_hashing, "PASSES", 3)
    async with running_server(tmp_path, registration="open") as server, account_api(server.url) as api:
        await api.register("ann")
        old_hash = (await server.account_service.require_account("ann")).password_hash
    monkeypatch.undo()
    async with running_server(tmp_path) as server, account_api(server.url) as api:
        assert (await api.log_in("ann")).status == 200
        new_hash = (await server.account_service.require_account("ann")).password_hash
        assert (await api.log_in("ann")).status == 200
    assert old_hash is not None
    assert new_hash is not None
    assert ",t=3," in old_hash
    assert ",t=2," in new_hash


async def test_a_bot_has_no_password_and_deletes_itself_with_its_token(
    server: RunningServer, api: AccountApiClient
) -> None:
    bot = api.with_token((await create_account(server, "robot", is_bot=True)).token)
    body = {"password": PASSWORD, "newPassword": "battery staple"}
    assert (await bot.request("POST", "/api/me/password", body)).reason == "login_failed"
    assert (await api.log_in("robot", "")).reason == "login_failed"
    assert (await bot.request("DELETE", "/api/me", {"messages": "keep"})).status == 204
    assert (await bot.request("GET", "/api/me")).reason == "token_invalid"
