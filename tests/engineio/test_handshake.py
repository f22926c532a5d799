"""Opening of sessions (Engine.IO protocol v4, "Handshake", "Query parameters")."""

import json
import logging
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from server.app import RunningServer
from server.observability.rejection_log import MAX_HINTS
from tests.support.in_process_server import running_server
from tests.support.polling_client import PollingClient, polling_client
from tests.support.raw_client import RawClient, raw_client

UNKNOWN_TRANSPORT, UNKNOWN_SESSION, BAD_METHOD, BAD_REQUEST, UNSUPPORTED_VERSION = 0, 1, 2, 3, 5
"""Error codes of the reference implementation of Engine.IO."""

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def test_a_polling_handshake_contains_all_parameters(server: RunningServer) -> None:
    async with polling_client(server.url, with_handshake=False) as client:
        response = await client.request("GET", {"EIO": "4", "transport": "polling"})
    assert (response.status, response.content_type) == (200, "text/plain; charset=utf-8")
    assert response.body.startswith("0")
    handshake = json.loads(response.body[1:])
    assert isinstance(handshake.pop("sid"), str)
    assert handshake == {"upgrades": ["websocket"], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 65_536}


async def test_a_websocket_handshake_offers_no_upgrades(websocket: RawClient) -> None:
    handshake = dict(websocket.handshake)
    assert isinstance(handshake.pop("sid"), str)
    assert handshake == {"upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 65_536}


async def test_ping_intervals_are_sent_in_milliseconds(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, ping_interval=0.3, ping_timeout=0.2) as server,
        polling_client(server.url) as polling,
        raw_client(server.url) as websocket,
    ):
        for handshake in (polling.handshake, websocket.handshake):
            assert (handshake["pingInterval"], handshake["pingTimeout"]) == (300, 200)


async def test_session_ids_are_unique(server: RunningServer) -> None:
    ids: set[str] = set()
    async with polling_client(server.url, with_handshake=False) as client:
        for _ in range(20):
            await client.open_session()
            ids.add(client.handshake["sid"])
    assert len(ids) == 20


INVALID_HANDSHAKES: list[tuple[str, dict[str, str], int]] = [
    ("GET", {}, UNKNOWN_TRANSPORT),
    ("GET", {"EIO": "4"}, UNKNOWN_TRANSPORT),
    ("GET", {"EIO": "4", "transport": ""}, UNKNOWN_TRANSPORT),
    ("GET", {"EIO": "4", "transport": "abc"}, UNKNOWN_TRANSPORT),
    ("GET", {"EIO": "4", "transport": "constructor"}, UNKNOWN_TRANSPORT),
    ("GET", {"EIO": "4", "transport": "webtransport"}, UNKNOWN_TRANSPORT),
    ("GET", {"transport": "polling"}, UNSUPPORTED_VERSION),
    ("GET", {"EIO": "abc", "transport": "polling"}, UNSUPPORTED_VERSION),
    ("GET", {"EIO": "3", "transport": "polling"}, UNSUPPORTED_VERSION),
    ("GET", {"EIO": "5", "transport": "polling"}, UNSUPPORTED_VERSION),
    ("GET", {"EIO": "", "transport": "polling"}, UNSUPPORTED_VERSION),
    ("POST", {"EIO": "4", "transport": "polling"}, BAD_METHOD),
    ("PUT", {"EIO": "4", "transport": "polling"}, BAD_METHOD),
    ("DELETE", {"EIO": "4", "transport": "polling"}, BAD_METHOD),
    ("PATCH", {"EIO": "4", "transport": "polling"}, BAD_METHOD),
    ("GET", {"EIO": "4", "transport": "polling", "sid": "nobody"}, UNKNOWN_SESSION),
    ("POST", {"EIO": "4", "transport": "polling", "sid": "nobody"}, UNKNOWN_SESSION),
    ("GET", {"EIO": "4", "transport": "polling", "sid": ""}, UNKNOWN_SESSION),
    ("GET", {"EIO": "4", "transport": "websocket"}, BAD_REQUEST),
    ("POST", {"EIO": "4", "transport": "websocket"}, BAD_METHOD),
    ("GET", {"EIO": "4", "transport": "polling", "j": "0"}, BAD_REQUEST),
]
"""Method, query parameters and expected error code."""


