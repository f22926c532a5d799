"""Rooms as a resource (WIRE, section 2.4)."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@pytest.fixture
async def client(server: RunningServer) -> AsyncGenerator[RawClient]:
    async with raw_client(server.url) as connected:
        yield connected


async def test_a_room_is_made_found_changed_and_removed(client: RawClient) -> None:
    made: dict[str, Any] = await client.request("createChatroom", {"name": "Tea", "topic": "leaves", "more": 1})
    assert {**made, "id": 0, "createdAt": 0} == {
        "id": 0,
        "name": "Tea",
        "topic": "leaves",
        "members": 0,
        "createdAt": 0,
    }
    assert await client.request("findAllChatroom") == [made]
    for spelling in (made["id"], str(made["id"]), {"id": made["id"]}):
        assert await client.request("findOneChatroom", spelling) == made
    changed = await client.request("updateChatroom", {"id": made["id"], "name": "Green tea", "topic": "green"})
    assert changed == {**made, "name": "Green tea", "topic": "green"}
    assert await client.request("findOneChatroom", made["id"]) == changed
    assert await client.request("removeChatroom", made["id"]) == changed
    assert await client.request("findAllChatroom") == []
    assert (await client.request("findOneChatroom", made["id"]))["error"]["code"] == "not_found"


async def test_others_see_a_room_and_may_not_change_it(server: RunningServer, client: RawClient) -> None:
    made: dict[str, Any] = await client.request("createChatroom", {"name": "tea"})
    async with raw_client(server.url) as other:
        assert await other.request("findAllChatroom") == [made]
        for event, body in (("updateChatroom", {"id": made["id"], "name": "mine"}), ("removeChatroom", made["id"])):
            assert (await other.request(event, body))["error"]["code"] == "forbidden"
        assert (await other.request("createChatroom", {"name": "TEA"}))["error"]["code"] == "conflict"
        assert (await client.request("updateChatroom", {"id": made["id"], "topic": "changed"}))["topic"] == "changed"
        assert (await other.join("tea", "ann"))["room"]["topic"] == "changed"
        assert (await client.request("findOneChatroom", made["id"]))["members"] == 1
        for event, body in (("updateChatroom", {"id": made["id"], "name": "coffee"}), ("removeChatroom", made["id"])):
            assert (await client.request(event, body))["error"]["code"] == "conflict"


async def test_what_was_said_in_a_removed_room_is_gone_and_its_log_goes_on(
    server: RunningServer, client: RawClient
) -> None:
    made = await client.request("createChatroom", {"name": "tea"})
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        for text in ("one", "two"):
            await ann.request("sendMessage", {"room": "tea", "message": text})
    while "error" in (removed := await client.request("removeChatroom", made["id"])):
        assert removed["error"]["code"] == "conflict"  # until ann is gone
    assert await client.request("findAllChatroom") == []
    assert (await client.request("listRooms", {}))["rooms"] == []
    again = await client.request("createChatroom", {"name": "Tea", "topic": "anew"})
    assert (again["id"], again["topic"]) == (made["id"], "anew")
    joined = await client.join("tea", "bob")
    assert (joined["room"]["lastSeq"], joined["room"]["topic"]) == (4, "anew")
    assert [entry.get("message") for entry in joined["messages"] if entry["kind"] == "message"] == ["", ""]


async def test_a_removed_room_is_back_on_the_list_when_somebody_talks_there(client: RawClient) -> None:
    made = await client.request("createChatroom", {"name": "tea"})
    await client.request("updateChatroom", {"id": made["id"], "topic": "so that its log is not empty"})
    await client.request("removeChatroom", made["id"])
    joined = await client.join("tea", "ann")
    assert joined["room"] == {"name": "tea", "topic": "", "lastSeq": 1, "visibility": "public"}
    assert await client.request("findAllChatroom") == []
    assert (await client.request("sendMessage", {"room": "tea", "message": "hi"}))["seq"] == 2
    assert [room["members"] for room in await client.request("findAllChatroom")] == [1]


async def test_history_is_streamed(client: RawClient) -> None:
    await client.join("tea", "ann")
    sent = [await client.request("sendMessage", {"room": "tea", "message": text}) for text in "abcd"]
    await client.request("deleteMessage", {"room": "tea", "seq": 3})
    (room,) = await client.request("findAllChatroom")
    end = await client.request("findChatroomMessages", {"id": room["id"]})
    assert (
        end
        == await client.wait_for_push("chatroomMessages")
        == {"chatroomId": room["id"], "count": 3, "hasMore": False}
    )
    streamed = [await client.wait_for_push("chatroomMessage") for _ in range(3)]
    assert [message["message"] for message in streamed] == ["a", "b", "d"]
    assert streamed[0] == {
        "chatroomId": room["id"],
        "id": sent[0]["id"],
        "seq": 1,
        "nickName": "ann",
        "message": "a",
        "createdAt": sent[0]["ts"],
    }
    page = await client.request("findChatroomMessages", {"id": room["id"], "before": 3, "limit": 1})
    assert (page["count"], page["hasMore"]) == (1, True)
    assert (await client.wait_for_push("chatroomMessage"))["message"] == "b"


@pytest.mark.parametrize(
    ("event", "arguments", "code"),
    [
        ("createChatroom", [], "bad_request"),
        ("createChatroom", ["tea"], "bad_request"),
        ("createChatroom", [{"name": ""}], "room_invalid"),
        ("createChatroom", [{"name": "tea", "topic": "x" * 300}], "too_long"),
        ("findOneChatroom", [], "bad_request"),
        ("findOneChatroom", ["tea"], "bad_request"),
        ("findOneChatroom", [-1], "bad_request"),
        ("findOneChatroom", ["9" * 500], "bad_request"),
        ("findOneChatroom", ["10" + "0" * 16], "bad_request"),
        ("findOneChatroom", [True], "bad_request"),
        ("updateChatroom", [{"name": "tea"}], "bad_request"),
        ("removeChatroom", [77], "not_found"),
        ("findChatroomMessages", [{"id": 1, "limit": 9999}], "bad_request"),
    ],
)
async def test_what_is_not_valid_is_refused_in_plain_data(
    client: RawClient, event: str, arguments: list[Any], code: str
) -> None:
    answer = await client.request(event, *arguments)
    assert set(answer) == {"error"}
    assert (answer["error"]["code"], set(answer["error"])) == (code, {"code", "message"})


async def test_one_connection_makes_no_more_rooms_than_it_could_be_in(client: RawClient) -> None:
    for number in range(64):
        assert "id" in await client.request("createChatroom", {"name": f"room {number}"})
    assert (await client.request("createChatroom", {"name": "one more"}))["error"]["code"] == "bad_request"


async def test_one_address_does_not_use_up_what_all_may_make(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rooms_per_minute=3, trusted_proxy=("127.0.0.0/8",)) as server,
        raw_client(server.url, headers={"X-Forwarded-For": "192.0.2.7"}) as greedy,
        raw_client(server.url, headers={"X-Forwarded-For": "192.0.2.7"}) as second,
        raw_client(server.url, headers={"X-Forwarded-For": "192.0.2.8"}) as other,
    ):
        made = await greedy.request("createChatroom", {"name": "a"})
        assert (await greedy.request("updateChatroom", {"id": made["id"], "name": "b"}))["name"] == "b"
        assert "id" in await second.request("createChatroom", {"name": "c"})
        for client in (greedy, second):
            refusal = await client.request("createChatroom", {"name": "d"})
            assert (refusal["error"]["code"], "from this address" in refusal["error"]["message"]) == (
                "rate_limited",
                True,
            )
        assert "id" in await other.request("createChatroom", {"name": "d"})
