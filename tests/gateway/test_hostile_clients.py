"""Attacks by clients: each fails, logs at most one line and leaves other clients unaffected."""

import asyncio
import json
import logging
import re
import signal
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.polling_client import polling_client
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process
from tui_chat.protocol.limits import REACTION_NAMES, REACTIONS_PER_MESSAGE

REACTING_MEMBERS = 32
SEND_QUEUE_BYTES = 200_000  # less than the names of all members at `REACTIONS_PER_MESSAGE` emoji


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
async def bystander(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Return a client that exchanges messages before and after the attack."""
    async with raw_client(server.url) as client:
        await client.join("tea", "bystander")
        assert (await client.request("sendMessage", {"room": "tea", "message": "before"}))["seq"] == 1
        yield client
        assert (await client.request("sendMessage", {"room": "tea", "message": "after"}))["ok"]
        page = await client.request("history", {"room": "tea", "after": 0})
        texts = [entry["message"] for entry in page["messages"]]
        assert (texts[0], texts[-1]) == ("before", "after")


def log_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("chat")]


def assert_at_most_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    """Fail on a traceback or on more than one log line."""
    assert not [record for record in caplog.records if record.exc_info]
    assert len(log_lines(caplog)) <= 1, log_lines(caplog)


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "error", "*", "__disconnect_final"])
async def test_reserved_event_names_are_rejected(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        first = await mallory.join("tea", "mallory")
        response = await mallory.request(name, {"sid": "x"}, "forged")
        assert response["error"]["code"] == "bad_request"
        second = await mallory.join("tea", "mallory")
        assert second["memberId"] == first["memberId"]
        assert {member["nickName"] for member in second["members"]} == {"bystander", "mallory"}
        assert_at_most_one_log_line(caplog)


@pytest.mark.parametrize(
    "packet",
    [
        '451-["sendMessage",{"_placeholder":true,"num":0}]',
        '4599999999-["sendMessage"]',
        '4610-["x"]',
        '461-1["x"]',
        "b4AAAA",
        "",
        "9",
        "4",
        "47",
        "44{}",
        "42",
        "42[]",
        "42[1]",
        "42{}",
        '42["typing"',
        "42" + "[" * 1000 + "]" * 1000,
        "42" + "[" * 30000,
        "42" + "1" * 17 + '["typing",{}]',
        '42/other,["typing",{}]',
        "40/other\udc80",
        "2",
        "2probe",
        "5",
        "40",
    ],
)
async def test_an_invalid_packet_closes_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture, packet: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        raw = packet.encode("utf-8", "surrogateescape")
        await mallory.ws.send_frame(raw, aiohttp.WSMsgType.TEXT)
        await mallory.wait_closed()
    assert_at_most_one_log_line(caplog)
    assert "tea" not in "".join(log_lines(caplog))
    push = await bystander.wait_for_push("message")
    assert push["kind"] in ("message", "join", "leave")


async def test_a_binary_frame_closes_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.ws.send_bytes(b"\x04hello")
        await mallory.wait_closed()
    assert_at_most_one_log_line(caplog)


async def test_an_oversized_message_closes_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        body = json.dumps(["sendMessage", {"room": "tea", "message": "a" * 10_000_000}])
        with suppress(aiohttp.ClientError, ConnectionError):  # the server may close the connection during the send
            await mallory.ws.send_str("42" + body)
        await mallory.wait_closed()
    assert_at_most_one_log_line(caplog)


@pytest.mark.parametrize(
    ("event", "body", "code"),
    [
        ("joinRoom", [], "bad_request"),
        ("joinRoom", ["tea", "mallory"], "bad_request"),
        ("joinRoom", None, "bad_request"),
        ("joinRoom", {"roomName": None, "nickName": "mallory"}, "bad_request"),
        ("joinRoom", {"roomName": ["tea"], "nickName": "mallory"}, "bad_request"),
        ("joinRoom", {"roomName": "tea", "nickName": "\x1b]52;c;aGk=\x07"}, "nick_invalid"),
        ("joinRoom", {"roomName": "\x9b2J", "nickName": "mallory"}, "room_invalid"),
        ("joinRoom", {"roomName": "tea", "nickName": "m" * 33}, "too_long"),
        ("sendMessage", {"room": "tea", "message": "m" * 4001}, "too_long"),
        ("sendMessage", {"room": "tea", "message": ""}, "bad_request"),
        ("sendMessage", {"room": "coffee", "message": "hi"}, "not_joined"),
        ("sendMessage", {"room": "tea", "message": {"toString": 1}}, "bad_request"),
        ("history", {"room": "coffee", "after": 0}, "not_joined"),
        ("typing", {"room": "tea", "on": 1}, "bad_request"),
        ("nothing", {}, "bad_request"),
    ],
)
@pytest.mark.usefixtures("bystander")
async def test_an_invalid_request_returns_an_error_and_changes_nothing(
    server: RunningServer, caplog: pytest.LogCaptureFixture, event: str, body: Any, code: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        response = await mallory.request(event, body)
        assert (response["ok"], response["error"]["code"]) == (False, code)
        assert (await mallory.request("history", {"room": "tea", "after": 0}))["lastSeq"] == 1
    assert_at_most_one_log_line(caplog)


async def test_deeply_nested_json_is_rejected_or_closes_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for depth in (40, 900, 1000, 5000, 30000):
        async with raw_client(server.url) as mallory:
            await mallory.ws.send_str('421["joinRoom",' + "[" * depth + "]" * depth + "]")
            packet = await mallory.read_packet()
            assert packet is None or json.loads(packet[3:])[0]["error"]["code"] == "bad_request"
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_session_without_a_connect_packet_is_closed(tmp_path: Path) -> None:
    async with running_server(tmp_path, ping_interval=0.3, connect_timeout=0.3) as server:
        async with raw_client(server.url, connect=False) as unconnected:
            await unconnected.wait_closed()
        async with raw_client(server.url, connect=False) as other_namespace:
            await other_namespace.ws.send_str("40/other,")
            assert (await other_namespace.read_packet() or "").startswith("44/other,")
            await other_namespace.wait_closed()


@pytest.mark.parametrize(
    "request_start", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "], ids=["no bytes", "partial header"]
)
async def test_an_idle_tcp_connection_is_closed(tmp_path: Path, request_start: bytes) -> None:
    async with running_server(tmp_path, connect_timeout=0.5) as server, raw_client(server.url) as client:
        await client.join("tea", "ann")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request_start)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        assert (await client.request("sendMessage", {"room": "tea", "message": "still here"}))["ok"]


async def test_a_client_without_pongs_is_closed(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, ping_interval=0.2, ping_timeout=0.4) as server,
        raw_client(server.url) as unresponsive,
        raw_client(server.url) as bystander,
    ):
        await unresponsive.join("tea", "silent")
        joined = await bystander.join("tea", "bystander")
        assert len(joined["members"]) == 2
        presence_task = asyncio.create_task(bystander.wait_for_push("presence"))
        while "silent" not in str(await asyncio.wait_for(unresponsive.ws.receive(), 10)) and not unresponsive.ws.closed:
            pass  # read without sending pongs
        await presence_task
        while (push := await bystander.wait_for_push("message"))["kind"] != "leave":
            pass
        assert push["nickName"] == "silent"


async def test_too_many_invalid_requests_close_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        for _ in range(40):
            await mallory.ws.send_str('42["nothing",{}]')
        await mallory.wait_closed()
    assert_at_most_one_log_line(caplog)


async def test_events_of_one_client_are_handled_in_order(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        for number in range(300):
            await ann.ws.send_str(f'42{1000 + number}["sendMessage",{{"room":"tea","message":"{number}"}}]')
        seqs = [(await ann.read_response(1000 + number))["seq"] for number in range(300)]
        assert seqs == list(range(1, 301))
        page = await ann.request("history", {"room": "tea", "after": 100, "limit": 200})
        assert [int(entry["message"]) for entry in page["messages"]] == list(range(100, 300))


async def test_the_acknowledgement_of_a_message_precedes_its_push(server: RunningServer) -> None:
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        await ann.wait_for_push("message")
        await ann.ws.send_str('42900["sendMessage",{"room":"tea","message":"hi"}]')
        packets = [await ann.read_packet() for _ in range(3)]
        kinds = [packet[:4] for packet in packets if packet and "presence" not in packet]
        assert kinds == ["4390", '42["']


async def test_no_push_precedes_the_connect_response(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url, connect=False) as unconnected:
        await bystander.request("sendMessage", {"room": "tea", "message": "hi"})
        await unconnected.ws.send_str("40")
        assert (await unconnected.read_packet() or "").startswith("40{")


async def test_compression_is_not_negotiated(server: RunningServer) -> None:
    async with raw_client(server.url, compress=15) as client:
        assert client.ws.compress == 0


async def test_room_names_do_not_collide_with_session_ids(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url) as mallory:
        bystander_sid = (await bystander.request("listRooms", {}))["rooms"][0]["name"]
        await mallory.join(str(mallory.handshake["sid"]), "mallory")
        await mallory.join("None", "mallory")
        await mallory.request("sendMessage", {"room": "None", "message": "to all?"})
        await bystander.request("sendMessage", {"room": "tea", "message": "marker"})
        while (push := await bystander.wait_for_push("message"))["message"] != "marker":
            assert push["room"] == bystander_sid


async def test_a_nickname_in_a_message_is_ignored(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        await mallory.request("sendMessage", {"room": "tea", "message": "it was me", "nickName": "bystander"})
        while (push := await bystander.wait_for_push("message"))["message"] != "it was me":
            pass
        assert push["nickName"] == "mallory"


async def test_message_text_is_sanitized(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        await mallory.request("sendMessage", {"room": "tea", "message": "a\x1b]52;c;aGk=\x07b\u202ec\x9bd"})
        while "52" not in (push := await bystander.wait_for_push("message"))["message"]:
            pass
        assert push["message"] == "a]52;c;aGk=bcd"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Origin": "SELF"}, 101),
        ({"Origin": "http://localhost:PORT"}, 101),  # another name of the same server
        ({"Origin": "http://[::1]:PORT"}, 101),
        ({"Origin": "https://localhost:PORT"}, 400),
        ({"Origin": "http://localhost:1"}, 400),
        ({"Origin": "http://localhost"}, 400),
        ({"Origin": "http://localhost:x"}, 400),
        ({"Origin": "http://localhost.evil.example:PORT"}, 400),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Origin": "http://friend.example"}, 101),
        ({"Origin": "https://other.example:8443"}, 101),
        ({"Origin": "https://other.example"}, 400),
        ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}, 400),
    ],
)
async def test_only_own_and_listed_origins_may_connect(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async with running_server(
        tmp_path, cors_origin=("http://Friend.example:80/", "https://other.example:8443")
    ) as server:
        headers = {
            name: value.replace("SELF", server.url).replace("PORT", str(server.port)) for name, value in headers.items()
        }
        try:
            async with raw_client(server.url, headers=headers):
                actual_status = 101
        except aiohttp.WSServerHandshakeError as error:
            actual_status = error.status
        assert actual_status == status


async def test_forwarded_addresses_are_trusted_only_from_a_trusted_proxy(tmp_path: Path) -> None:
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    async with running_server(tmp_path, connections_per_address=2) as server:
        # Without a trusted proxy the header is ignored, and loopback addresses have no limit.
        clients = [raw_client(server.url, headers=forwarded) for _ in range(3)]
        async with clients[0], clients[1], clients[2]:
            pass
    async with running_server(tmp_path, connections_per_address=2, trusted_proxy=("127.0.0.0/8",)) as server:
        async with raw_client(server.url, headers=forwarded), raw_client(server.url, headers=forwarded):
            with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                async with raw_client(server.url, headers=forwarded):
                    pass
            assert error.value.status == 429
            async with raw_client(server.url, headers={"X-Forwarded-For": "192.0.2.8"}):
                pass
        async with raw_client(server.url, headers=forwarded):
            pass  # closed connections are no longer counted


async def test_rate_limited_sends_fail_with_retry_after(server: RunningServer) -> None:
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        responses = [await ann.request("sendMessage", {"room": "tea", "message": str(number)}) for number in range(12)]
        assert [response["ok"] for response in responses[:10]] == [True] * 10
        assert responses[11]["error"]["code"] == "rate_limited"
        assert 0 < responses[11]["error"]["retryAfter"] <= 1


async def test_a_namespace_reconnect_does_not_reset_the_rate_limit(server: RunningServer) -> None:
    async with raw_client(server.url) as mallory:
        accepted = 0
        for _ in range(5):
            await mallory.join("tea", "mallory")
            responses = [await mallory.request("sendMessage", {"room": "tea", "message": "m"}) for _ in range(10)]
            accepted += sum(response["ok"] for response in responses)
            await mallory.ws.send_str("41")
            await mallory.ws.send_str("40")
            while (packet := await mallory.read_packet()) is not None and not packet.startswith("40"):
                pass  # skip earlier pushes
            assert packet is not None
    assert 10 <= accepted < 20


async def test_a_thousand_joins_from_one_connection_are_limited_and_close_it(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, flood_timeout=0.5) as server,
        raw_client(server.url) as bystander,
        raw_client(server.url) as mallory,
    ):
        for number in range(1000):
            await mallory.ws.send_str(f'42{number}["joinRoom",{{"roomName":"r{number}","nickName":"mallory"}}]')
        responses: list[dict[str, Any]] = []
        while (packet := await mallory.read_packet()) is not None:
            if packet.startswith("43"):
                responses.append(json.loads(packet[packet.index("[") :])[0])
        assert {response["error"]["code"] for response in responses if not response["ok"]} <= {
            "rate_limited",
            "bad_request",
        }
        assert sum(response["ok"] for response in responses) < 64
        await bystander.join("tea", "bystander")


async def test_a_client_that_stops_reading_is_closed_and_delays_no_other(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rate_limit="off", max_unsent_bytes=100_000) as server,
        raw_client(server.url) as ann,
        raw_client(server.url) as stalled,
    ):
        await stalled.join("tea", "stalled")
        await ann.join("tea", "ann")
        leave_task = asyncio.create_task(_wait_for_leave(ann))
        body = json.dumps(["sendMessage", {"room": "tea", "message": "x" * 4000}])
        while not leave_task.done():
            await ann.ws.send_str("42" + body)
        assert await leave_task == "stalled"


async def test_reactions_of_many_members_fit_the_send_queue_of_a_slow_reader(tmp_path: Path) -> None:
    reaction = {"room": "tea", "seq": 1, "on": True}
    async with running_server(tmp_path, rate_limit="off", max_unsent_bytes=SEND_QUEUE_BYTES) as server:
        async with raw_client(server.url) as ann:
            await ann.join("tea", "ann")
            await ann.request("sendMessage", {"room": "tea", "message": "popular"})
        for number in range(REACTING_MEMBERS):
            async with raw_client(server.url) as member:
                await member.join("tea", "👩‍💻" * 28 + f" {number}", limit=1)
                for emoji in range(1, REACTIONS_PER_MESSAGE):
                    await member.ws.send_str("42" + json.dumps(["react", {**reaction, "emoji": f"e{emoji}"}]))
                assert (await member.request("react", {**reaction, "emoji": "e0"}))["ok"]
        async with raw_client(server.url) as ann, polling_client(server.url) as slow_reader:
            await ann.join("tea", "ann", limit=1)
            await slow_reader.connect_namespace()
            requests = (
                ("joinRoom", {"roomName": "tea", "nickName": "slow", "limit": 1}),
                ("react", {**reaction, "emoji": "more"}),
                ("history", {"room": "tea", "after": 0, "limit": 1}),
                ("sendMessage", {"room": "tea", "message": "end"}),
            )
            await slow_reader.post(*(f"42{number}{json.dumps(request)}" for number, request in enumerate(requests)))
            while (push := await ann.wait_for_push("message")).get("message") != "end":
                assert push["kind"] != "leave"
            responses: dict[str, Any] = {}
            while "433" not in responses:
                for packet in await slow_reader.receive_packets():
                    if packet.startswith("43"):
                        responses[packet[:3]] = json.loads(packet[3:])[0]
    error = responses["431"]["error"]
    assert (error["reason"], error["params"]) == ("too_many_reactions", {"limit": REACTIONS_PER_MESSAGE})
    (message,) = responses["432"]["messages"]
    counts = {(summary["count"], len(summary["by"])) for summary in message["reactions"].values()}
    assert (len(message["reactions"]), counts) == (REACTIONS_PER_MESSAGE, {(REACTING_MEMBERS, REACTION_NAMES)})


async def _wait_for_leave(client: RawClient) -> str:
    while (push := await client.wait_for_push("message"))["kind"] != "leave":
        pass
    return push["nickName"]


MALFORMED_REQUESTS = (
    b"GARBAGE\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,  # TLS ClientHello
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /socket.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Encoding: br\r\n\r\nabcde",
    b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\nabcde",
)


async def test_malformed_http_requests_log_one_line_and_their_number(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server:
        for malformed in MALFORMED_REQUESTS:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(malformed)
            async with asyncio.timeout(15):
                assert (await reader.readline()).startswith((b"HTTP/1.0 4", b"HTTP/1.1 4")), malformed
            writer.close()
        server.send_signal(signal.SIGTERM)
        code, errors = await server.wait_closed()
    assert (code, "Traceback" in errors) == (0, False), errors
    [first, report] = [line for line in errors.splitlines() if "malformed HTTP request from 127.0.0.1: " in line]
    assert "more such lines" not in first
    assert re.search(r"\([0-9]+ more such lines in the last minute\)$", report)
