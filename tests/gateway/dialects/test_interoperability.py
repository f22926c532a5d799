"""The JavaScript clients that people have, one of each dialect, in one room with the SDK: all see all, in one order."""

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


def heard_by_named(client: JavaScriptClient) -> list[tuple[str, str]]:
    return [(push["nickName"], push["message"]) for push in client.event_payloads("message") if "seq" in push]


def heard_by_bare(client: JavaScriptClient) -> list[str]:
    return [text for text in client.event_payloads("message") if not text.endswith(" 房间")]


def heard_by_grouped(client: JavaScriptClient) -> list[tuple[str, str]]:
    return [(push["nickName"], push["msg"]) for push in client.event_payloads("server_msg")]


@pytest.mark.parametrize("version", ["4.3.2", "4.8.4"])
@pytest.mark.parametrize("transports", [["websocket"], ["polling", "websocket"]], ids="+".join)
async def test_members_of_every_dialect_see_all_in_one_order(
    tmp_path: Path, version: str, transports: list[str]
) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(tmp_path, rate_limit="off"))
        clients = [javascript_client(version) for _ in range(4)]
        named, bare, grouped, resource = [await stack.enter_async_context(client) for client in clients]
        chat = await stack.enter_async_context(ChatClient(server.url))
        await asyncio.gather(
            *(client.connect(server.url, transports=transports) for client in (named, bare, grouped, resource))
        )
        assert (await resource.request("createChatroom", {"name": "tea", "topic": "leaves"}))["name"] == "tea"
        room = await chat.join("tea", nick="ann")
        assert room.topic == "leaves"
        named.emit("joinRoom", {"roomName": "tea", "nickName": "小明"})
        bare.emit("joinRoom", "tea")
        grouped.emit("joinRoom", {"nickName": "left", "id": 1, "roomId": "tea"})
        await wait_until(lambda: len(room.members) == 4)
        for number in range(TEXTS):
            named.emit("sendMessage", {"room": "tea", "nickName": "not me", "message": f"named {number}"})
            bare.emit("sendMessage", {"room": "tea", "message": f"bare {number}"})
            grouped.emit("client_msg", {"msg": f"grouped {number}", "nickName": "x", "roomId": "tea", "userId": 9})
            await room.send(f"sdk {number}")
        await wait_until(lambda: len(room.log) == 4 * TEXTS)
        said = [(entry.nick_name, entry.message) for entry in room.log.messages()]
        await named.wait_until(lambda: len(heard_by_named(named)) == len(said))
        await bare.wait_until(lambda: len(heard_by_bare(bare)) == len(said))
        await grouped.wait_until(lambda: len(heard_by_grouped(grouped)) == len(said))
        assert heard_by_named(named) == heard_by_grouped(grouped) == said
        assert heard_by_bare(bare) == [text for _, text in said]
        assert {nick for nick, _ in said} == {"小明", "guest", "left", "ann"}
        assert [push["type"] for push in grouped.event_payloads("server_msg")].count(2) == TEXTS
        assert {member.nick_name: member.via for member in room.members.values()} == {
            "小明": "object_join",
            "guest": "string_join",
            "left": "server_msg",
            "ann": None,
        }
        users = grouped.event_payloads("roomUser")[-1]["tea"]
        assert {user["nickName"]: user["id"] for user in users}["left"] == 1
        (listed,) = await resource.request("findAllChatroom")
        assert (listed["name"], listed["members"]) == ("tea", 4)
        resource.emit("findChatroomMessages", {"id": listed["id"]})
        await resource.wait_until(lambda: resource.event_payloads("chatroomMessages"))
        assert [(push["nickName"], push["message"]) for push in resource.event_payloads("chatroomMessage")] == said
        for client in (named, bare, grouped):
            assert client.event_payloads("error") == []
            if len(transports) > 1:
                await client.wait_until(lambda client=client: client.reports_of("upgrade"))
            client.disconnect()
        await wait_until(lambda: len(room.members) == 1)
