"""Conversation dialect: permissions, tokens and limits; tests/end_to_end/test_conversations.py covers the contract."""

import json
import re
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from aiohttp import ClientSession, MultipartWriter
from PIL import Image

from server.web.api import authentication
from server.web.api.conversations import auth
from tests.support.account_api import AccountApiClient, ApiResponse, account_api
from tests.support.accounts import create_account, open_connection
from tests.support.in_process_server import running_server
from tests.support.monotonic_clocks import ManualMonotonicClock
from tests.support.polling_client import polling_client
from tests.support.raw_client import RawClient
from tests.support.uploads import encode_image

PASSWORD = "Aa1!correct horse"


async def _create_login(session: ClientSession, url: str, name: str, password: str = PASSWORD) -> dict[str, str]:
    """Read a captcha, and return the body of a login request."""
    async with session.get(f"{url}/api/auth/catpcha?uid={name}") as response:
        image = await response.text()
    code = "".join(re.findall("<text[^>]*>([^<]*)</text>", image)).lower()
    return {"loginName": name, "password": password, "code": code, "uid": name}


async def _log_in(url: str, name: str, password: str = PASSWORD) -> ApiResponse:
    async with ClientSession() as session:
        body = await _create_login(session, url, name, password)
        return await AccountApiClient(session, url).request("POST", "/api/auth/login", body)


async def _reject(client: RawClient, event: str, body: dict[str, Any]) -> str:
    """Return the reason of a rejected request."""
    return (await client.request(event, body))["error"]["reason"]


async def _wait_for_auth_fail(client: RawClient) -> None:
    """Wait for the end of a connection with an event `authFail` without arguments."""
    packets = client.pushes
    while (packet := await client.read_packet()) is not None:
        packets.append(packet)
    assert '42["authFail"]' in packets


async def _read_texts(client: RawClient, group_id: int, last: str) -> list[str]:
    """Return the contents of the pushes of a group, up to a last one."""
    texts: list[str] = []
    while last not in texts:
        texts.append((await client.wait_for_push(f"group-message:{group_id}"))["content"])
    return texts


async def _verify_upgrade(url: str, token: str, owner: RawClient, room: str) -> None:
    """Check the pushes of a session whose first request has the token, and that moves to WebSocket without it."""
    async with polling_client(url, with_handshake=False) as client:
        query = {"EIO": "4", "transport": "polling"}
        (handshake,) = (await client.request("GET", query, headers={"Authorization": token})).packets
        client.handshake = json.loads(handshake[1:])
        await client.connect_namespace()
        ws = await client.open_websocket()
        await ws.send_str("2probe")
        assert await ws.receive_str() == "3probe"
        await ws.send_str("5")
        await owner.request("sendMessage", {"room": room, "message": "after the upgrade"})
        while "after the upgrade" not in (packet := await ws.receive_str(timeout=15)):
            assert packet in {"2", "6"}
        assert packet.startswith('42["group-message:')
        await ws.close()
        client.handshake = {}


