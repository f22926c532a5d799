"""Main cases of the public conformance suites against the server of `tests.support.conformance_server`."""

import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from server.engineio.options import EngineIOOptions
from tests.support.conformance_server import OPTIONS, serve_conformance
from tests.support.wait import TIMEOUT

SEPARATOR = "\x1e"
QUIET_OPTIONS = replace(OPTIONS, ping_interval=600.0, connect_timeout=600.0)


class SuiteClient:
    """Client with the requests of the suites.

    Args:
        session: HTTP session.
        url: URL of the endpoint.
    """

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def request(self, method: str, sid: str | None = None, body: str = "") -> tuple[int, str]:
        """Send a polling request; return the status and the body."""
        query = {"EIO": "4", "transport": "polling"} | ({"sid": sid} if sid else {})
        async with self._session.request(method, self._url, params=query, data=body or None) as response:
            return response.status, await response.text()

    async def open_session(self) -> str:
        """Return the id of a new polling session."""
        status, body = await self.request("GET")
        assert status == 200
        return json.loads(body[1:])["sid"]

    async def open_websocket(self, sid: str | None = None) -> ClientWebSocketResponse:
        """Open a WebSocket, and read the handshake of a new session."""
        query = {"EIO": "4", "transport": "websocket"} | ({"sid": sid} if sid else {})
        ws = await self._session.ws_connect(self._url, params=query)
        if sid is None:
            assert (await ws.receive_str()).startswith("0{")
        return ws


@asynccontextmanager
async def engineio_client(options: EngineIOOptions) -> AsyncGenerator[SuiteClient]:
    """Yield a client of a new server for `engineio`."""
    async with serve_conformance("engineio", options=options) as url, ClientSession() as session:
        yield SuiteClient(session, url)


@pytest.fixture
async def engineio() -> AsyncGenerator[SuiteClient]:
    """Client of a server for `engineio` that sends no pings."""
    async with engineio_client(QUIET_OPTIONS) as client:
        yield client


@pytest.fixture
async def socketio() -> AsyncGenerator[ClientWebSocketResponse]:
    """WebSocket after the handshake with a server for `socketio` that sends no pings."""
    async with serve_conformance("socketio", options=QUIET_OPTIONS) as url, ClientSession() as session:
        yield await SuiteClient(session, url).open_websocket()


async def receive_packet(ws: ClientWebSocketResponse) -> str:
    """Return the next packet."""
    return await ws.receive_str(timeout=TIMEOUT)


async def is_closed(ws: ClientWebSocketResponse) -> bool:
    """Return whether the next frame is a close frame."""
    return (await ws.receive(timeout=TIMEOUT)).type is WSMsgType.CLOSE


async def test_the_handshake_announces_the_values_of_the_suites() -> None:
    async with engineio_client(OPTIONS) as engineio:
        status, body = await engineio.request("GET")
    handshake = json.loads(body[1:])
    assert status == 200
    assert handshake.pop("sid")
    assert handshake == {"upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000}


async def test_polling_echoes_all_packets_of_a_payload(engineio: SuiteClient) -> None:
    sid = await engineio.open_session()
    assert await engineio.request("POST", sid, SEPARATOR.join(["4test1", "4test2"])) == (200, "ok")
    assert await engineio.request("GET", sid) == (200, SEPARATOR.join(["4test1", "4test2"]))


@pytest.mark.parametrize("body", ["abc", "4hello" + SEPARATOR + "bAQIDBA=="])
async def test_an_invalid_or_binary_payload_is_rejected(engineio: SuiteClient, body: str) -> None:
    sid = await engineio.open_session()
    assert (await engineio.request("POST", sid, body))[0] == 400


async def test_polling_receives_pings() -> None:
    async with engineio_client(replace(OPTIONS, ping_timeout=TIMEOUT)) as engineio:
        sid = await engineio.open_session()
        for _ in range(2):
            assert await engineio.request("GET", sid) == (200, "2")
            assert await engineio.request("POST", sid, "3") == (200, "ok")


async def test_a_close_packet_ends_a_polling_session(engineio: SuiteClient) -> None:
    sid = await engineio.open_session()
    assert await engineio.request("POST", sid, "1") == (200, "ok")
    assert (await engineio.request("GET", sid))[0] == 400


async def test_an_upgraded_session_echoes_and_rejects_other_transports(engineio: SuiteClient) -> None:
    sid = await engineio.open_session()
    ws = await engineio.open_websocket(sid)
    await ws.send_str("2probe")
    assert await receive_packet(ws) == "3probe"
    assert await engineio.request("GET", sid) == (200, "6")
    await ws.send_str("5")
    await ws.send_str("4hello")
    assert await receive_packet(ws) == "4hello"
    assert (await engineio.request("GET", sid))[0] == 400
    assert await is_closed(await engineio.open_websocket(sid))
    await ws.send_str("4hello")
    assert await receive_packet(ws) == "4hello"


@pytest.mark.parametrize("packet", ["abc", "1"])
async def test_an_invalid_or_close_packet_closes_the_websocket(engineio: SuiteClient, packet: str) -> None:
    ws = await engineio.open_websocket()
    await ws.send_str(packet)
    assert await is_closed(ws)


async def test_an_event_is_sent_back_and_acknowledged(socketio: ClientWebSocketResponse) -> None:
    await socketio.send_str('40{"token":"123"}')
    assert (await receive_packet(socketio)).startswith('40{"sid":')
    assert await receive_packet(socketio) == '42["auth",{"token":"123"}]'
    await socketio.send_str('42["message",1,"2",{"3":[true]}]')
    assert await receive_packet(socketio) == '42["message-back",1,"2",{"3":[true]}]'
    await socketio.send_str('42456["message-with-ack",1,"2",{"3":[false]}]')
    assert await receive_packet(socketio) == '43456[1,"2",{"3":[false]}]'


@pytest.mark.parametrize("namespace", ["/random", "/custom"])
async def test_other_namespaces_are_invalid(socketio: ClientWebSocketResponse, namespace: str) -> None:
    await socketio.send_str("40" + namespace)
    assert await receive_packet(socketio) == f'44{namespace},{{"message":"Invalid namespace"}}'


@pytest.mark.parametrize("packet", ["4abc", "42{}", '42abc["message-with-ack",1]'])
async def test_an_invalid_socketio_packet_closes_the_connection(socketio: ClientWebSocketResponse, packet: str) -> None:
    await socketio.send_str("40")
    assert (await receive_packet(socketio)).startswith("40{")
    assert (await receive_packet(socketio)).startswith('42["auth"')
    await socketio.send_str(packet)
    assert await is_closed(socketio)


@pytest.mark.parametrize(("protocol", "path"), [("engineio", "/engine.io/"), ("socketio", "/socket.io/")])
def test_the_command_prints_its_url(protocol: str, path: str) -> None:
    command = [sys.executable, "-m", "tests.support.conformance_server", protocol, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        process.kill()
    assert url.startswith("http://localhost:")
    assert url.endswith(path)
