"""What the server says last is heard, whatever the client is doing (RFC 6455, section 7; WIRE, `goingAway`)."""

import asyncio
import signal
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from aiohttp import ClientSession, WSMsgType

from tests.support.in_process_server import running_server
from tests.support.raw_client import TIMEOUT, raw_client
from tests.support.raw_websocket import RawWebSocket, raw_websocket
from tests.support.server_process import server_process

FLOODING = 6
"""Clients at a time."""

STOPS = 5

PACKET = "6" + "-" * 32_000
"""What they flood with: a NOOP with something behind it, which costs the server little and asks for nothing."""


@dataclass(frozen=True)
class Stoppable:
    """A server that runs until `stop` is set."""

    port: int
    stop: asyncio.Event
    running: "asyncio.Task[None]"


@asynccontextmanager
async def stoppable(folder: Path) -> AsyncGenerator[Stoppable]:
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve_until_told() -> None:
        async with running_server(folder, rate_limit="off") as server:
            port.set_result(server.port)
            await stop.wait()

    running = asyncio.create_task(serve_until_told())
    yield Stoppable(await port, stop, running)
    stop.set()
    await running


async def flood(ws: RawWebSocket, at_full_speed: asyncio.Event) -> None:
    """Send without a pause; more is on its way than the server has read, from the event on."""
    ws.write_text_frames("40", '42["joinRoom",{"roomName":"tea","nickName":"ann"}]')
    rounds = 0
    while not ws.writer.is_closing():
        ws.write_text_frames(*[PACKET] * 8)
        await ws.writer.drain()
        rounds += 1
        if rounds == 20:
            at_full_speed.set()


async def read_until_closed(ws: RawWebSocket) -> list[bytes]:
    """What comes before the server's close frame."""
    heard: list[bytes] = []
    while (frame := await ws.read_frame()).opcode is not WSMsgType.CLOSE:
        heard.append(frame.payload)
    return heard


async def flooding_client(port: int, ready: asyncio.Barrier, tls: ssl.SSLContext | None = None) -> list[bytes]:
    """Floods until it has read a close frame, answers that, and reads the end of the stream."""
    async with raw_websocket(port, tls) as ws:
        at_full_speed = asyncio.Event()
        sending = asyncio.create_task(flood(ws, at_full_speed))
        try:
            await at_full_speed.wait()
            await ready.wait()
            heard = await read_until_closed(ws)
        finally:
            sending.cancel()
            await asyncio.wait({sending})
        ws.write_frame(WSMsgType.CLOSE, b"\x03\xe8")
        assert await ws.read_to_end() == b""  # not reset, which would take with it what was not read yet
        return heard


async def test_clients_that_flood_a_stopping_server_read_the_goodbye(tmp_path: Path) -> None:
    for attempt in range(STOPS):
        async with stoppable(tmp_path) as server:
            ready = asyncio.Barrier(FLOODING + 1)
            clients = [asyncio.create_task(flooding_client(server.port, ready)) for _ in range(FLOODING)]
            await ready.wait()
            server.stop.set()
            for heard in await asyncio.gather(*clients):
                assert any(payload.startswith(b'42["goingAway",') for payload in heard), attempt


async def test_clients_that_flood_a_process_that_is_told_to_end_read_the_goodbye_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    trust = ssl.create_default_context()
    authority.configure_trust(trust)  # pyright: ignore[reportUnknownMemberType]
    flags = ("--rate-limit", "off", "--tls-cert", str(chain), "--tls-key", str(key))
    async with server_process(tmp_path, *flags) as server:
        ready = asyncio.Barrier(FLOODING + 1)
        clients = [asyncio.create_task(flooding_client(server.port, ready, trust)) for _ in range(FLOODING)]
        await ready.wait()
        server.send_signal(signal.SIGTERM)
        for heard in await asyncio.gather(*clients):
            assert any(payload.startswith(b'42["goingAway",') for payload in heard)
        code, errors = await server.wait_closed()
    assert (code, "Traceback" in errors) == (0, False)


async def test_a_client_that_floods_after_a_mistake_reads_the_close(tmp_path: Path) -> None:
    async with stoppable(tmp_path) as server, raw_websocket(server.port) as ws:
        at_full_speed = asyncio.Event()
        sending = asyncio.create_task(flood(ws, at_full_speed))
        await at_full_speed.wait()
        ws.write_text_frames("abc")
        heard = await read_until_closed(ws)
        assert any(payload.startswith(b"40{") for payload in heard)
        sending.cancel()
        await asyncio.wait({sending})
        ws.write_frame(WSMsgType.CLOSE, b"\x03\xe8")
        assert await ws.read_to_end() == b""


async def test_a_stopping_server_is_not_ready_from_the_goodbye_on(tmp_path: Path) -> None:
    async with stoppable(tmp_path) as server, raw_websocket(server.port) as ws, ClientSession() as balancer:
        ready = f"http://127.0.0.1:{server.port}/ready"
        ws.write_text_frames("40")
        assert (await ws.read_frame()).payload.startswith(b"0{")
        assert (await ws.read_frame()).payload.startswith(b"40{")
        async with balancer.get(ready) as answer:
            assert answer.status == 200
        server.stop.set()
        assert (await ws.read_frame()).payload.startswith(b'42["goingAway",')
        async with balancer.get(ready) as answer:
            assert (answer.status, (await answer.json())["detail"]) == (503, "the server is stopping")
        assert await read_until_closed(ws) == []  # the answer came before the end of those who are there
        ws.write_frame(WSMsgType.CLOSE, b"\x03\xe8")


async def test_a_server_that_drains_is_not_ready_and_takes_everybody_until_told_again(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--drain", "600") as server, ClientSession() as balancer:
        server.send_signal(signal.SIGTERM)
        async with asyncio.timeout(TIMEOUT):
            while True:
                async with balancer.get(server.url + "/ready") as answer:
                    if answer.status == 503:
                        break
        async with raw_client(server.url) as late:
            await late.join("tea", "ann")
            assert (await late.request("sendMessage", {"room": "tea", "message": "still here"}))["ok"]
            server.send_signal(signal.SIGTERM)
            assert (await late.wait_for_push("goingAway"))["reconnectAfter"] > 0
            await late.wait_closed()
        code, errors = await server.wait_closed()
    assert (code, "stopping in 600 seconds" in errors) == (0, True)


async def test_a_flood_that_never_closes_does_not_keep_a_server_from_stopping(tmp_path: Path) -> None:
    async with stoppable(tmp_path) as server, raw_websocket(server.port) as ws:
        at_full_speed = asyncio.Event()
        sending = asyncio.create_task(flood(ws, at_full_speed))
        await at_full_speed.wait()
        server.stop.set()
        async with asyncio.timeout(5):  # what a stop may take in all
            await server.running
        sending.cancel()
        await asyncio.wait({sending})
