"""Upgrade of a polling session to a WebSocket (Engine.IO protocol v4, "Upgrade")."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from server.app import RunningServer
from server.engineio.engineio_server import EngineIOServer
from tests.support.in_process_server import running_server, stoppable_server
from tests.support.polling_client import PollingClient, polling_client
from tests.support.raw_client import raw_client
from tests.support.wait import TIMEOUT, wait_until


async def receive_text(ws: ClientWebSocketResponse) -> str:
    """Return the next packet."""
    return await asyncio.wait_for(ws.receive_str(), TIMEOUT)


async def receive_until(ws: ClientWebSocketResponse, prefix: str) -> str:
    """Return the next packet with a prefix, and discard earlier packets."""
    while not (packet := await receive_text(ws)).startswith(prefix):
        pass
    return packet


async def is_closed(ws: ClientWebSocketResponse) -> bool:
    """Return whether the next frame is a close frame."""
    message = await asyncio.wait_for(ws.receive(), TIMEOUT)
    return message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)


async def open_probe(client: PollingClient) -> ClientWebSocketResponse:
    """Open a WebSocket for the session, and return it after the answer to the probe."""
    ws = await client.open_websocket()
    await ws.send_str("2probe")
    assert await receive_text(ws) == "3probe"
    return ws


async def upgrade(client: PollingClient) -> ClientWebSocketResponse:
    """Upgrade the session, and return its WebSocket after the CONNECT to the root namespace."""
    ws = await open_probe(client)
    await ws.send_str("5")
    await ws.send_str("40")
    assert (await receive_text(ws)).startswith("40{")  # no NOOP precedes the response
    return ws


async def test_a_session_upgrades_to_a_websocket(polling: PollingClient) -> None:
    ws = await upgrade(polling)
    await ws.send_str('421["listRooms",{}]')
    assert (await receive_text(ws)).startswith("431[")
    await ws.close()


async def test_a_probe_ends_the_pending_poll_with_a_noop(polling: PollingClient) -> None:
    pending = await polling.start_poll()
    ws = await open_probe(polling)
    assert ((await pending).status, (await pending).body) == (200, "6")
    await ws.send_str("5")
    await ws.send_str("40")
    assert (await receive_text(ws)).startswith("40{")
    await ws.close()


async def test_a_poll_after_the_probe_returns_a_noop(polling: PollingClient) -> None:
    ws = await open_probe(polling)
    assert (await polling.poll()).body == "6"
    await ws.send_str("5")
    await ws.send_str("40")
    assert (await receive_text(ws)).startswith("40{")
    await ws.close()


async def test_posts_during_the_upgrade_precede_websocket_packets(polling: PollingClient) -> None:
    await polling.connect_namespace()
    ws = await open_probe(polling)
    join = '421["joinRoom",{"roomName":"tea","nickName":"ann"}]'
    assert (await polling.post(join, '422["sendMessage",{"room":"tea","message":"one"}]')).body == "ok"
    await ws.send_str("5")
    await ws.send_str('423["sendMessage",{"room":"tea","message":"two"}]')
    assert '"seq":2' in await receive_until(ws, "433[")
    await ws.close()


async def test_pushes_during_the_upgrade_are_delivered_once(server: RunningServer, polling: PollingClient) -> None:
    async with raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        await polling.connect_namespace()
        await polling.post('420["joinRoom",{"roomName":"tea","nickName":"ann"}]')
        packets = await polling.receive_packets()
        ws = await polling.open_websocket()
        await ben.request("sendMessage", {"room": "tea", "message": "before the probe"})
        packets += await polling.receive_packets()  # the WebSocket is not probed yet
        await ws.send_str("2probe")
        assert await receive_text(ws) == "3probe"
        await ben.request("sendMessage", {"room": "tea", "message": "after the probe"})
        packets += (await polling.poll()).packets
        await ben.request("sendMessage", {"room": "tea", "message": "before the end"})
        await ws.send_str("5")
        while not any("before the end" in packet for packet in packets):
            packets.append(await receive_text(ws))
        messages = [packet for packet in packets if '"kind":"message"' in packet]
        assert [packet.split('"message":"')[1].split('"')[0] for packet in messages] == [
            "before the probe",
            "after the probe",
            "before the end",
        ]
        await ws.close()


async def test_polling_requests_after_the_upgrade_are_rejected(polling: PollingClient) -> None:
    ws = await upgrade(polling)
    assert (await polling.poll()).error == (400, 3)
    assert (await polling.post("1")).error == (400, 3)
    await ws.send_str('421["listRooms",{}]')
    assert (await receive_text(ws)).startswith("431[")
    await ws.close()


async def test_a_second_websocket_after_the_upgrade_is_accepted_and_closed(polling: PollingClient) -> None:
    ws = await upgrade(polling)
    assert await is_closed(await polling.open_websocket())
    await ws.send_str('421["listRooms",{}]')
    assert (await receive_text(ws)).startswith("431[")
    await ws.close()


async def test_a_concurrent_second_websocket_is_accepted_and_closed(polling: PollingClient) -> None:
    first = await polling.open_websocket()
    assert await is_closed(await polling.open_websocket())
    await first.send_str("2probe")
    assert await receive_text(first) == "3probe"
    await first.send_str("5")
    await first.send_str("40")
    assert (await receive_text(first)).startswith("40{")
    await first.close()


@pytest.mark.parametrize("packets", [["2"], ["5"], ["4hello"], ["2probe", "4hello"], ["2probe", "2probe"], ["3probe"]])
async def test_a_failed_probe_leaves_the_polling_session_open(polling: PollingClient, packets: list[str]) -> None:
    ws = await polling.open_websocket()
    for packet in packets:
        await ws.send_str(packet)
    if packets[0] == "2probe":
        assert await receive_text(ws) == "3probe"
    assert await is_closed(ws)
    await polling.connect_namespace()
    second_ws = await open_probe(polling)
    await second_ws.send_str("5")
    await second_ws.close()


async def test_a_disconnect_during_the_probe_leaves_the_polling_session_open(polling: PollingClient) -> None:
    ws = await open_probe(polling)
    await ws.close()
    await polling.connect_namespace()


async def test_a_probe_times_out_and_leaves_the_polling_session_open(
    tmp_path: Path, engines: list[EngineIOServer]
) -> None:
    async with running_server(tmp_path) as server, polling_client(server.url) as client:
        await client.connect_namespace()
        engines[0].options = replace(engines[0].options, connect_timeout=0.1)
        ws = await client.open_websocket()
        assert await is_closed(ws)
        await client.post('421["listRooms",{}]')
        assert (await client.receive_packets())[0].startswith("431[")


async def test_closing_a_session_closes_its_probe(polling: PollingClient) -> None:
    ws = await open_probe(polling)
    await polling.post("1")
    message = await asyncio.wait_for(ws.receive(), TIMEOUT)
    assert message.type is not WSMsgType.TEXT
    assert (await polling.poll()).error == (400, 1)


async def test_closing_an_upgraded_websocket_closes_the_session(server: RunningServer, polling: PollingClient) -> None:
    async with raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        ws = await upgrade(polling)
        await ws.send_str('420["joinRoom",{"roomName":"tea","nickName":"ann"}]')
        await receive_until(ws, "430[")
        await ws.close()
        assert (await ben.wait_for_push("message", kind="leave"))["nickName"] == "ann"
    assert (await polling.poll()).error == (400, 1)


async def test_a_shutdown_during_an_upgrade_sends_going_away_by_polling(tmp_path: Path) -> None:
    async with stoppable_server(tmp_path) as server, polling_client(server.url) as client:
        await client.connect_namespace()
        ws = await open_probe(client)
        assert (await client.poll()).body == "6"  # the HTTP connection stays open for the next poll
        server.stop.set()
        while (packet := (await client.poll()).body) == "6":
            pass
        assert packet.startswith('42["goingAway",')
        assert await is_closed(ws)
        await wait_until(server.task.done)


async def test_websocket_packets_wait_for_a_post_in_progress(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, polling_client(server.url) as client:
        await client.connect_namespace()
        join = '420["joinRoom",{"roomName":"tea","nickName":"ann"}]'
        slow = [f'42["sendMessage",{{"room":"tea","message":"{number}"}}]' for number in range(12)]  # burst of 10
        pending = asyncio.create_task(client.post(join, *slow))
        packets = await client.receive_packets()  # the POST is in progress
        ws = await open_probe(client)
        await ws.send_str("5")
        await ws.send_str('42["sendMessage",{"room":"tea","message":"last"}]')
        messages: list[str] = []
        async with asyncio.timeout(TIMEOUT):
            while len(messages) < len(slow) + 1:
                packet = packets.pop(0) if packets else await receive_text(ws)
                if '"kind":"message"' in packet:
                    messages.append(packet.split('"message":"')[1].split('"')[0])
        assert messages == [*map(str, range(12)), "last"]
        assert (await pending).body == "ok"
        await ws.close()
