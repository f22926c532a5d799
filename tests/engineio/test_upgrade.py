"""From polling to a WebSocket (Engine.IO protocol v4, "Upgrade")."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.polling_client import PollingClient, polling_client
from tests.support.raw_client import raw_client
from tests.support.wait import TIMEOUT, wait_until


async def text(ws: ClientWebSocketResponse) -> str:
    return await asyncio.wait_for(ws.receive_str(), TIMEOUT)


async def until(ws: ClientWebSocketResponse, head: str) -> str:
    while not (packet := await text(ws)).startswith(head):
        pass
    return packet


async def closes(ws: ClientWebSocketResponse) -> bool:
    """It is closed, with nothing said before."""
    message = await asyncio.wait_for(ws.receive(), TIMEOUT)
    return message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)


async def probing(client: PollingClient) -> ClientWebSocketResponse:
    ws = await client.open_websocket()
    await ws.send_str("2probe")
    assert await text(ws) == "3probe"
    return ws


async def upgraded(client: PollingClient) -> ClientWebSocketResponse:
    ws = await probing(client)
    await ws.send_str("5")
    await ws.send_str("40")
    assert (await text(ws)).startswith("40{")  # and nothing before: no NOOP
    return ws


async def test_a_session_moves_to_a_websocket(polling: PollingClient) -> None:
    ws = await upgraded(polling)
    await ws.send_str('421["listRooms",{}]')
    assert (await text(ws)).startswith("431[")
    await ws.close()


async def test_the_poll_that_waits_is_ended_with_a_noop(polling: PollingClient) -> None:
    pending = await polling.start_poll()
    ws = await probing(polling)
    assert ((await pending).status, (await pending).body) == (200, "6")
    await ws.send_str("5")
    await ws.send_str("40")
    assert (await text(ws)).startswith("40{")
    await ws.close()


async def test_a_poll_after_the_probe_is_ended_with_a_noop(polling: PollingClient) -> None:
    ws = await probing(polling)
    assert (await polling.poll()).body == "6"
    await ws.send_str("5")
    await ws.send_str("40")
    assert (await text(ws)).startswith("40{")
    await ws.close()


async def test_what_is_posted_between_the_probe_and_its_end_is_taken_first(polling: PollingClient) -> None:
    await polling.connect_namespace()
    ws = await probing(polling)
    join = '421["joinRoom",{"roomName":"tea","nickName":"ann"}]'
    assert (await polling.post(join, '422["sendMessage",{"room":"tea","message":"one"}]')).body == "ok"
    await ws.send_str("5")
    await ws.send_str('423["sendMessage",{"room":"tea","message":"two"}]')
    assert '"seq":2' in await until(ws, "433[")
    await ws.close()


async def test_what_is_owed_while_the_upgrade_lasts_comes_by_polling_or_after_it_once(
    server: RunningServer, polling: PollingClient
) -> None:
    async with raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        await polling.connect_namespace()
        await polling.post('420["joinRoom",{"roomName":"tea","nickName":"ann"}]')
        heard = await polling.receive_packets()
        ws = await polling.open_websocket()
        await ben.request("sendMessage", {"room": "tea", "message": "before the probe"})
        heard += await polling.receive_packets()  # the WebSocket has not shown yet that it works
        await ws.send_str("2probe")
        assert await text(ws) == "3probe"
        await ben.request("sendMessage", {"room": "tea", "message": "after the probe"})
        heard += (await polling.poll()).packets
        await ben.request("sendMessage", {"room": "tea", "message": "before the end"})
        await ws.send_str("5")
        while not any("before the end" in packet for packet in heard):
            heard.append(await text(ws))
        said = [packet for packet in heard if '"kind":"message"' in packet]
        assert [packet.split('"message":"')[1].split('"')[0] for packet in said] == [
            "before the probe",
            "after the probe",
            "before the end",
        ]
        await ws.close()


async def test_requests_by_polling_are_refused_after_the_upgrade_and_change_nothing(polling: PollingClient) -> None:
    ws = await upgraded(polling)
    assert (await polling.poll()).error == (400, 3)
    assert (await polling.post("1")).error == (400, 3)
    await ws.send_str('421["listRooms",{}]')
    assert (await text(ws)).startswith("431[")
    await ws.close()


async def test_a_second_websocket_is_refused_after_the_upgrade_and_changes_nothing(polling: PollingClient) -> None:
    ws = await upgraded(polling)
    with pytest.raises(WSServerHandshakeError, match="400"):
        await polling.open_websocket()
    await ws.send_str('421["listRooms",{}]')
    assert (await text(ws)).startswith("431[")
    await ws.close()


async def test_of_two_websockets_that_race_the_second_is_refused(polling: PollingClient) -> None:
    first = await polling.open_websocket()
    with pytest.raises(WSServerHandshakeError, match="400"):
        await polling.open_websocket()
    await first.send_str("2probe")
    assert await text(first) == "3probe"
    await first.send_str("5")
    await first.send_str("40")
    assert (await text(first)).startswith("40{")
    await first.close()


@pytest.mark.parametrize("packets", [["2"], ["5"], ["4hello"], ["2probe", "4hello"], ["2probe", "2probe"], ["3probe"]])
async def test_a_probe_that_fails_leaves_the_session_to_polling(polling: PollingClient, packets: list[str]) -> None:
    ws = await polling.open_websocket()
    for packet in packets:
        await ws.send_str(packet)
    if packets[0] == "2probe":
        assert await text(ws) == "3probe"
    assert await closes(ws)
    await polling.connect_namespace()
    again = await probing(polling)
    await again.send_str("5")
    await again.close()


async def test_a_probe_whose_websocket_goes_away_leaves_the_session_to_polling(polling: PollingClient) -> None:
    ws = await probing(polling)
    await ws.close()
    await polling.connect_namespace()


async def test_a_probe_that_never_ends_is_closed_and_the_session_goes_on(tmp_path: Path) -> None:
    async with running_server(tmp_path, connect_timeout=0.4) as server, polling_client(server.url) as client:
        await client.connect_namespace()
        ws = await client.open_websocket()
        assert await closes(ws)
        await client.post('421["listRooms",{}]')
        assert (await client.receive_packets())[0].startswith("431[")


async def test_a_session_that_ends_while_it_is_probed_takes_the_probe_with_it(polling: PollingClient) -> None:
    ws = await probing(polling)
    await polling.post("1")
    message = await asyncio.wait_for(ws.receive(), TIMEOUT)
    assert message.type is not WSMsgType.TEXT
    assert (await polling.poll()).error == (400, 1)


async def test_who_leaves_after_the_upgrade_is_gone(server: RunningServer, polling: PollingClient) -> None:
    async with raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        ws = await upgraded(polling)
        await ws.send_str('420["joinRoom",{"roomName":"tea","nickName":"ann"}]')
        await until(ws, "430[")
        await ws.close()
        while (push := await ben.wait_for_push("message"))["kind"] != "leave":
            pass
        assert push["nickName"] == "ann"
    assert (await polling.poll()).error == (400, 1)


@asynccontextmanager
async def stopping_server(folder: Path, stopping: asyncio.Event) -> AsyncGenerator[tuple[str, "asyncio.Task[None]"]]:
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve_until_told() -> None:
        async with running_server(folder) as server:
            url.set_result(server.url)
            await stopping.wait()

    task = asyncio.create_task(serve_until_told())
    yield await url, task
    stopping.set()
    await task


async def test_a_server_that_stops_in_the_middle_of_an_upgrade_says_goodbye_by_polling(tmp_path: Path) -> None:
    stopping = asyncio.Event()
    async with stopping_server(tmp_path, stopping) as (url, task), polling_client(url) as client:
        await client.connect_namespace()
        ws = await probing(client)
        assert (await client.poll()).body == "6"  # and a connection stays open for the next one
        stopping.set()
        while (packet := (await client.poll()).body) == "6":
            pass
        assert packet.startswith('42["goingAway",')
        assert await closes(ws)
        await wait_until(task.done)