async def test_an_invalid_request_without_an_upgrade_returns_its_error_code(server: RunningServer) -> None:
    async with polling_client(server.url, with_handshake=False) as client:
        for method, query, code in INVALID_HANDSHAKES:
            response = await client.request(method, query)
            assert (response.error, response.content_type) == ((400, code), "application/json"), (method, query)


async def test_a_head_request_is_rejected(server: RunningServer) -> None:
    async with polling_client(server.url, with_handshake=False) as client:
        response = await client.request("HEAD", {"EIO": "4", "transport": "polling"})
        assert response.status == 400


async def test_an_invalid_websocket_handshake_is_rejected(server: RunningServer) -> None:
    async with ClientSession() as session:
        for query in (
            "transport=websocket",
            "EIO=abc&transport=websocket",
            "EIO=3&transport=websocket",
            "EIO=4",
            "EIO=4&transport=abc",
            "EIO=4&transport=polling",
            "EIO=4&transport=websocket&sid=nobody",
            "EIO=4&transport=websocket&j=1",
        ):
            with pytest.raises(WSServerHandshakeError) as error:
                await session.ws_connect(f"{server.url.replace('http', 'ws', 1)}/socket.io/?{query}")
            assert error.value.status == 400, query


@pytest.mark.parametrize("missing", ["Sec-WebSocket-Key", "Sec-WebSocket-Version", "Connection"])
async def test_an_incomplete_websocket_handshake_is_rejected_and_leaves_no_session(
    server: RunningServer, missing: str
) -> None:
    headers = {name: value for name, value in UPGRADE.items() if name != missing}
    async with polling_client(server.url, with_handshake=False) as client:
        response = await client.request("GET", {"EIO": "4", "transport": "websocket"}, headers=headers)
        assert response.status == 400
    async with ClientSession() as session, session.get(f"{server.url}/metrics") as metrics:
        assert "chat_connections 0.0" in await metrics.text()


async def test_errors_and_preflights_for_an_allowed_origin_have_cors_headers(tmp_path: Path) -> None:
    origin = "https://friend.example"
    async with running_server(tmp_path, cors_origin=(origin,)) as server, ClientSession() as session:
        endpoint = f"{server.url}/socket.io/"
        async with session.get(endpoint, params={"EIO": "4"}, headers={"Origin": origin}) as rejected:
            assert (rejected.status, rejected.headers["Access-Control-Allow-Origin"]) == (400, origin)
        parameters = {"EIO": "4", "transport": "websocket"}
        handshake_headers = {"Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket"}
        async with session.get(endpoint, params=parameters, headers=handshake_headers) as incomplete:
            assert (incomplete.status, incomplete.headers["Access-Control-Allow-Origin"]) == (400, origin)
        preflight_headers = {"Origin": origin, "Access-Control-Request-Headers": "x-mine"}
        async with session.options(endpoint, headers=preflight_headers) as preflight:
            assert preflight.status == 200
            assert preflight.headers["Access-Control-Allow-Methods"] == "OPTIONS, GET, POST"
            assert preflight.headers["Access-Control-Allow-Headers"] == "x-mine"


async def test_rejection_hints_are_deduplicated_and_limited(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chat.rejections")
    async with polling_client(server.url, with_handshake=False) as client:
        for _ in range(3):
            await client.request("GET", {"EIO": "3", "transport": "polling"})
            headers = {"Origin": "http://localhost:5500"}
            assert (await client.request("GET", {"EIO": "4", "transport": "polling"}, headers=headers)).status == 400
        await client.request("GET", {}, headers={"Origin": "http://[2001:db8::1]:5500"})
        for number in range(200):
            await client.request("GET", {}, headers={"Origin": f"http://{number}.example"})
    hints = caplog.messages
    assert sum("add --cors-origin http://localhost:5500" in hint for hint in hints) == 1
    assert sum("add --cors-origin 'http://[2001:db8::1]:5500'" in hint for hint in hints) == 1
    assert sum("Socket.IO 2 or older rejected (EIO=3)" in hint for hint in hints) == 1
    assert len(hints) == MAX_HINTS


async def test_an_unsupported_method_does_not_end_a_session(polling: PollingClient) -> None:
    assert (await polling.request("PUT", polling.session_query)).error == (400, BAD_REQUEST)
    await polling.connect_namespace()
