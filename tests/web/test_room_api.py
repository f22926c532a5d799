"""HTTP endpoints of rooms and messages, with a real server."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from server.app import RunningServer
from tests.support.account_api import AccountApiClient
from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.persons import connect_person
from tests.support.raw_client import raw_client

MESSAGES = "/api/rooms/tea/messages"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
async def robot(server: RunningServer, api: AccountApiClient) -> AccountApiClient:
    """Client with the token of the account `robot`."""
    return api.with_token((await create_account(server, "robot", nick_name="R2")).token)


async def test_a_posted_message_arrives_in_the_room_without_a_member(
    server: RunningServer, robot: AccountApiClient
) -> None:
    async with raw_client(server.url) as reader:
        await reader.join("tea", "ann")
        await reader.wait_for_push("message")  # join notice
        sent = await robot.request("POST", MESSAGES, {"message": "hi\u0007 @ann"})
        assert (sent.status, sent.body["message"], sent.body["nickName"]) == (201, "hi @ann", "R2")
        assert await reader.wait_for_push("message") == sent.body
        members = await reader.request("listMembers", {"room": "tea"})
        assert [member["nickName"] for member in members["members"]] == ["ann"]
    page = (await robot.request("GET", MESSAGES)).body
    assert page["messages"][-1] == sent.body
    assert (page["firstSeq"], page["lastSeq"], page["hasMore"]) == (1, sent.body["seq"], False)


async def test_a_repeated_idempotency_key_returns_the_first_message(
    server: RunningServer, robot: AccountApiClient
) -> None:
    key = str(uuid4())
    first, second = [
        await robot.with_headers(Idempotency_Key=value).request("POST", MESSAGES, {"message": "one"})
        for value in (key, f'"{key}"')
    ]
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    invalid = await robot.with_headers(Idempotency_Key="7").request("POST", MESSAGES, {"message": "x"})
    assert (invalid.status, invalid.reason) == (400, "field_invalid")
    token = (await create_account(server, "printer")).token
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    headers = f"Host: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n"
    request = f"POST {MESSAGES} HTTP/1.1\r\n{headers}Connection: close\r\nIdempotency-Key: ".encode()
    try:
        writer.write(request + b"\xff\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
    finally:
        writer.close()
    assert len((await robot.request("GET", MESSAGES)).body["messages"]) == 1


async def test_pages_follow_the_bounds_of_the_request(robot: AccountApiClient) -> None:
    for number in range(1, 6):
        await robot.request("POST", MESSAGES, {"message": str(number)})

    async def read(query: str) -> list[str]:
        """Return the texts of a page."""
        page = (await robot.request("GET", f"{MESSAGES}?{query}")).body
        return [entry["message"] for entry in page["messages"]]

    assert await read("limit=2") == ["4", "5"]
    assert await read("before=3") == ["1", "2"]
    assert await read("after=3&limit=1") == ["4"]
    assert await read("after=0&limit=2") == ["1", "2"]
    for query, reason in (
        ("before=2&after=1", "history_position"),
        ("limit=0", "field_invalid"),
        ("before=x", "field_invalid"),
    ):
        assert (await robot.request("GET", f"{MESSAGES}?{query}")).reason == reason


async def test_a_guest_posts_with_the_key_of_a_join(server: RunningServer, api: AccountApiClient) -> None:
    assert (await api.request("POST", MESSAGES, {"message": "hi"})).reason == "credentials_missing"
    async with raw_client(server.url) as client:
        joined = await client.join("tea", "ann")
        guest = api.with_headers(Authorization=f"Guest {joined['guestKey']}")
        sent = (await guest.request("POST", MESSAGES, {"message": "hi", "nickName": "ann"})).body
        assert (sent["memberId"], sent["nickName"]) == (joined["memberId"], "ann")
        assert (await guest.request("POST", MESSAGES, {"message": "again"})).body["nickName"] == "ann"
        assert (await client.request("editMessage", {"room": "tea", "seq": sent["seq"], "message": "edited"}))["ok"]
    rooms = (await guest.request("GET", "/api/rooms?query=te")).body["rooms"]
    assert [(room["name"], room["lastSeq"]) for room in rooms] == [("tea", 3)]


async def test_a_private_room_is_answered_like_an_absent_one(server: RunningServer, robot: AccountApiClient) -> None:
    async with connect_person(server, "ann", kind="account") as ann:
        created = await ann.client.request("createRoom", {"title": "Secret", "visibility": "private"})
        address = created["room"]["name"]
        member = robot.with_headers(Authorization=ann.authorization)
        assert (await member.request("GET", f"/api/rooms/{address}")).body["title"] == "Secret"
    absent = "~" + "x" * 16
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/messages", None),
        ("POST", "/messages", {"message": "x"}),
    ):
        answers = [await robot.request(method, f"/api/rooms/{name}{path}", body) for name in (address, absent)]
        assert answers[0].status == answers[1].status == 404
        assert answers[0].body == answers[1].body


async def test_a_percent_encoded_name_selects_the_room(robot: AccountApiClient) -> None:
    for name in ("a/b", "茶 馆", "50%", "☕️", "a?b#c", "x" * 64):
        path = f"/api/rooms/{quote(name, safe='')}"
        assert (await robot.request("GET", path)).reason == "room_not_found"
        sent = await robot.request("POST", f"{path}/messages", {"message": "hi"})
        details = (await robot.request("GET", path)).body
        assert (details["name"], details["lastSeq"], details["members"]) == (sent.body["room"], 1, 0)


async def test_the_rate_of_messages_is_announced_and_enforced(robot: AccountApiClient) -> None:
    first = await robot.request("POST", MESSAGES, {"message": "x"})
    assert first.headers["RateLimit-Policy"] == '"messages";q=10;w=4'
    assert first.headers["RateLimit"] == '"messages";r=9;t=1'
    others = await asyncio.gather(*(robot.request("POST", MESSAGES, {"message": "x"}) for _ in range(50)))
    refused = next(response for response in others if response.status != 201)
    assert (refused.status, refused.reason) == (429, "too_many_messages")
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit"].startswith('"messages";r=0;t=')
    assert (await robot.request("GET", MESSAGES)).status == 200


async def test_a_moderator_mentions_all_members_without_a_join(server: RunningServer, api: AccountApiClient) -> None:
    async with connect_person(server, "ann", kind="account") as ann, connect_person(server, "bob", "account") as bob:
        await ann.client.request("createRoom", {"roomName": "tea"})
        await bob.join()
        await bob.client.request("leaveRoom", {"room": "tea"})
        owner = api.with_headers(Authorization=ann.authorization)
        sent = (await owner.request("POST", MESSAGES, {"message": "@room tea is ready"})).body
        assert sent["nickName"] == "ann"
        mentions = (await bob.client.request("listMentions", {}))["messages"]
        assert [message["seq"] for message in mentions] == [sent["seq"]]
        member = api.with_headers(Authorization=bob.authorization)
        assert (await member.request("POST", MESSAGES, {"message": "@room thanks"})).status == 201
        assert (await ann.client.request("listMentions", {}))["messages"] == []
