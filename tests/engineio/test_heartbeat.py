"""Heartbeat with a short interval (Engine.IO protocol v4, "Heartbeat").

The ping timeout passes by an offset of the clock, so that no test depends on a timely pong.
"""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.app import RunningServer
from server.engineio import engineio_server
from tests.support.in_process_server import running_server
from tests.support.monotonic_clocks import OffsetMonotonicClock
from tests.support.polling_client import PollingClient
from tests.support.raw_client import RawClient, raw_client
from tests.support.wait import TIMEOUT

PING_INTERVAL, PING_TIMEOUT = 0.3, 20.0
TICK = PING_INTERVAL / 5
"""Interval of the server's heartbeat check, in seconds."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> OffsetMonotonicClock:
    """Clock of the heartbeat."""
    clock = OffsetMonotonicClock()
    monkeypatch.setattr(engineio_server, "time", SimpleNamespace(monotonic=clock))
    return clock


@pytest.fixture
async def server(tmp_path: Path, clock: OffsetMonotonicClock) -> AsyncGenerator[RunningServer]:
    """Server with a short ping interval, and without a CONNECT timeout."""
    async with running_server(
        tmp_path, ping_interval=PING_INTERVAL, ping_timeout=PING_TIMEOUT, connect_timeout=600
    ) as running:
        yield running


async def read_ping(client: RawClient) -> None:
    """Discard packets up to the next ping, and leave the ping unanswered."""
    while (await asyncio.wait_for(client.ws.receive(), TIMEOUT)).data != "2":
        pass


async def test_polling_sessions_receive_pings_and_post_pongs(polling: PollingClient) -> None:
    for _ in range(3):
        assert (await polling.poll()).body == "2"
        assert (await polling.post("3")).body == "ok"


async def test_websocket_pings_do_not_precede_the_ping_interval(server: RunningServer) -> None:
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    async with raw_client(server.url, connect=False) as client:
        for _ in range(3):
            assert (await asyncio.wait_for(client.ws.receive(), TIMEOUT)).data == "2"
            await client.ws.send_str("3")
    assert loop.time() - started_at >= 3 * (PING_INTERVAL - TICK)


async def test_all_sessions_receive_pings_if_their_checks_take_several_ticks(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engineio_server, "_CHECKS_PER_TICK", 1)
    async with raw_client(server.url) as first, raw_client(server.url) as second, raw_client(server.url) as third:
        for client in (first, second, third):
            await read_ping(client)


async def test_a_polling_session_without_pong_is_closed(polling: PollingClient, clock: OffsetMonotonicClock) -> None:
    assert (await polling.poll()).body == "2"
    pending = await polling.start_poll()
    clock.offset += PING_TIMEOUT + 1
    assert (await pending).body == "1"
    assert (await polling.poll()).error == (400, 1)
    assert (await polling.post("3")).error == (400, 1)


async def test_a_polling_session_without_polls_is_closed(polling: PollingClient, clock: OffsetMonotonicClock) -> None:
    async with asyncio.timeout(TIMEOUT):
        while (await polling.post("6")).status == 200:
            clock.offset += PING_TIMEOUT / 2
            await asyncio.sleep(TICK)
    assert (await polling.poll()).error == (400, 1)


async def test_a_websocket_session_without_pong_is_closed(server: RunningServer, clock: OffsetMonotonicClock) -> None:
    async with raw_client(server.url, connect=False) as client:
        await read_ping(client)
        clock.offset += PING_TIMEOUT + 1
        await client.wait_closed()


async def test_requests_do_not_replace_pongs(server: RunningServer, clock: OffsetMonotonicClock) -> None:
    async with raw_client(server.url) as client:
        await client.join("tea", "ann")
        await read_ping(client)
        for _ in range(2):
            assert (await client.request("typing", {"room": "tea", "on": True}))["ok"]
            clock.offset += PING_TIMEOUT / 2 + 1
        await client.wait_closed()
        async with raw_client(server.url) as other:
            assert [member["nickName"] for member in (await other.join("tea", "bob"))["members"]] == ["bob"]


async def test_an_unsolicited_pong_is_ignored(websocket: RawClient) -> None:
    await websocket.ws.send_str("3")
    await websocket.connect_namespace()


async def test_a_ping_from_the_client_closes_the_session(websocket: RawClient, polling: PollingClient) -> None:
    assert (await polling.post("2")).status == 400
    assert (await polling.poll()).error == (400, 1)
    await websocket.ws.send_str("2")
    await websocket.wait_closed()


async def test_an_upgraded_session_receives_pings_over_its_websocket(polling: PollingClient) -> None:
    ws = await polling.open_websocket()
    await ws.send_str("2probe")
    assert await ws.receive_str() == "3probe"
    await ws.send_str("5")
    for _ in range(2):
        assert await asyncio.wait_for(ws.receive_str(), TIMEOUT) == "2"
        await ws.send_str("3")
    await ws.close()


async def test_sessions_with_pongs_stay_open_beyond_the_ping_timeout(
    websocket: RawClient, polling: PollingClient, clock: OffsetMonotonicClock
) -> None:
    await polling.connect_namespace()
    await websocket.connect_namespace()
    for _ in range(3):
        assert (await polling.poll()).body == "2"
        assert (await polling.post("3")).body == "ok"
        await read_ping(websocket)
        await websocket.ws.send_str("3")
        assert (await websocket.request("listRooms", {}))["ok"]
        clock.offset += PING_TIMEOUT - 5  # the next ping may be unanswered already
