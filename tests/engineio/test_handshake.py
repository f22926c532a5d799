"""How a session begins, and what does not begin one (Engine.IO protocol v4, "Handshake", "Query parameters")."""

import json
import logging
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.polling_client import PollingClient, polling_client
from tests.support.raw_client import RawClient, raw_client

UNKNOWN_TRANSPORT, UNKNOWN_SESSION, BAD_METHOD, BAD_REQUEST, BAD_VERSION = 0, 1, 2, 3, 5

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def test_a_session_by_polling_opens_with_what_the_client_has_to_know(server: RunningServer) -> None:
    async with polling_client(server.url, with_handshake=False) as client:
        answer = await client.request("GET", {"EIO": "4", "transport": "polling"})
    assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.body.startswith("0")
    opening = json.loads(answer.body[1:])
    assert isinstance(opening.pop("sid"), str)
    assert opening == {"upgrades": ["websocket"], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 65_536}


async def test_a_session_over_a_websocket_has_nothing_to_upgrade_to(websocket: RawClient) -> None:
    opening = dict(websocket.handshake)
    assert isinstance(opening.pop("sid"), str)
    assert opening == {"upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 65_536}


async def test_a_ping_interval_below_a_second_is_told_in_milliseconds(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, ping_interval=0.3, ping_timeout=0.2) as server,
        polling_client(server.url) as polling,
        raw_client(server.url) as websocket,
    ):
        for opening in (polling.handshake, websocket.handshake):
            assert (opening["pingInterval"], opening["pingTimeout"]) == (300, 200)


async def test_no_two_sessions_have_the_same_id(server: RunningServer) -> None:
    seen: set[str] = set()
    async with polling_client(server.url, with_handshake=False) as client:
        for _ in range(20):
            await client.open_session()
            seen.add(client.handshake["sid"])
    assert len(seen) == 20


@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("GET", {}, UNKNOWN_TRANSPORT),
        ("GET", {"EIO": "4"}, UNKNOWN_TRANSPORT),
        ("GET", {"EIO": "4", "transport": ""}, UNKNOWN_TRANSPORT),
        ("GET", {"EIO": "4", "transport": "abc"}, UNKNOWN_TRANSPORT),
        ("GET", {"EIO": "4", "transport": "constructor"}, UNKNOWN_TRANSPORT),
        ("GET", {"EIO": "4", "transport": "webtransport"}, UNKNOWN_TRANSPORT),
        ("GET", {"transport": "polling"}, BAD_VERSION),
        ("GET", {"EIO": "abc", "transport": "polling"}, BAD_VERSION),
        ("GET", {"EIO": "3", "transport": "polling"}, BAD_VERSION),
        ("GET", {"EIO": "5", "transport": "polling"}, BAD_VERSION),
        ("GET", {"EIO": "", "transport": "polling"}, BAD_VERSION),
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
    ],
)
async def test_a_request_that_cannot_begin_a_session_says_why(
    server: RunningServer, method: str, query: dict[str, str], code: int
) -> None:
    async with polling_client(server.url, with_handshake=False) as client:
        answer = await client.request(method, query)
        assert (answer.error, answer.content_type) == ((400, code), "application/json")


async def test_a_head_request_begins_no_session(server: RunningServer) -> None:
    async with polling_client(server.url, with_handshake=False) as client:
        answer = await client.request("HEAD", {"EIO": "4", "transport": "polling"})
        assert answer.status == 400


@pytest.mark.parametrize(
    "query",
    [
        "transport=websocket",
        "EIO=abc&transport=websocket",
        "EIO=3&transport=websocket",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=4&transport=polling",
        "EIO=4&transport=websocket&sid=nobody",
        "EIO=4&transport=websocket&j=1",
    ],
)
async def test_a_websocket_that_cannot_begin_a_session_is_not_opened(server: RunningServer, query: str) -> None:
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError) as refusal:
            await session.ws_connect(f"{server.url.replace('http', 'ws', 1)}/socket.io/?{query}")
    assert refusal.value.status == 400


@pytest.mark.parametrize("missing", ["Sec-WebSocket-Key", "Sec-WebSocket-Version", "Connection"])
async def test_a_websocket_handshake_that_is_not_whole_is_refused_and_leaves_nothing(
    server: RunningServer, missing: str
) -> None:
    headers = {name: value for name, value in UPGRADE.items() if name != missing}
    async with polling_client(server.url, with_handshake=False) as client:
        answer = await client.request("GET", {"EIO": "4", "transport": "websocket"}, headers=headers)
        assert answer.status == 400
    async with ClientSession() as session, session.get(f"{server.url}/metrics") as metrics:
        assert "chat_connections 0.0" in await metrics.text()


async def test_the_refusal_of_a_listed_origin_can_be_read_by_its_page(tmp_path: Path) -> None:
    page = "https://friend.example"
    async with running_server(tmp_path, cors_origin=(page,)) as server, ClientSession() as session:
        endpoint = f"{server.url}/socket.io/"
        async with session.get(endpoint, params={"EIO": "4"}, headers={"Origin": page}) as refused:
            assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (400, page)
        wanted = {"Origin": page, "Access-Control-Request-Headers": "x-mine"}
        async with session.options(endpoint, headers=wanted) as preflight:
            assert preflight.status == 200
            assert preflight.headers["Access-Control-Allow-Methods"] == "OPTIONS, GET, POST"
            assert preflight.headers["Access-Control-Allow-Headers"] == "x-mine"


async def test_whoever_runs_the_server_is_told_once_why_a_page_cannot_connect(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chat.hints")
    async with polling_client(server.url, with_handshake=False) as client:
        for _ in range(3):
            await client.request("GET", {"EIO": "3", "transport": "polling"})
            foreign = {"Origin": "http://localhost:5500"}
            assert (await client.request("GET", {"EIO": "4", "transport": "polling"}, headers=foreign)).status == 400
        for number in range(200):
            await client.request("GET", {}, headers={"Origin": f"http://{number}.example"})
    hints = caplog.messages
    assert sum("--cors-origin http://localhost:5500 lets" in hint for hint in hints) == 1
    assert sum("Socket.IO 2 or older was refused (EIO=3)" in hint for hint in hints) == 1
    assert len(hints) <= 60


async def test_a_method_that_no_session_knows_leaves_it_alone(polling: PollingClient) -> None:
    assert (await polling.request("PUT", polling.session_query)).error == (400, BAD_REQUEST)
    await polling.connect_namespace()
