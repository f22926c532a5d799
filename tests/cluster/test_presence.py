"""Members of all nodes: unique nicknames, member lists, presence and notices."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

from server.app import RunningServer
from tests.support.raw_client import RawClient, raw_client

pytestmark = pytest.mark.needs_postgresql


async def list_nicks(client: RawClient, room: str) -> list[str]:
    response = await client.request("listMembers", {"room": room})
    assert response["memberCount"] == len(response["members"])
    return sorted(member["nickName"] for member in response["members"])


async def wait_for_nicks(client: RawClient, room: str, *nicks: str) -> None:
    while await list_nicks(client, room) != sorted(nicks):
        await client.wait_for_push("presence")


async def wait_for_notice(client: RawClient, kind: str) -> dict[str, Any]:
    while (push := await client.wait_for_push("message")).get("type") != kind:
        pass
    return push


@pytest.fixture
async def clients(nodes: list[RunningServer]) -> AsyncGenerator[list[RawClient]]:
    """Two clients of each node, those of the first node first."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(raw_client(node.url)) for node in nodes for _ in range(2)]


async def test_members_of_all_nodes_have_unique_nicknames_and_equal_lists(clients: list[RawClient]) -> None:
    room = uuid4().hex
    answers = await asyncio.gather(*(client.join(room, "ann") for client in clients))
    assert sorted(answer["nickName"] for answer in answers) == ["ann", "ann2", "ann3", "ann4"]
    for client in clients:
        await wait_for_nicks(client, room, "ann", "ann2", "ann3", "ann4")
    changed = await asyncio.gather(
        *(clients[index].request("changeNick", {"room": room, "nickName": "Ben"}) for index in (0, 2))
    )
    assert sorted(answer["nickName"] for answer in changed) == ["Ben", "Ben2"]
    remaining = [answers[index]["nickName"] for index in (1, 3)]
    for client in clients:
        await wait_for_nicks(client, room, "Ben", "Ben2", *remaining)
