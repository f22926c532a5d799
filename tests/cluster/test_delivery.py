"""Delivery between the nodes of one database, with real PostgreSQL and Redis servers."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

from server.app import RunningServer
from tests.support.persons import connect_person
from tests.support.raw_client import RawClient, raw_client

pytestmark = pytest.mark.needs_postgresql


async def read_messages(client: RawClient, count: int) -> list[dict[str, Any]]:
    """Return the next messages, without notices of joins and leaves."""
    messages: list[dict[str, Any]] = []
    while len(messages) < count:
        push = await client.wait_for_push("message")
        messages += [push] if "seq" in push else []
    return messages


async def test_readers_of_all_nodes_receive_each_message_once_in_one_order(nodes: list[RunningServer]) -> None:
    room = uuid4().hex
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(node.url)) for node in nodes for _ in range(2)]
        for number, client in enumerate(clients):
            await client.join(room, f"m{number}")

        async def send(client: RawClient) -> None:
            for number in range(25):
                response = await client.request("sendMessage", {"room": room, "message": str(number)})
                assert response["ok"]

        await asyncio.gather(*map(send, clients))
        for client in clients:
            assert [message["seq"] for message in await read_messages(client, 100)] == list(range(1, 101))
        long_text = "字" * 3000  # more bytes than the payload of a notification
        assert (await clients[0].request("sendMessage", {"room": room, "message": long_text}))["ok"]
        assert (await read_messages(clients[-1], 1))[0]["message"] == long_text


async def test_changes_and_permissions_apply_on_all_nodes(nodes: list[RunningServer]) -> None:
    room = uuid4().hex
    async with (
        connect_person(nodes[0], f"own{room[:6]}", "account") as owner,
        connect_person(nodes[1], "guest") as guest,
    ):
        created = await owner.client.request("createRoom", {"roomName": room, "visibility": "public"})
        assert created["ok"], created
        assert await guest.join(room) == ""
        seq = await guest.send("first", room=room)
        assert await owner.attempt("setTopic", room=room, topic="news") == ""
        await guest.client.wait_for_push("update")
        assert await guest.attempt("react", room=room, seq=seq, emoji="👍", on=True) == ""
        await owner.client.wait_for_push("update")
        assert await owner.attempt("mute", room=room, memberId=guest.member_id) == ""
        await guest.client.wait_for_push("update")
        assert await guest.attempt("sendMessage", room=room, message="muted") == "member_muted"