async def test_moderation_and_replaced_codes_apply_to_the_web_application(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, conversations="on", rate_limit="off") as server,
        account_api(server.url) as api,
    ):
        ann, ben = await create_account(server, "ann"), await create_account(server, "ben")
        headers = {"Authorization": ben.token}
        async with (
            open_connection(server, {"token": ann.token}) as (owner, _),
            open_connection(server, None, headers) as (reader, _),
            open_connection(server, {"token": ben.token}, headers) as (native, _),
        ):
            room = (await owner.request("createRoom", {"title": "Tea", "visibility": "private"}))["room"]["name"]
            (group,) = (await api.with_token(ann.token).request("GET", "/api/group/list")).body["data"]["owner"]
            described = await api.with_token(ann.token).request("GET", f"/api/group/{group['id']}")
            cover = described.body["data"]["cover"]
            assert (cover["type"], cover["id"]) == ("cover", described.body["data"]["coverId"])
            generated = await api.request("GET", cover["url"])
            assert (generated.status, generated.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
            ben_api = api.with_token(ben.token)
            former_path = f"/api/group/join/{described.body['data']['inviteCode']}"
            assert (await _reject(native, "replaceGroupCode", {"room": room})) == "room_not_found"
            join_path = f"/api/group/join/{(await owner.request('replaceGroupCode', {'room': room}))['code']}"
            assert (await ben_api.request("GET", former_path)).body["message"] == "invite code invalid"
            assert (await ben_api.request("GET", join_path)).status == 200
            assert (await _reject(native, "replaceGroupCode", {"room": room})) == "owner_only"
            target = {"room": room, "memberId": ben.account.member_id}
            text = {"groupId": group["id"], "content": "hello"}

            picture = encode_image(Image.new("L", (8, 8)))
            form = MultipartWriter("form-data")
            form.append(picture).set_content_disposition("form-data", name="file", filename="a.png")
            form.append(b"\xff").set_content_disposition("form-data", name="text")
            rejected = await ben_api.request("POST", "/api/user/avatar", data=form)
            assert (rejected.status, rejected.body["message"]) == (400, ["the form is malformed"])
            with closing(connect(tmp_path / "chat.db")) as database:
                assert database.execute("SELECT state, is_pinned FROM uploads").fetchall() == [("ready", 0)]

            assert (await owner.request("mute", target | {"until": None}))["ok"]
            muted = await ben_api.request("POST", "/api/conversation/group/message/text", text)
            assert (muted.status, muted.body["message"]) == (403, "you are silenced in this room")
            assert (await owner.request("unmute", target))["ok"]
            assert (await ben_api.request("POST", "/api/conversation/group/message/text", text)).status == 201
            assert await _read_texts(reader, group["id"], "hello") == ["hello"]
            await _verify_upgrade(server.url, ben.token, owner, room)
            await reader.wait_for_push(f"group-message:{group['id']}")

            assert (await owner.request("kick", target))["ok"]
            await owner.request("sendMessage", {"room": room, "message": "without ben"})
            for path in (f"/api/group/{group['id']}", f"/api/conversation/group/message/list?groupId={group['id']}"):
                refused = await ben_api.request("GET", path)
                assert (refused.status, refused.body["message"]) == (406, "you are not in the group!")
            assert (await ben_api.request("GET", join_path)).status == 200
            await owner.request("sendMessage", {"room": room, "message": "with ben"})
            assert await _read_texts(reader, group["id"], "with ben") == ["with ben"]

            assert (await owner.request("ban", target))["ok"]
            refused = await ben_api.request("GET", join_path)
            assert (refused.status, refused.body["message"]) == (406, "invite code invalid")

            await server.account_service.suspend("ben")
            await _wait_for_auth_fail(reader)
            assert (await native.wait_for_push("authFail"))["reason"] == "account_suspended"
            assert not any("group-message" in packet for packet in native.pushes)
        async with open_connection(server, None, headers) as (rejected, _):
            await _wait_for_auth_fail(rejected)


async def test_closed_registration_repeated_attempts_and_invalid_fields_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_MAX_CODE_REQUESTS", 2)
    async with (
        running_server(tmp_path, conversations="on") as server,
        account_api(server.url) as api,
    ):
        person = {"username": "annabel", "email": "ann@example.com", "password": PASSWORD, "code": "123456"}
        closed = await api.request("POST", "/api/auth/register", person)
        assert (closed.status, closed.body["status"]) == (403, 403)
        await server.account_service.create_account("annabel", password=PASSWORD, address="127.0.0.1")
        statuses = [(await _log_in(server.url, "annabel", "Aa1!wrong")).status for _ in range(6)]
        assert statuses == [406] * 5 + [429]
        refused = [await _log_in(server.url, "nobody@example.com") for _ in range(6)]
        assert [response.status for response in refused] == [406] * 5 + [429]
        assert refused[0].body["message"] == "account does not exist"
        limited = await _log_in(server.url, "annabel")
        assert limited.status == 429
        assert int(limited.headers["Retry-After"]) > 0
        statuses = [
            (await api.request("POST", "/api/auth/sendCode", {"email": f"{name}@example.com"})).status
            for name in ("a", "a", "b", "c", "a")
        ]
        assert statuses == [201, 406, 201, 201, 201]  # a full table discards the oldest request
        blank = await api.request("POST", "/api/auth/sendCode", {"email": " "})
        assert (blank.status, blank.body["message"]) == (400, ["email must be an email"])
        malformed = await api.request("POST", "/api/auth/login", {"loginName": 7})
        assert malformed.status == 400
        assert malformed.body["message"][0] == "loginName must be a string"


async def test_form_requests_and_joins_are_limited_per_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "FORMS_PER_MINUTE", 3)
    monkeypatch.setattr(authentication, "JOINS_PER_MINUTE", 2)
    async with (
        running_server(tmp_path, conversations="on", trusted_proxy=("127.0.0.1",)) as server,
        account_api(server.url) as api,
    ):
        client = api.with_headers(X_Forwarded_For="192.0.2.1", X_Forwarded_Proto="https")
        ann = client.with_token((await create_account(server, "ann")).token)
        forms = [
            await client.request("GET", "/api/auth/catpcha?uid=1"),
            await client.request("POST", "/api/auth/sendCode", {"email": "ann@example.com"}),
            *[await client.request("POST", "/api/auth/login", {}) for _ in range(2)],
            await client.request("GET", "/api/auth/catpcha?uid=1"),
        ]
        assert [response.status for response in forms] == [200, 201, 400, 429, 429]
        assert all(int(response.headers["Retry-After"]) > 0 for response in forms[3:])
        joins = [await ann.request("GET", "/api/group/join/unknown") for _ in range(3)]
        assert [response.status for response in joins] == [406, 406, 429]
        assert (await api.request("GET", "/api/auth/catpcha?uid=1")).status == 200


async def test_captchas_expire_after_three_minutes_and_codes_may_be_requested_every_minute(tmp_path: Path) -> None:
    clock = ManualMonotonicClock()
    async with (
        running_server(tmp_path, conversations="on", monotonic=clock) as server,
        ClientSession() as session,
    ):
        api = AccountApiClient(session, server.url)
        await server.account_service.create_account("annabel", password=PASSWORD, address="127.0.0.1")
        login = await _create_login(session, server.url, "annabel")
        email = {"email": "ann@example.com"}
        assert (await api.request("POST", "/api/auth/sendCode", email)).status == 201
        for seconds, status in ((59.0, 406), (1.0, 201)):
            clock.now += seconds
            assert (await api.request("POST", "/api/auth/sendCode", email)).status == status
        clock.now += 119.0
        assert (await api.request("POST", "/api/auth/login", login)).status == 201
        clock.now += 1.0
        expired = await api.request("POST", "/api/auth/login", login)
        assert (expired.status, expired.body["message"]) == (406, "captcha error")


async def test_the_endpoints_and_events_of_a_disabled_dialect_are_unknown(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, account_api(server.url) as api:
        assert (await api.request("GET", "/api/group/list")).status == 404
        issued = await create_account(server)
        async with open_connection(server, None, {"Authorization": issued.token}) as (client, _):
            assert await _reject(client, "update-last-msg", {"id": 1, "messageId": 1}) == "request_unknown"
            assert await _reject(client, "replaceGroupCode", {"room": "tea"}) == "request_unsupported"
