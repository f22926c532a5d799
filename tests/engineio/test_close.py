"""Closing handshake under load (RFC 6455, section 7; docs/protocol.md, "Pushes")."""

import asyncio
import logging
import signal
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from aiohttp import ClientSession, WSMsgType

from server.engineio.engineio_server import EngineIOServer
from tests.support.in_process_server import running_server, stoppable_server
from tests.support.raw_client import raw_client
from tests.support.raw_websocket import RawWebSocket, raw_websocket
from tests.support.server_process import server_process
from tests.support.wait import TIMEOUT

FLOODING_CLIENTS = 6
"""Number of concurrent flooding clients."""

SHUTDOWN_REPETITIONS = 5
"""Number of consecutive shutdowns; the loss of a frame depends on the timing."""

PACKET = "6" + "-" * 32_000
"""Large NOOP packet: cheap for the server and never answered."""


@pytest.fixture
def long_close_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the sessions of this process `TIMEOUT` seconds to close, because a flood delays the close frame."""
    start = EngineIOServer.start

    def start_with_long_timeout(engine: EngineIOServer) -> None:
        engine.options = replace(engine.options, close_timeout=TIMEOUT)
        start(engine)

    monkeypatch.setattr(EngineIOServer, "start", start_with_long_timeout)


async def flood(ws: RawWebSocket, at_full_speed: asyncio.Event) -> None:
    """Write packets without pause; set `at_full_speed` once unread data has accumulated."""
    ws.write_text_frames("40", '42["joinRoom",{"roomName":"tea","nickName":"ann"}]')
    write_count = 0
    while not ws.writer.is_closing():
        ws.write_text_frames(*[PACKET] * 8)
        await ws.writer.drain()
        write_count += 1
        if write_count == 20:
            at_full_speed.set()


async def read_until_closed(ws: RawWebSocket) -> list[bytes]:
    """Return the payloads of all frames before the close frame."""
    payloads: list[bytes] = []
    while (frame := await ws.read_frame()).opcode is not WSMsgType.CLOSE:
        payloads.append(frame.payload)
    return payloads


async def flooding_client(port: int, ready: asyncio.Barrier, tls: ssl.SSLContext | None = None) -> list[bytes]:
    """Flood the server until its close frame arrives, complete the closing handshake, and return the payloads.

    The client passes the barrier once unread data has accumulated.
    """
    async with raw_websocket(port, tls) as ws:
        at_full_speed = asyncio.Event()
        sending = asyncio.create_task(flood(ws, at_full_speed))
        try:
            await at_full_speed.wait()
            await ready.wait()
            payloads = await read_until_closed(ws)
        finally:
            sending.cancel()
            await asyncio.wait({sending})
        ws.write_frame(WSMsgType.CLOSE, b"\x03\xe8")
        assert await ws.read_to_end() == b""  # a connection reset would discard unread frames
        return payloads


@pytest.mark.usefixtures("long_close_timeout")
async def test_flooding_clients_receive_going_away_from_a_stopping_server(tmp_path: Path) -> None:
    for attempt in range(SHUTDOWN_REPETITIONS):
        async with stoppable_server(tmp_path, rate_limit="off") as server:
            ready = asyncio.Barrier(FLOODING_CLIENTS + 1)
            clients = [asyncio.create_task(flooding_client(server.port, ready)) for _ in range(FLOODING_CLIENTS)]
            await ready.wait()
            server.stop.set()
            for payloads in await asyncio.gather(*clients):
                assert any(payload.startswith(b'42["goingAway",') for payload in payloads), attempt


async def test_flooding_tls_clients_receive_going_away_after_sigterm(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    tls_context = ssl.create_default_context()
    authority.configure_trust(tls_context)  # pyright: ignore[reportUnknownMemberType]
    flags = ("--rate-limit", "off", "--tls-cert", str(chain), "--tls-key", str(key))
    async with server_process(tmp_path, *flags) as server:
        ready = asyncio.Barrier(FLOODING_CLIENTS + 1)
        clients = [
            asyncio.create_task(flooding_client(server.port, ready, tls_context)) for _ in range(FLOODING_CLIENTS)
        ]
        await ready.wait()
        server.send_signal(signal.SIGTERM)
        for payloads in await asyncio.gather(*clients):
            assert any(payload.startswith(b'42["goingAway",') for payload in payloads)
        code, errors = await server.wait_closed()
    assert (code, "Traceback" in errors) == (0, False)


@pytest.mark.usefixtures("long_close_timeout")
async def test_a_flooding_client_receives_the_close_frame_after_an_invalid_packet(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_websocket(server.port) as ws:
        at_full_speed = asyncio.Event()
        sending = asyncio.create_task(flood(ws, at_full_speed))
        await at_full_speed.wait()
        ws.write_text_frames("abc")
        payloads = await read_until_closed(ws)
        assert any(payload.startswith(b"40{") for payload in payloads)
        sending.cancel()
        await asyncio.wait({sending})
        ws.write_frame(WSMsgType.CLOSE, b"\x03\xe8")
        assert await ws.read_to_end() == b""


async def test_readiness_fails_once_going_away_is_sent(tmp_path: Path) -> None:
    async with stoppable_server(tmp_path) as server, raw_websocket(server.port) as ws, ClientSession() as balancer:
        ready_url = f"http://127.0.0.1:{server.port}/ready"
        ws.write_text_frames("40")
        assert (await ws.read_frame()).payload.startswith(b"0{")
        assert (await ws.read_frame()).payload.startswith(b"40{")
        async with balancer.get(ready_url) as response:
            assert response.status == 200
        server.stop.set()
        assert (await ws.read_frame()).payload.startswith(b'42["goingAway",')
        async with balancer.get(ready_url) as response:
            assert (response.status, (await response.json())["detail"]) == (503, "the server is stopping")
        assert await read_until_closed(ws) == []  # the readiness response precedes the close frame
        ws.write_frame(WSMsgType.CLOSE, b"\x03\xe8")


async def test_a_draining_server_is_not_ready_and_accepts_clients_until_a_second_signal(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--drain", "600") as server, ClientSession() as balancer:
        server.send_signal(signal.SIGTERM)
        async with asyncio.timeout(TIMEOUT):
            while True:
                async with balancer.get(server.url + "/ready") as response:
                    if response.status == 503:
                        break
        async with raw_client(server.url) as new_client:
            await new_client.join("tea", "ann")
            assert (await new_client.request("sendMessage", {"room": "tea", "message": "still here"}))["ok"]
            server.send_signal(signal.SIGTERM)
            assert (await new_client.wait_for_push("goingAway"))["reconnectAfter"] > 0
            await new_client.wait_closed()
        code, errors = await server.wait_closed()
    assert (code, "shutdown in 600 seconds" in errors) == (0, True)


async def test_a_client_that_never_closes_is_aborted_at_a_shutdown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chat.engineio")
    async with stoppable_server(tmp_path, rate_limit="off") as server, raw_websocket(server.port) as ws:
        at_full_speed = asyncio.Event()
        sending = asyncio.create_task(flood(ws, at_full_speed))
        await at_full_speed.wait()
        server.stop.set()
        async with asyncio.timeout(TIMEOUT):
            await server.task
        sending.cancel()
        await asyncio.wait({sending})
    assert "aborting connection from 127.0.0.1: server shutdown" in caplog.messages
