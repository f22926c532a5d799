"""Bare and grouped clients (WIRE, sections 2.2 and 2.3) in one room with native ones, frame by frame."""

import json
import logging
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from server.gateway.dialects import server_msg
from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client
from tests.support.raw_client import RawClient, raw_client


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off", time_zone="Asia/Shanghai") as running:
        yield running


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[RawClient]:
    """A native member of `tea`."""
    async with raw_client(server.url) as client:
        await client.join("tea", "ann")
        yield client


@pytest.fixture
async def client(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Somebody who has said nothing yet."""
    async with raw_client(server.url) as connected:
        yield connected


async def emit(client: RawClient, event: str, *arguments: Any) -> None:
    """Send without asking for an answer."""
    await client.ws.send_str("42" + json.dumps([event, *arguments]))


async def until_users(client: RawClient, room: str, nicks: list[str]) -> list[dict[str, Any]]:
    """The list of a room's users, once it is of these."""
    while True:
        users = (await client.wait_for_push("roomUser")).get(room, [])
        if [user["nickName"] for user in users] == nicks:
            return users


async def notice(client: RawClient, kind: str) -> dict[str, Any]:
    while (push := await client.wait_for_push("message"))["kind"] != kind:
        pass
    return push


# -- bare rooms


async def test_a_bare_member_reads_strings_and_is_a_guest_to_the_others(ann: RawClient, client: RawClient) -> None:
    await emit(client, "joinRoom", "tea")
    assert await client.wait_for_push("message") == "新用户加入了 tea 房间"
    came = await notice(ann, "join")
    came = came if came["nickName"] != "ann" else await notice(ann, "join")
    assert (came["nickName"], came["message"], came["via"]) == ("guest", "guest 加入了 tea 房间", "string_join")
    await ann.request("sendMessage", {"room": "tea", "message": "hello"})
    assert await client.wait_for_push("message") == "hello"
    await emit(client, "sendMessage", {"room": "tea", "message": "你好", "nickName": "ann"})
    assert await client.wait_for_push("message") == "你好"
    while (said := await notice(ann, "message"))["message"] != "你好":
        pass
    assert (said["nickName"], said["memberId"]) == ("guest", came["memberId"])


async def test_bare_members_are_told_of_each_other_and_of_those_with_names(
    server: RunningServer, client: RawClient
) -> None:
    await emit(client, "joinRoom", "tea")
    assert await client.wait_for_push("message") == "新用户加入了 tea 房间"
    async with raw_client(server.url) as second:
        await emit(second, "joinRoom", "TEA")
        for reader in (client, second):
            assert await reader.wait_for_push("message") == "新用户加入了 tea 房间"
        answer = await second.request("joinRoom", "tea")
        assert (answer["ok"], answer["nickName"]) == (True, "guest2")
        async with raw_client(server.url) as ann:
            joined = await ann.join("tea", "ann")
            assert [(member["nickName"], member.get("via")) for member in joined["members"]] == [
                ("guest", "string_join"),
                ("guest2", "string_join"),
                ("ann", None),
            ]
            assert await second.wait_for_push("message") == "ann 加入了 tea 房间"
            await ann.request("changeNick", {"nickName": "Anna"})
            assert await second.wait_for_push("message") == "ann 改名为 Anna"
        assert await second.wait_for_push("message") == "Anna 离开了 tea 房间"


async def test_what_a_bare_reader_gets_is_clean_and_knows_no_edits(ann: RawClient, client: RawClient) -> None:
    await emit(client, "joinRoom", "tea")
    await client.wait_for_push("message")
    await ann.request("sendMessage", {"room": "tea", "message": "a\x1b[31mb\u202e<img onerror=x>"})
    await ann.request("editMessage", {"room": "tea", "seq": 1, "message": "edited"})
    await ann.request("react", {"room": "tea", "seq": 1, "emoji": "👍", "on": True})
    await ann.request("setTopic", {"room": "tea", "topic": "leaves"})
    await ann.request("typing", {"room": "tea", "on": True})
    await ann.request("sendMessage", {"room": "tea", "message": "last"})
    assert [await client.wait_for_push("message"), await client.wait_for_push("message")] == [
        "a[31mb<img onerror=x>",
        "last",
    ]
    assert client.pushes == []


async def test_a_plain_member_who_joins_as_a_native_one_is_the_same_member_without_the_mark(
    ann: RawClient, client: RawClient
) -> None:
    bare = await client.request("joinRoom", "tea")
    native = await client.join("tea", "bob")
    assert (native["memberId"], native["nickName"]) == (bare["memberId"], "bob")
    shown: dict[str, dict[str, Any]] = {}
    while shown.get(native["memberId"], {}).get("nickName") != "bob":
        shown |= {member["memberId"]: member for member in (await ann.wait_for_push("presence"))["joined"]}
    assert "via" not in shown[native["memberId"]]
    await ann.request("sendMessage", {"room": "tea", "message": "hi"})
    while not isinstance(said := await client.wait_for_push("message"), dict) or said["message"] != "hi":
        pass
    assert said["seq"] == 1


# -- grouped rooms


async def test_grouped_members_are_told_who_is_there(server: RunningServer, ann: RawClient, client: RawClient) -> None:
    await emit(client, "joinRoom", {"nickName": "小明", "id": 7, "roomId": "tea"})
    users = await until_users(client, "tea", ["ann", "小明"])
    assert users[1]["id"] == 7
    async with raw_client(server.url) as bob:
        await emit(bob, "joinRoom", {"nickName": "bob", "id": "b", "roomId": "Tea"})
        assert (await until_users(bob, "Tea", ["ann", "小明", "bob"]))[2]["id"] == "b"
        assert [user["id"] for user in await until_users(client, "tea", ["ann", "小明", "bob"])][1:] == [7, "b"]
    assert (await until_users(client, "tea", ["ann", "小明"]))[1] == users[1]


@pytest.mark.parametrize("user_id", ["b", 7, -1, 0.8415293, 9_007_199_254_740_991, 1_732_100_000_000.5])
async def test_an_applications_own_id_is_shown_as_it_was_given(client: RawClient, user_id: float | str) -> None:
    await emit(client, "joinRoom", {"nickName": "小明", "id": user_id, "roomId": "tea"})
    (user,) = await until_users(client, "tea", ["小明"])
    assert (user["id"], type(user["id"])) == (user_id, type(user_id))


async def test_a_message_is_at_the_right_for_who_wrote_it_and_at_the_left_for_the_others(
    server: RunningServer, ann: RawClient, client: RawClient
) -> None:
    async with raw_client(server.url) as bob:
        for who, nick, user_id in ((client, "小明", 7), (bob, "bob", "b")):
            await emit(who, "joinRoom", {"nickName": nick, "id": user_id, "roomId": "tea"})
            await until_users(who, "tea", ["ann", "小明", "bob"][: 2 + (who is bob)])
        forged = {"msg": "hi", "nickName": "bob", "roomId": "tea", "userId": "b"}
        await emit(client, "client_msg", forged)
        mine, theirs = await client.wait_for_push("server_msg"), await bob.wait_for_push("server_msg")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", mine["times"])
        expected = {"msg": "hi", "nickName": "小明", "roomId": "tea", "userId": 7, "times": mine["times"], "type": 2}
        assert (mine, theirs) == (expected, {**expected, "type": 1})
        sent = await ann.request("sendMessage", {"room": "tea", "message": "from a terminal"})
        heard = await client.wait_for_push("server_msg")
        assert (heard["msg"], heard["nickName"], heard["type"]) == ("from a terminal", "ann", 1)
        utc = datetime.fromtimestamp(sent["ts"] / 1000, UTC)
        hours = (datetime.fromisoformat(heard["times"]).replace(tzinfo=UTC) - utc).total_seconds() / 3600
        assert 7.9 < hours < 8.1


async def test_one_socket_in_many_rooms_is_told_of_these_and_no_others(
    server: RunningServer, ann: RawClient, client: RawClient
) -> None:
    async with raw_client(server.url) as bob:
        await emit(bob, "joinRoom", {"nickName": "bob", "id": "b", "roomId": "secret"})
        await until_users(bob, "secret", ["bob"])
        for room in ("tea", 5):
            await emit(client, "joinRoom", {"nickName": "小明", "id": 7, "roomId": room})
        while set(rooms := await client.wait_for_push("roomUser")) != {"tea", "5"}:
            pass
        assert [user["nickName"] for user in rooms["5"]] == ["小明"]
        await emit(client, "client_msg", {"msg": "five", "roomId": 5})
        assert (await client.wait_for_push("server_msg"))["roomId"] == 5
        await bob.join("5", "bob")
        assert [member["nickName"] for member in (await bob.join("5", "bob"))["members"]] == ["小明", "bob"]


async def test_lists_of_a_large_room_are_told_seldom_and_the_last_one_is_true(
    server: RunningServer, ann: RawClient, client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_msg, "USER_LIST_BYTES_PER_SECOND", 200)  # as if the room were a hundred times as large
    await emit(client, "joinRoom", {"nickName": "小明", "id": 7, "roomId": "tea"})
    await until_users(client, "tea", ["ann", "小明"])
    nicks = [f"m{number}" for number in range(15)]
    for nick in nicks:
        await ann.request("changeNick", {"nickName": nick})
        await ann.wait_for_push("presence")
    told = 1
    while (await client.wait_for_push("roomUser"))["tea"][0]["nickName"] != nicks[-1]:
        told += 1
    assert told < len(nicks) / 2


# -- what is refused


@pytest.mark.parametrize(
    ("event", "arguments", "code"),
    [
        ("sendMessage", [{"room": "tea", "message": "x"}], "not_joined"),
        ("client_msg", [{"roomId": "tea", "msg": "x"}], "not_joined"),
        ("client_msg", [], "bad_request"),
        ("client_msg", [{"roomId": "tea", "msg": 5}], "bad_request"),
        ("joinRoom", [""], "room_invalid"),
        ("joinRoom", ["a\u200bb"], "room_invalid"),
        ("joinRoom", [{"roomId": "tea", "nickName": "\x1b"}], "nick_invalid"),
        ("joinRoom", [{"roomId": "tea", "nickName": "x", "id": "i" * 200}], "too_long"),
        ("joinRoom", [{"roomId": ["tea"], "nickName": "x"}], "bad_request"),
        ("nothing like this", [1], "bad_request"),
    ],
)
async def test_who_asks_for_no_answer_is_told_of_a_refusal_by_an_event(
    client: RawClient, event: str, arguments: list[Any], code: str
) -> None:
    await emit(client, event, *arguments)
    told = await client.wait_for_push("error")
    assert told["code"] == code
    assert told["message"]
    assert (await client.request(event, *arguments))["error"]["code"] == code
    assert client.pushes == []


async def test_a_flood_without_acknowledgements_is_slowed_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    async with running_server(tmp_path, message_burst=2, message_rate=50) as server, raw_client(server.url) as flood:
        await emit(flood, "joinRoom", "tea")
        for number in range(40):
            await emit(flood, "sendMessage", {"room": "tea", "message": str(number)})
        await flood.wait_for_push("message")
        assert [await flood.wait_for_push("message") for _ in range(40)] == [str(number) for number in range(40)]
        assert flood.pushes == []


async def test_a_long_paste_is_all_said_though_pongs_wait_behind_it(tmp_path: Path) -> None:
    settings = {"message_burst": 2, "message_rate": 25, "ping_interval": 0.2, "ping_timeout": 0.3}
    async with running_server(tmp_path, **settings) as server, raw_client(server.url) as paste:
        await emit(paste, "joinRoom", "tea")
        await paste.wait_for_push("message")
        for number in range(50):
            await emit(paste, "sendMessage", {"room": "tea", "message": str(number)})
        assert [await paste.wait_for_push("message") for _ in range(50)] == [str(number) for number in range(50)]


async def test_a_flood_that_does_not_end_is_cut_and_hinders_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings = {"message_burst": 2, "message_rate": 20, "flood_timeout": 0.5}
    async with (
        running_server(tmp_path, **settings) as server,
        raw_client(server.url) as flood,
        raw_client(server.url) as ann,
    ):
        await ann.join("tea", "ann")
        await emit(flood, "joinRoom", "tea")
        for number in range(500):
            await emit(flood, "sendMessage", {"room": "tea", "message": str(number)})
        assert (await ann.request("sendMessage", {"room": "tea", "message": "between"}))["seq"] < 400
        await flood.wait_closed()
    assert "closing connection from 127.0.0.1: rate limit exceeded for too long" in caplog.messages


@pytest.mark.needs_node
async def test_a_flood_by_polling_is_slowed_too_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, message_burst=2, message_rate=40) as server,
        javascript_client("4.8.4") as flood,
        raw_client(server.url) as ann,
    ):
        await ann.join("tea", "ann")
        await flood.connect(server.url, transports=["polling"])
        flood.emit("joinRoom", "tea")
        texts = [str(number) for number in range(60)]
        for text in texts:
            flood.emit("sendMessage", {"room": "tea", "message": text})
        await flood.wait_until(lambda: len(flood.event_payloads("message")) == 61)
        assert flood.event_payloads("message")[1:] == texts
        heard: list[str] = []
        while len(heard) < len(texts):
            heard.append((await notice(ann, "message"))["message"])
        assert heard == texts
