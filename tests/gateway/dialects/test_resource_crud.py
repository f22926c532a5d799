"""Dialect `resource_crud` (docs/dialects.md, "resource_crud")."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from server.storage.page_size import MAX_PAGE_BYTES
from server.storage.room_repository import RoomRepository
from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client
from tests.support.raw_client import RawClient, raw_client


async def test_a_room_is_created_found_updated_and_removed(client: RawClient) -> None:
    created: dict[str, Any] = await client.request("createChatroom", {"name": "Tea", "topic": "leaves", "more": 1})
    assert {**created, "id": 0, "createdAt": 0} == {
        "id": 0,
        "name": "Tea",
        "topic": "leaves",
        "members": 0,
        "createdAt": 0,
    }
    assert await client.request("findAllChatroom") == [created]
    for argument in (created["id"], str(created["id"]), {"id": created["id"]}):
        assert await client.request("findOneChatroom", argument) == created
    updated = await client.request("updateChatroom", {"id": created["id"], "name": "Green tea", "topic": "green"})
    assert updated == {**created, "name": "Green tea", "topic": "green"}
    assert await client.request("findOneChatroom", created["id"]) == updated
    assert await client.request("removeChatroom", created["id"]) == updated
    assert await client.request("findAllChatroom") == []
    assert (await client.request("findOneChatroom", created["id"]))["error"]["code"] == "not_found"


async def test_only_the_creator_may_update_or_remove_a_room(server: RunningServer, client: RawClient) -> None:
    created: dict[str, Any] = await client.request("createChatroom", {"name": "tea"})
    async with raw_client(server.url) as other:
        assert await other.request("findAllChatroom") == [created]
        for event, body in (
            ("updateChatroom", {"id": created["id"], "name": "mine"}),
            ("removeChatroom", created["id"]),
        ):
            assert (await other.request(event, body))["error"]["code"] == "forbidden"
        assert (await other.request("createChatroom", {"name": "TEA"}))["error"]["code"] == "conflict"
        assert (await client.request("updateChatroom", {"id": created["id"], "topic": "changed"}))["topic"] == "changed"
        assert (await other.join("tea", "ann"))["room"]["topic"] == "changed"
        assert (await client.request("findOneChatroom", created["id"]))["members"] == 1
        for event, body in (
            ("updateChatroom", {"id": created["id"], "name": "coffee"}),
            ("removeChatroom", created["id"]),
        ):
            assert (await client.request(event, body))["error"]["code"] == "conflict"


async def test_a_recreated_room_continues_its_log_without_old_messages(
    server: RunningServer, client: RawClient
) -> None:
    created = await client.request("createChatroom", {"name": "tea"})
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        for text in ("one", "two"):
            await ann.request("sendMessage", {"room": "tea", "message": text})
    while "error" in (removed := await client.request("removeChatroom", created["id"])):
        assert removed["error"]["code"] == "conflict"  # until the server has processed the disconnect of ann
    assert await client.request("findAllChatroom") == []
    assert (await client.request("listRooms", {}))["rooms"] == []
    recreated = await client.request("createChatroom", {"name": "Tea", "topic": "black tea"})
    assert (recreated["id"], recreated["topic"]) == (created["id"], "black tea")
    joined = await client.join("tea", "bob")
    assert (joined["room"]["lastSeq"], joined["room"]["topic"]) == (4, "black tea")
    assert (joined["room"]["firstSeq"], joined["messages"], joined["hasMore"]) == (5, [], False)


async def test_a_room_with_more_text_than_one_page_is_removed(client: RawClient) -> None:
    created = await client.request("createChatroom", {"name": "tea"})
    message = {"room": "tea", "message": "a" * 4_000, "as": {"nickName": "ann"}}
    size = 0
    while size <= MAX_PAGE_BYTES:
        assert (await client.request("sendMessage", message))["ok"]
        size += len(message["message"])
    assert await client.request("removeChatroom", created["id"]) == created
    assert await client.request("findAllChatroom") == []


async def test_a_message_restores_a_removed_room_to_the_list(client: RawClient) -> None:
    created = await client.request("createChatroom", {"name": "tea"})
    await client.request("updateChatroom", {"id": created["id"], "topic": "so that its log is not empty"})
    await client.request("removeChatroom", created["id"])
    joined = await client.join("tea", "ann")
    assert joined["room"].pop("logId")
    assert joined["room"] == {"name": "tea", "topic": "", "firstSeq": 2, "lastSeq": 1, "visibility": "public"}
    assert await client.request("findAllChatroom") == []
    assert (await client.request("sendMessage", {"room": "tea", "message": "hi"}))["seq"] == 2
    assert [room["members"] for room in await client.request("findAllChatroom")] == [1]


async def test_history_is_streamed_as_events(client: RawClient) -> None:
    await client.join("tea", "ann")
    sent = [await client.request("sendMessage", {"room": "tea", "message": text}) for text in "abcd"]
    await client.request("deleteMessage", {"room": "tea", "seq": 3})
    (room,) = await client.request("findAllChatroom")
    summary = await client.request("findChatroomMessages", {"id": room["id"]})
    assert (
        summary
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
    ("event", "args", "code"),
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
async def test_invalid_requests_return_an_error_object(
    client: RawClient, event: str, args: list[Any], code: str
) -> None:
    response = await client.request(event, *args)
    assert set(response) == {"error"}
    assert (response["error"]["code"], set(response["error"])) == (code, {"code", "message"})


async def test_rooms_per_connection_are_limited(client: RawClient) -> None:
    for number in range(64):
        assert "id" in await client.request("createChatroom", {"name": f"room {number}"})
    assert (await client.request("createChatroom", {"name": "one more"}))["error"]["code"] == "bad_request"


async def test_room_creations_and_renames_are_limited_per_address(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rooms_per_minute=3, trusted_proxy=("127.0.0.0/8",)) as server,
        raw_client(server.url, headers={"X-Forwarded-For": "192.0.2.7"}) as first,
        raw_client(server.url, headers={"X-Forwarded-For": "192.0.2.7"}) as second,
        raw_client(server.url, headers={"X-Forwarded-For": "192.0.2.8"}) as other,
    ):
        created = await first.request("createChatroom", {"name": "a"})
        assert (await first.request("updateChatroom", {"id": created["id"], "name": "b"}))["name"] == "b"
        assert "id" in await second.request("createChatroom", {"name": "c"})
        for client in (first, second):
            rejected = await client.request("createChatroom", {"name": "d"})
            assert (rejected["error"]["code"], "from this address" in rejected["error"]["message"]) == (
                "rate_limited",
                True,
            )
        assert "id" in await other.request("createChatroom", {"name": "d"})


@pytest.mark.needs_node
@pytest.mark.parametrize("resource", ["Aaa", "Room", "ChatRoom", "_Thing", "茶"])
async def test_a_javascript_client_manages_rooms_as_any_resource(server: RunningServer, resource: str) -> None:
    async with javascript_client("4.8.4") as client:
        await client.connect(server.url)
        created = await client.request(f"create{resource}", {"name": "tea"})
        assert created["name"] == "tea"
        assert await client.request(f"findAll{resource}") == [created]
        assert await client.request(f"findOne{resource}", created["id"]) == created
        updated = await client.request(f"update{resource}", {"id": created["id"], "name": "green", "topic": "leaves"})
        assert updated == {**created, "name": "green", "topic": "leaves"}
        assert await client.request(f"remove{resource}", created["id"]) == updated
        assert await client.request("findAllOther") == []


@pytest.mark.parametrize("event", ["create", "findAll", "createroom", "findAll2", "recreateRoom", "create-Room"])
async def test_other_event_names_are_unknown(client: RawClient, event: str) -> None:
    assert (await client.request(event, {"name": "tea"}))["error"]["reason"] == "request_unknown"


@pytest.mark.parametrize("change", ["create", "rename", "delete"])
async def test_a_room_cannot_be_joined_while_it_changes(
    server: RunningServer, client: RawClient, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    room = await client.request("createChatroom", {"name": "Tea"})
    requests: dict[str, tuple[str, Any]] = {
        "create": ("createChatroom", {"name": "Coffee"}),
        "rename": ("updateChatroom", {"id": room["id"], "name": "Coffee"}),
        "delete": ("removeChatroom", room["id"]),
    }
    started, released = asyncio.Event(), asyncio.Event()
    write = getattr(RoomRepository, change)

    async def write_later(*arguments: Any) -> Any:
        started.set()
        await released.wait()
        return await write(*arguments)

    monkeypatch.setattr(RoomRepository, change, write_later)
    changing = asyncio.create_task(client.request(*requests[change]))
    await started.wait()
    name = "tea" if change == "delete" else "coffee"
    async with raw_client(server.url) as bob:
        for event, fields in (("joinRoom", {"roomName": name, "nickName": "bob"}), ("observe", {"room": name})):
            refused = await bob.request(event, fields)
            assert (refused["error"]["code"], refused["error"]["reason"]) == ("unavailable", "room_changing")
        released.set()
        assert "error" not in await changing
        assert (await bob.request("joinRoom", {"roomName": name, "nickName": "bob"}))["ok"]
