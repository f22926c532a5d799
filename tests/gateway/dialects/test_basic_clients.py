"""Clients of the `string_join` and `server_msg` dialects (docs/dialects.md) in one room with native clients."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from server.app import RunningServer
from server.domain.live_room import LiveRoom
from server.engineio import engineio_server
from server.gateway.dialects import server_msg
from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client
from tests.support.monotonic_clocks import OffsetMonotonicClock
from tests.support.raw_client import RawClient, raw_client


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """Server without rate limits in the time zone of Shanghai."""
    async with running_server(tmp_path, rate_limit="off", time_zone="Asia/Shanghai") as running:
        yield running


async def emit(client: RawClient, event: str, *args: Any) -> None:
    """Send an event without an acknowledgement id."""
    await client.ws.send_str("42" + json.dumps([event, *args]))


async def wait_for_users(client: RawClient, room: str, nicks: list[str]) -> list[dict[str, Any]]:
    """Return the user list of `room` once its nicknames equal `nicks`."""
    while True:
        users = (await client.wait_for_push("roomUser")).get(room, [])
        if [user["nickName"] for user in users] == nicks:
            return users


# -- string_join


async def test_a_string_join_member_receives_strings_and_is_listed_as_guest(ann: RawClient, client: RawClient) -> None:
    await emit(client, "joinRoom", "tea")
    assert await client.wait_for_push("message") == "新用户加入了 tea 房间"
    join_notice = await ann.wait_for_push("message", kind="join")
    assert (join_notice["nickName"], join_notice["message"], join_notice["via"]) == (
        "guest",
        "guest 加入了 tea 房间",
        "string_join",
    )
    await ann.request("sendMessage", {"room": "tea", "message": "hello"})
    assert await client.wait_for_push("message") == "hello"
    await emit(client, "sendMessage", {"room": "tea", "message": "你好", "nickName": "ann"})
    assert await client.wait_for_push("message") == "你好"
    push = await ann.wait_for_push("message", kind="message", message="你好")
    assert (push["nickName"], push["memberId"]) == ("guest", join_notice["memberId"])


async def test_string_join_members_receive_join_nick_and_leave_notices(
    server: RunningServer, client: RawClient
) -> None:
    await emit(client, "joinRoom", "tea")
    assert await client.wait_for_push("message") == "新用户加入了 tea 房间"
    async with raw_client(server.url) as second:
        await emit(second, "joinRoom", "TEA")
        for receiver in (client, second):
            assert await receiver.wait_for_push("message") == "新用户加入了 tea 房间"
        response = await second.request("joinRoom", "tea")
        assert (response["ok"], response["nickName"]) == (True, "guest2")
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


async def test_string_join_members_receive_only_sanitized_messages(ann: RawClient, client: RawClient) -> None:
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


async def test_a_native_join_replaces_the_dialect_of_a_string_join_member(ann: RawClient, client: RawClient) -> None:
    string_join = await client.request("joinRoom", "tea")
    native = await client.join("tea", "bob")
    assert (native["memberId"], native["nickName"]) == (string_join["memberId"], "bob")
    members: dict[str, dict[str, Any]] = {}
    while members.get(native["memberId"], {}).get("nickName") != "bob":
        members |= {member["memberId"]: member for member in (await ann.wait_for_push("presence"))["joined"]}
    assert "via" not in members[native["memberId"]]
    await ann.request("sendMessage", {"room": "tea", "message": "hi"})
    while not isinstance(push := await client.wait_for_push("message"), dict) or push["message"] != "hi":
        pass
    assert push["seq"] == 1


# -- server_msg


async def test_server_msg_members_receive_user_lists(server: RunningServer, ann: RawClient, client: RawClient) -> None:
    await emit(client, "joinRoom", {"nickName": "小明", "id": 7, "roomId": "tea"})
    users = await wait_for_users(client, "tea", ["ann", "小明"])
    assert users[1]["id"] == 7
    async with raw_client(server.url) as bob:
        await emit(bob, "joinRoom", {"nickName": "bob", "id": "b", "roomId": "Tea"})
        assert (await wait_for_users(bob, "Tea", ["ann", "小明", "bob"]))[2]["id"] == "b"
        assert [user["id"] for user in await wait_for_users(client, "tea", ["ann", "小明", "bob"])][1:] == [7, "b"]
    assert (await wait_for_users(client, "tea", ["ann", "小明"]))[1] == users[1]


@pytest.mark.parametrize("user_id", ["b", 7, -1, 0.8415293, 9_007_199_254_740_991, 1_732_100_000_000.5])
async def test_user_ids_of_the_application_are_preserved(client: RawClient, user_id: float | str) -> None:
    await emit(client, "joinRoom", {"nickName": "小明", "id": user_id, "roomId": "tea"})
    (user,) = await wait_for_users(client, "tea", ["小明"])
    assert (user["id"], type(user["id"])) == (user_id, type(user_id))


async def test_server_msg_has_the_real_author_the_type_per_recipient_and_the_local_time(
    server: RunningServer, ann: RawClient, client: RawClient
) -> None:
    async with raw_client(server.url) as bob:
        for sender, nick, user_id in ((client, "小明", 7), (bob, "bob", "b")):
            await emit(sender, "joinRoom", {"nickName": nick, "id": user_id, "roomId": "tea"})
            await wait_for_users(sender, "tea", ["ann", "小明", "bob"][: 2 + (sender is bob)])
        forged = {"msg": "hi", "nickName": "bob", "roomId": "tea", "userId": "b"}
        await emit(client, "client_msg", forged)
        own_push, other_push = await client.wait_for_push("server_msg"), await bob.wait_for_push("server_msg")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", own_push["times"])
        expected = {
            "msg": "hi",
            "nickName": "小明",
            "roomId": "tea",
            "userId": 7,
            "times": own_push["times"],
            "type": 2,
        }
        assert (own_push, other_push) == (expected, {**expected, "type": 1})
        sent = await ann.request("sendMessage", {"room": "tea", "message": "from a terminal"})
        native_push = await client.wait_for_push("server_msg")
        assert (native_push["msg"], native_push["nickName"], native_push["type"]) == ("from a terminal", "ann", 1)
        sent_at = datetime.fromtimestamp(sent["ts"] / 1000, ZoneInfo("Asia/Shanghai"))
        assert native_push["times"] == f"{sent_at:%Y-%m-%d %H:%M:%S}"


async def test_user_lists_contain_only_the_rooms_of_the_connection_and_are_shorter_for_two_rooms(
    server: RunningServer, ann: RawClient, client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_msg, "_MAX_LISTED_MEMBERS", 2)
    async with raw_client(server.url) as bob:
        await emit(bob, "joinRoom", {"nickName": "bob", "id": "b", "roomId": "secret"})
        await wait_for_users(bob, "secret", ["bob"])
        for room in ("tea", 5):
            await emit(client, "joinRoom", {"nickName": "小明", "id": 7, "roomId": room})
        while set(rooms := await client.wait_for_push("roomUser")) != {"tea", "5"}:
            pass
        assert [[user["nickName"] for user in rooms[room]] for room in ("tea", "5")] == [["ann"], ["小明"]]
        await emit(client, "client_msg", {"msg": "five", "roomId": 5})
        assert (await client.wait_for_push("server_msg"))["roomId"] == 5
        await bob.join("5", "bob")
        assert [member["nickName"] for member in (await bob.join("5", "bob"))["members"]] == ["小明", "bob"]


async def test_a_failure_in_one_room_is_logged_once_and_other_rooms_receive_user_lists(
    server: RunningServer, client: RawClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    list_prominent = LiveRoom[Any].list_prominent

    def fail_in_one_room(room: LiveRoom[Any]) -> list[Any]:
        assert room.key != "broken"
        return list_prominent(room)

    async with raw_client(server.url) as bob:
        for member, room in ((client, "tea"), (bob, "broken")):
            await emit(member, "joinRoom", {"nickName": "bob", "id": 7, "roomId": room})
            for _ in range(2):  # immediately, and after the presence of the join
                await wait_for_users(member, room, ["bob"])
        with monkeypatch.context() as failure:
            failure.setattr(LiveRoom, "list_prominent", fail_in_one_room)
            for member in (bob, client):
                await member.request("changeNick", {"nickName": "ben"})
            await wait_for_users(client, "tea", ["ben"])
        await bob.request("changeNick", {"nickName": "benny"})
        await wait_for_users(bob, "broken", ["benny"])
    assert caplog.text.count("user lists failed, recipients without lists: 1") == 1


async def test_user_lists_are_limited_in_bytes_per_second_and_end_with_the_current_list(
    ann: RawClient, client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bytes_per_second = 200  # one list takes half a second, as in a room with far more members
    monkeypatch.setattr(server_msg, "USER_LIST_BYTES_PER_SECOND", bytes_per_second)
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    await emit(client, "joinRoom", {"nickName": "bob", "id": 7, "roomId": "tea"})
    await client.wait_for_push("roomUser")  # a new member receives its list immediately
    nicks = [f"m{number}" for number in range(15)]
    for nick in nicks:
        await ann.request("changeNick", {"nickName": nick})
        await ann.wait_for_push("presence")
    sizes: list[int] = []
    current_nick = ""
    while current_nick != nicks[-1]:
        rooms = await client.wait_for_push("roomUser")
        current_nick = rooms["tea"][0]["nickName"]
        sizes.append(len(msgspec.json.encode(rooms)))
    assert sum(sizes[:-1]) / bytes_per_second <= loop.time() - started_at


async def test_no_user_list_is_pending_after_the_server_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_msg, "PRESENCE_INTERVAL", 60.0)
    delayed: list[asyncio.TimerHandle] = []
    loop = asyncio.get_running_loop()
    call_at = loop.call_at

    def record_timer(when: float, callback: Any, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        handle = call_at(when, callback, *args, **kwargs)
        if getattr(callback, "__name__", "") == "_flush_user_lists" and when > loop.time() + 30:
            delayed.append(handle)
        return handle

    monkeypatch.setattr(loop, "call_at", record_timer)
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as client:
        await emit(client, "joinRoom", {"nickName": "bob", "id": 1, "roomId": "tea"})
        number = 0
        while not delayed:
            number += 1
            await client.request("changeNick", {"nickName": f"bob{number}"})
    assert [handle.cancelled() for handle in delayed] == [True]


# -- errors and rate limits


@pytest.mark.parametrize(
    ("event", "args", "code"),
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
async def test_errors_without_an_acknowledgement_are_sent_as_events(
    client: RawClient, event: str, args: list[Any], code: str
) -> None:
    await emit(client, event, *args)
    error = await client.wait_for_push("error")
    assert error["code"] == code
    assert error["message"]
    assert (await client.request(event, *args))["error"]["code"] == code
    assert client.pushes == []


async def test_a_flood_without_acknowledgements_is_throttled_without_loss(tmp_path: Path) -> None:
    async with running_server(tmp_path, message_burst=2, message_rate=50) as server, raw_client(server.url) as flooder:
        started_at = time.monotonic()
        await emit(flooder, "joinRoom", "tea")
        for number in range(40):
            await emit(flooder, "sendMessage", {"room": "tea", "message": str(number)})
        await flooder.wait_for_push("message")
        assert [await flooder.wait_for_push("message") for _ in range(40)] == [str(number) for number in range(40)]
        assert flooder.pushes == []
        assert time.monotonic() - started_at >= (40 - 2) / 50


async def test_a_pong_behind_throttled_messages_is_not_overdue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = OffsetMonotonicClock()
    monkeypatch.setattr(engineio_server, "time", SimpleNamespace(monotonic=clock))
    settings = {"message_burst": 2, "message_rate": 25, "ping_interval": 0.2}
    async with running_server(tmp_path, **settings) as server, raw_client(server.url) as sender:
        await emit(sender, "joinRoom", "tea")
        await sender.wait_for_push("message")
        for number in range(40):
            await emit(sender, "sendMessage", {"room": "tea", "message": str(number)})
        received = [await sender.wait_for_push("message") for _ in range(20)]
        clock.offset += 25  # above the ping timeout of the unanswered ping
        received += [await sender.wait_for_push("message") for _ in range(20)]
        assert received == [str(number) for number in range(40)]


async def test_a_flooding_connection_is_closed_and_delays_no_other_client(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings = {"message_burst": 2, "message_rate": 20, "flood_timeout": 0.5}
    async with (
        running_server(tmp_path, **settings) as server,
        raw_client(server.url) as flooder,
        raw_client(server.url) as ann,
    ):
        await ann.join("tea", "ann")
        await emit(flooder, "joinRoom", "tea")
        for number in range(500):
            await emit(flooder, "sendMessage", {"room": "tea", "message": str(number)})
        assert (await ann.request("sendMessage", {"room": "tea", "message": "between"}))["seq"] < 400
        await flooder.wait_closed()
    assert "closing connection from 127.0.0.1: rate limit exceeded for too long" in caplog.messages


@pytest.mark.needs_node
async def test_a_polling_flood_is_throttled_without_loss(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, message_burst=2, message_rate=40) as server,
        javascript_client("4.8.4") as flooder,
        raw_client(server.url) as ann,
    ):
        await ann.join("tea", "ann")
        await flooder.connect(server.url, transports=["polling"])
        flooder.emit("joinRoom", "tea")
        texts = [str(number) for number in range(60)]
        started_at = time.monotonic()
        for text in texts:
            flooder.emit("sendMessage", {"room": "tea", "message": text})
        await flooder.wait_until(lambda: len(flooder.event_payloads("message")) == 61)
        assert time.monotonic() - started_at >= (60 - 2) / 40
        assert flooder.event_payloads("message")[1:] == texts
        received: list[str] = []
        while len(received) < len(texts):
            received.append((await ann.wait_for_push("message", kind="message"))["message"])
        assert received == texts


async def test_the_second_argument_of_a_string_join_is_the_nickname(
    server: RunningServer, ann: RawClient, client: RawClient
) -> None:
    assert (await client.request("joinRoom", "tea", "小明"))["nickName"] == "小明"
    assert await client.wait_for_push("message") == "小明 加入了 tea 房间"
    async with raw_client(server.url) as second:
        assert (await second.request("joinRoom", "tea", ""))["nickName"] == "guest"
        assert (await second.request("leaveRoom", "tea"))["ok"]
        assert (await second.request("joinRoom", "tea", {"more": 1}))["nickName"] == "guest"
    assert [member["nickName"] for member in (await ann.join("tea", "ann"))["members"]][:2] == ["ann", "小明"]
    assert (await client.request("leaveRoom", "tea"))["ok"]
    await ann.wait_for_push("message", kind="leave", nickName="小明")


@pytest.mark.parametrize("argument", ["tea", {"roomName": "tea"}, {"roomId": "tea"}, {"room": "tea", "roomName": None}])
async def test_a_leave_names_its_room_in_any_form_of_basic_clients(client: RawClient, argument: Any) -> None:
    await emit(client, "joinRoom", {"roomName": "tea", "nickName": "bob"})
    assert (await client.request("leaveRoom", argument))["ok"]
    assert (await client.request("leaveRoom", argument))["error"]["code"] == "not_joined"


@pytest.mark.parametrize("room", [7, 7.0, "7"])
async def test_whole_numbers_are_room_names(client: RawClient, room: float | str) -> None:
    for arguments in ((room,), (room, 12), ({"roomName": room, "nickName": "bob"},)):
        assert (await client.request("joinRoom", *arguments))["room"]["name"] == "7"
        assert (await client.request("sendMessage", {"room": room, "message": "hi", "nickName": 7}))["ok"]
        assert (await client.request("leaveRoom", room))["ok"]
    await emit(client, "joinRoom", {"nickName": "bob", "id": 1, "roomId": room})
    await wait_for_users(client, "7", ["bob"])
    assert (await client.request("client_msg", {"msg": "hi", "roomId": room, "nickName": 7, "userId": None}))["ok"]
    assert (await client.request("joinRoom", True))["error"]["code"] == "bad_request"


async def test_null_and_empty_keys_count_as_absent(client: RawClient) -> None:
    nulls = dict.fromkeys(("since", "limit", "guestKey", "invite"))
    first = await client.join("tea", "bob", **nulls)
    assert (await client.join("tea", "bob", guestKey="", invite=""))["memberId"] == first["memberId"]
    sent = await client.request("sendMessage", {"room": "tea", "message": "hi", "clientId": None, "replyTo": None})
    assert sent["seq"] == 1
    page = await client.request("history", {"room": "tea", "after": 0, "before": None, "limit": None})
    assert [entry["message"] for entry in page["messages"]] == ["hi"]
    assert (await client.request("listRooms", {"query": None, "limit": None}))["ok"]
    created = await client.request("createChatroom", {"name": "green", "topic": None})
    assert created["topic"] == ""
    rejected = await client.request("sendMessage", {"room": "tea", "message": None})
    assert rejected["error"]["code"] == "bad_request"
