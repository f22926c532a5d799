"""Detection of dead connections on both sides, and orderly shutdown of the server."""

import asyncio
import logging
import socket
import struct
from pathlib import Path

import pytest
from aiohttp import web

from tests.support import faulty_disk as disks
from tests.support.in_process_server import running_server, stoppable_server
from tests.support.raw_client import raw_client
from tests.support.raw_websocket import UPGRADE_REQUEST
from tests.support.tcp_proxy import tcp_proxy
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import Unreachable
from tui_chat.client.events import Offline, Online
from tui_chat.client.net.transport import CONNECT_TIMEOUT, Transport

PINGS = {"ping_interval": 0.2, "ping_timeout": 0.4}
"""Short intervals in seconds, for clients that reconnect after a ping timeout on a busy machine."""


async def test_the_member_of_a_stalled_connection_leaves(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, ping_interval=0.2, ping_timeout=2.0) as server,
        tcp_proxy(server.port) as proxy,
        raw_client(server.url) as ann,
        raw_client(proxy.url) as ben,
    ):
        await ann.join("tea", "ann")
        joined = await ben.join("tea", "ben")
        assert (await ann.wait_for_push("message"))["nickName"] == "ann"
        assert (await ann.wait_for_push("message"))["nickName"] == "ben"
        proxy.stall()
        notice = await ann.wait_for_push("message")
        assert (notice["kind"], notice["memberId"]) == ("leave", joined["memberId"])
        proxy.reset_all()


async def test_a_client_detects_a_stalled_network_and_reconnects(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, **PINGS) as server,
        tcp_proxy(server.port) as proxy,
        ChatClient(server.url) as ann,
        ChatClient(proxy.url) as ben,
    ):
        tea, cup = await ann.join("tea", nick="ann"), await ben.join("tea", nick="ben")
        proxy.stall()
        await wait_until(lambda: isinstance(ben.state, Offline))
        await wait_until(lambda: list(tea.members) == [tea.member_id])
        await tea.send("missed")
        proxy.resume()
        ben.reconnect_now()
        await wait_until(lambda: isinstance(ben.state, Online) and len(tea.members) == 2)
        await wait_until(lambda: [message.message for message in cup.log.messages()] == ["missed"])


@pytest.mark.parametrize("towards_server", [True, False])
async def test_a_half_closed_connection_is_replaced(tmp_path: Path, towards_server: bool) -> None:
    async with (
        running_server(tmp_path, **PINGS) as server,
        tcp_proxy(server.port) as proxy,
        ChatClient(proxy.url) as ann,
    ):
        tea = await ann.join("tea", nick="ann")
        (connection,) = proxy.open_connections
        connection.half_close(towards_server=towards_server)
        await wait_until(lambda: proxy.accepted_count > 1 and isinstance(ann.state, Online))
        assert (await tea.send("through")).seq == 1


async def test_a_server_close_during_the_handshake_is_detected_immediately() -> None:
    async def close_after_handshake(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str('0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}')
        assert (await ws.receive_str()) == "40"
        await ws.close()
        return ws

    app = web.Application()
    app.router.add_get("/socket.io/", close_after_handshake)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with asyncio.timeout(CONNECT_TIMEOUT / 2):
            with pytest.raises(Unreachable, match="closed the connection"):
                await Transport.open(f"http://127.0.0.1:{runner.addresses[0][1]}", lambda _name, _body: None)
    finally:
        await runner.cleanup()


async def test_disconnects_during_the_handshake_cause_no_warnings(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    linger_zero = struct.pack("ii", 1, 0)
    async with running_server(tmp_path, rate_limit="off") as server:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
                client.send(UPGRADE_REQUEST.encode())
        async with raw_client(server.url) as ann:
            await ann.join("tea", "ann")
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_shutdown_sends_going_away_and_completes_accepted_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = disks.install_faulty_disk(monkeypatch)
    async with (
        stoppable_server(tmp_path) as server,
        raw_client(server.url) as ann,
        raw_client(server.url) as ben,
    ):
        await ann.join("tea", "ann")
        await ben.join("tea", "ben")
        disk.block_commits()
        sending = asyncio.create_task(ann.request("sendMessage", {"room": "tea", "message": "taken"}))
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        server.stop.set()
        assert (await ben.wait_for_push("goingAway"))["reconnectAfter"] > 0
        rejected = await ben.request("sendMessage", {"room": "tea", "message": "too late"})
        assert rejected["error"]["code"] == "unavailable"
        disk.unblock_commits()
        assert (await sending)["seq"] == 1
        assert (await ben.wait_for_push("message", kind="message"))["message"] == "taken"
        await ben.wait_closed()
