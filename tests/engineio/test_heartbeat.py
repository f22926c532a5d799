"""Heartbeat with short intervals (Engine.IO protocol v4, "Heartbeat")."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import ClientConnectionResetError

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.polling_client import PollingClient, polling_client
from tests.support.raw_client import raw_client
from tests.support.wait import TIMEOUT

PING_INTERVAL, PING_TIMEOUT = 0.3, 0.2
TICK = PING_INTERVAL / 5
"""Interval of the server's heartbeat check, in seconds."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(
        tmp_path, ping_interval=PING_INTERVAL, ping_timeout=PING_TIMEOUT, connect_timeout=60
    ) as running:
        yield running


async def test_polling_sessions_receive_pings_and_post_pongs(polling: PollingClient) -> None:
    for _ in range(3):
        assert (await polling.poll()).body == "2"
        assert (await polling.post("3")).body == "ok"


async def test_websocket_pings_arrive_at_the_ping_interval(server: RunningServer) -> None:
    loop = asyncio.get_running_loop()
    async with raw_client(server.url, connect=False) as client:
        started_at = loop.time()
        for _ in range(3):
            assert (await asyncio.wait_for(client.ws.receive(), TIMEOUT)).data == "2"
            await client.ws.send_str("3")
        assert loop.time() - started_at >= 3 * (PING_INTERVAL - TICK)


async def test_a_polling_session_without_pong_is_closed(polling: PollingClient) -> None:
    assert (await polling.poll()).body == "2"
    pending = await polling.start_poll()
    assert (await pending).body == "1"
    assert (await polling.poll()).error == (400, 1)
    assert (await polling.post("3")).error == (400, 1)


async def test_a_polling_session_without_polls_is_closed(polling: PollingClient) -> None:
    async with asyncio.timeout(TIMEOUT):
        while (await polling.post("6")).status == 200:  # noqa: ASYNC110 (only a request shows the state)
            await asyncio.sleep(TICK)
    assert (await polling.poll()).error == (400, 1)


async def test_requests_do_not_replace_pongs(server: RunningServer) -> None:
    async with raw_client(server.url) as client:
        await client.join("tea", "ann")
        async with asyncio.timeout(TIMEOUT):
            with suppress(ClientConnectionResetError):  # closed before the close frame was read
                while not client.ws.closed:
                    await client.ws.send_str('42["typing",{"room":"tea","on":true}]')
                    with suppress(TimeoutError):
                        await client.ws.receive(timeout=TICK)


async def test_a_websocket_session_without_pong_is_closed(server: RunningServer) -> None:
    async with raw_client(server.url, connect=False) as client:
        assert (await asyncio.wait_for(client.ws.receive(), TIMEOUT)).data == "2"
        message = await asyncio.wait_for(client.ws.receive(), TIMEOUT)
        assert message.data != "2"
        assert client.ws.closed


async def test_an_unsolicited_pong_is_ignored(server: RunningServer) -> None:
    async with raw_client(server.url, connect=False) as client:
        await client.ws.send_str("3")
        await client.connect_namespace()


async def test_a_ping_from_the_client_closes_the_session(server: RunningServer, polling: PollingClient) -> None:
    assert (await polling.post("2")).status == 400
    async with raw_client(server.url, connect=False) as client:
        await client.ws.send_str("2")
        await client.wait_closed()


async def test_an_upgraded_session_receives_pings_over_its_websocket(polling: PollingClient) -> None:
    ws = await polling.open_websocket()
    await ws.send_str("2probe")
    assert await ws.receive_str() == "3probe"
    await ws.send_str("5")
    for _ in range(2):
        assert await asyncio.wait_for(ws.receive_str(), TIMEOUT) == "2"
        await ws.send_str("3")
    await ws.close()


async def test_sessions_with_timely_pongs_stay_open(server: RunningServer) -> None:
    async with polling_client(server.url) as polling, raw_client(server.url) as websocket:
        await polling.connect_namespace()

        async def answer_pings() -> None:
            for _ in range(6):
                assert (await polling.poll()).body == "2"
                await polling.post("3")

        polling_task = asyncio.create_task(answer_pings())
        while not polling_task.done():
            assert (await websocket.request("listRooms", {}))["ok"]  # `request` also answers pings
            await asyncio.sleep(TICK)
        await polling_task
