"""Pushes of the conversation dialect for messages of other nodes."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.account_api import account_api
from tests.support.accounts import create_account, open_connection
from tests.support.in_process_server import running_server
from tests.support.postgresql import PostgreSQLServer
from tests.support.raw_client import RawClient

pytestmark = pytest.mark.needs_postgresql


async def read_text(client: RawClient, group_id: int) -> str:
    return (await client.wait_for_push(f"group-message:{group_id}"))["content"]


async def send(owner: RawClient, room: str, text: str) -> None:
    assert (await owner.request("sendMessage", {"room": room, "message": text}))["ok"]


async def test_members_receive_the_messages_of_other_nodes_while_they_are_in_the_group(
    postgresql: PostgreSQLServer, bus: str, tmp_path: Path
) -> None:
    settings = {"database": postgresql.url, "bus": bus, "conversations": "on", "rate_limit": "off"}
    async with (
        running_server(tmp_path, **settings) as first,
        running_server(tmp_path, **settings) as second,
        account_api(first.url) as api,
    ):
        ann, ben = [await create_account(first, uuid4().hex[:8]) for _ in range(2)]
        headers = {"Authorization": ben.token}
        async with (
            open_connection(first, {"token": ann.token}) as (owner, _),
            open_connection(second, None, headers) as (reader, _),
        ):
            room = (await owner.request("createRoom", {"title": "Tea", "visibility": "private"}))["room"]["name"]
            (group,) = (await api.with_token(ann.token).request("GET", "/api/group/list")).body["data"]["owner"]
            described = await api.with_token(ann.token).request("GET", f"/api/group/{group['id']}")
            join_path = f"/api/group/join/{described.body['data']['inviteCode']}"

            async def join() -> None:
                """Join on the first node, and wait until the second node delivers messages of the group."""
                assert (await api.with_token(ben.token).request("GET", join_path)).status == 200
                while f"group-message:{group['id']}" not in str(reader.pushes):
                    await send(owner, room, "after the join")
                    await reader.request("myRooms", {})

            await join()
            await send(owner, room, "with ben")
            while await read_text(reader, group["id"]) != "with ben":
                pass
            async with open_connection(second, None, headers) as (device, _):
                await send(owner, room, "with both devices")
                for client in (device, reader):
                    assert await read_text(client, group["id"]) == "with both devices"
                target = {"room": room, "memberId": ben.account.member_id}
                assert (await owner.request("kick", target))["ok"]
                await send(owner, room, "without ben")
                await join()
                await send(owner, room, "with ben again")
                texts: list[str] = []
                while "with ben again" not in texts:
                    texts.append(await read_text(reader, group["id"]))
                assert set(texts) == {"after the join", "with ben again"}
