"""The JavaScript clients that people have, one of each dialect, in one room with the SDK: all see all, in one order."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.javascript_client import JavaScriptClient, javascript_client
from tests.support.serving import serving
from tui_chat.client.chat import ChatClient

pytestmark = pytest.mark.needs_node

TEXTS = 5


def heard_by_named(client: JavaScriptClient) -> list[tuple[str, str]]:
    return [(push["nickName"], push["message"]) for push in client.events("message") if "seq" in push]


def heard_by_bare(client: JavaScriptClient) -> list[str]:
    return [text for text in client.events("message") if not text.endswith(" 房间")]


def heard_by_grouped(client: JavaScriptClient) -> list[tuple[str, str]]:
    return [(push["nickName"], push["msg"]) for push in client.events("server_msg")]


@pytest.mark.parametrize("version", ["4.3.2", "4.8.4"])
@pytest.mark.parametrize("transports", [["websocket"], ["polling", "websocket"]], ids="+".join)
async def test_members_of_every_dialect_see_all_in_one_order(
    tmp_path: Path, version: str, transports: list[str]
) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(tmp_path, rate_limit="off"))
        clients = [javascript_client(version) for _ in range(4)]
        named, bare, grouped, resource = [await stack.enter_async_context(client) for client in clients]
        chat = await stack.enter_async_context(ChatClient(server.url))
        await asyncio.gather(
            *(client.connect(server.url, transports=transports) for client in (named, bare, grouped, resource))
        )
        assert (await resource.ask("createChatroom", {"name": "tea", "topic": "leaves"}))["name"] == "tea"
        room = await chat.join("tea", nick="ann")
        assert room.topic == "leaves"
        named.emit("joinRoom", {"roomName": "tea", "nickName": "小明"})
        bare.emit("joinRoom", "tea")
        grouped.emit("joinRoom", {"nickName": "left", "id": 1, "roomId": "tea"})
        await eventually(lambda: len(room.members) == 4)
        for number in range(TEXTS):
            named.emit("sendMessage", {"room": "tea", "nickName": "not me", "message": f"named {number}"})
            bare.emit("sendMessage", {"room": "tea", "message": f"bare {number}"})
            grouped.emit("client_msg", {"msg": f"grouped {number}", "nickName": "x", "roomId": "tea", "userId": 9})
            await room.send(f"sdk {number}")
        await eventually(lambda: len(room.log) == 4 * TEXTS)
        said = [(entry.nick_name, entry.message) for entry in room.log.messages()]
        await named.until(lambda: len(heard_by_named(named)) == len(said))
        await bare.until(lambda: len(heard_by_bare(bare)) == len(said))
        await grouped.until(lambda: len(heard_by_grouped(grouped)) == len(said))
        assert heard_by_named(named) == heard_by_grouped(grouped) == said
        assert heard_by_bare(bare) == [text for _, text in said]
        assert {nick for nick, _ in said} == {"小明", "guest", "left", "ann"}
        assert [push["type"] for push in grouped.events("server_msg")].count(2) == TEXTS
        assert {member.nick_name: member.via for member in room.members.values()} == {
            "小明": "named",
            "guest": "bare",
            "left": "grouped",
            "ann": None,
        }
        users = grouped.events("roomUser")[-1]["tea"]
        assert {user["nickName"]: user["id"] for user in users}["left"] == 1
        (listed,) = await resource.ask("findAllChatroom")
        assert (listed["name"], listed["members"]) == ("tea", 4)
        resource.emit("findChatroomMessages", {"id": listed["id"]})
        await resource.until(lambda: resource.events("chatroomMessages"))
        assert [(push["nickName"], push["message"]) for push in resource.events("chatroomMessage")] == said
        for client in (named, bare, grouped):
            assert client.events("error") == []
            if len(transports) > 1:
                await client.until(lambda client=client: client.saw("upgrade"))
            client.disconnect()
        await eventually(lambda: len(room.members) == 1)
