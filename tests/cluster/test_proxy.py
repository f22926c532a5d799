"""deploy/nginx.conf in front of two nodes and a stopped one: long polling, its upgrade, and WebSocket clients."""

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.nginx import run_nginx
from tests.support.polling_client import PollingClient
from tests.support.postgresql import PostgreSQLServer
from tests.support.raw_client import raw_client

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.needs_nginx]

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
POLLING_CLIENTS = 4
"""Minimum number of polling clients; further ones follow until each node has one."""


async def connect_polling_client(stack: AsyncExitStack, url: str, number: int) -> PollingClient:
    """Open a session over long polling, from an address of its own."""
    connector = aiohttp.TCPConnector(local_addr=(f"127.0.0.{10 + number}", 0))
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
    client = PollingClient(session, url)
    await client.open_session()
    await client.connect_namespace()
    return client


async def receive_message(client: PollingClient, text: str) -> None:
    while not any(json.dumps(text) in packet for packet in await client.receive_packets()):
        pass


def count_connections(nodes: list[RunningServer]) -> list[int]:
    return [node.read_metrics().connections for node in nodes]


async def test_polling_clients_stay_on_one_node_and_websocket_clients_use_all_nodes(
    postgresql: PostgreSQLServer, tmp_path: Path, unused_tcp_port: int
) -> None:
    room = uuid4().hex
    settings = {"database": postgresql.url, "trusted_proxy": ("127.0.0.1",), "rate_limit": "off"}
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(running_server(tmp_path, **settings)) for _ in range(2)]
        ports = [nodes[0].port, nodes[1].port, unused_tcp_port]  # the third node is stopped
        block = re.sub(
            r"node(\d):300\d", lambda match: f"127.0.0.1:{ports[int(match[1]) - 1]}", CONFIGURATION.read_text()
        )
        url = f"http://127.0.0.1:{await stack.enter_async_context(run_nginx(tmp_path, block))}"
        polling: list[PollingClient] = []
        while len(polling) < POLLING_CLIENTS or min(count_connections(nodes)) == 0:
            polling.append(await connect_polling_client(stack, url, len(polling)))
        counts = count_connections(nodes)
        sockets = [await stack.enter_async_context(raw_client(url)) for _ in range(4)]
        assert all(after > before for before, after in zip(counts, count_connections(nodes), strict=True))
        for number, client in enumerate(polling):
            assert (await client.post(f'42["joinRoom",{{"roomName":"{room}","nickName":"p{number}"}}]')).body == "ok"
        for number, client in enumerate(sockets):
            await client.join(room, f"s{number}")
        assert (await sockets[0].request("sendMessage", {"room": room, "message": "from a socket"}))["ok"]
        for client in polling:
            await receive_message(client, "from a socket")
        upgraded = await polling[0].open_websocket()
        await upgraded.send_str("2probe")
        assert await upgraded.receive_str() == "3probe"
        await upgraded.close()
        text = {"room": room, "message": "from a poll"}
        assert (await polling[1].post(f'42["sendMessage",{json.dumps(text)}]')).body == "ok"
        for client in sockets:
            await client.wait_for_push("message", message="from a poll")
        async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
            assert response.status == 404
