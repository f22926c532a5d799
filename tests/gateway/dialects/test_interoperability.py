"""One JavaScript client per dialect and one SDK client in the same room."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.javascript_client import JavaScriptClient, javascript_client
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

pytestmark = pytest.mark.needs_node

TEXTS = 5


def object_join_messages(client: JavaScriptClient) -> list[tuple[str, str]]:
    """Return the authors and texts of the received messages, without notices."""
    return [(push["nickName"], push["message"]) for push in client.event_payloads("message") if "seq" in push]


def string_join_messages(client: JavaScriptClient) -> list[str]:
    """Return the texts of the received messages, without notices."""
    return [text for text in client.event_payloads("message") if not text.endswith(" 房间")]


def server_msg_messages(client: JavaScriptClient) -> list[tuple[str, str]]:
    """Return the authors and texts of the received messages."""
    return [(push["nickName"], push["msg"]) for push in client.event_payloads("server_msg")]


@pytest.mark.parametrize("version", ["4.3.2", "4.8.4"])
@pytest.mark.parametrize("transports", [["websocket"], ["polling", "websocket"]], ids="+".join)
async def test_members_of_all_dialects_receive_all_messages_in_one_order(
    tmp_path: Path, version: str, transports: list[str]
) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(tmp_path, rate_limit="off"))
        clients = [javascript_client(version) for _ in range(4)]
        object_join, string_join, server_msg, resource_crud = [
            await stack.enter_async_context(client) for client in clients
        ]
        chat = await stack.enter_async_context(ChatClient(server.url))
        await asyncio.gather(
            *(
                client.connect(server.url, transports=transports)
                for client in (object_join, string_join, server_msg, resource_crud)
            )
        )
        assert (await resource_crud.request("createChatroom", {"name": "tea", "topic": "leaves"}))["name"] == "tea"
        room = await chat.join("tea", nick="ann")
        assert room.topic == "leaves"
        object_join.emit("joinRoom", {"roomName": "tea", "nickName": "小明"})
        string_join.emit("joinRoom", "tea")
        server_msg.emit("joinRoom", {"nickName": "left", "id": 1, "roomId": "tea"})
        await wait_until(lambda: len(room.members) == 4)
        for number in range(TEXTS):
            object_join.emit("sendMessage", {"room": "tea", "nickName": "not me", "message": f"object_join {number}"})
            string_join.emit("sendMessage", {"room": "tea", "message": f"string_join {number}"})
            server_msg.emit(
                "client_msg", {"msg": f"server_msg {number}", "nickName": "x", "roomId": "tea", "userId": 9}
            )
            await room.send(f"sdk {number}")
        await wait_until(lambda: len(room.log) == 4 * TEXTS)
        expected = [(entry.nick_name, entry.message) for entry in room.log.messages()]
        await object_join.wait_until(lambda: len(object_join_messages(object_join)) == len(expected))
        await string_join.wait_until(lambda: len(string_join_messages(string_join)) == len(expected))
        await server_msg.wait_until(lambda: len(server_msg_messages(server_msg)) == len(expected))
        assert object_join_messages(object_join) == server_msg_messages(server_msg) == expected
        assert string_join_messages(string_join) == [text for _, text in expected]
        assert {nick for nick, _ in expected} == {"小明", "guest", "left", "ann"}
        assert [push["type"] for push in server_msg.event_payloads("server_msg")].count(2) == TEXTS
        assert {member.nick_name: member.via for member in room.members.values()} == {
            "小明": "object_join",
            "guest": "string_join",
            "left": "server_msg",
            "ann": None,
        }
        users = server_msg.event_payloads("roomUser")[-1]["tea"]
        assert {user["nickName"]: user["id"] for user in users}["left"] == 1
        (listed_room,) = await resource_crud.request("findAllChatroom")
        assert (listed_room["name"], listed_room["members"]) == ("tea", 4)
        resource_crud.emit("findChatroomMessages", {"id": listed_room["id"]})
        await resource_crud.wait_until(lambda: resource_crud.event_payloads("chatroomMessages"))
        assert [
            (push["nickName"], push["message"]) for push in resource_crud.event_payloads("chatroomMessage")
        ] == expected
        for client in (object_join, string_join, server_msg):
            assert client.event_payloads("error") == []
            if len(transports) > 1:
                await client.wait_until(lambda client=client: client.reports_of("upgrade"))
            client.disconnect()
        await wait_until(lambda: len(room.members) == 1)
