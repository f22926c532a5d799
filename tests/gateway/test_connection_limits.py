"""Timeouts, origins, address limits and malformed HTTP requests of connections."""

import asyncio
import re
import signal
from pathlib import Path

import aiohttp
import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.server_process import server_process


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


async def test_compression_is_not_negotiated(server: RunningServer) -> None:
    async with raw_client(server.url, compress=15) as client:
        assert client.ws.compress == 0


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
