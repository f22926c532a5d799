"""Idle timeout, origins, address limits and malformed HTTP requests of connections."""

import asyncio
import re
import signal
from pathlib import Path

import aiohttp
import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.raw_websocket import encode_text_frames, raw_websocket
from tests.support.server_process import server_process
from tests.support.wait import TIMEOUT


async def test_only_tcp_connections_without_a_complete_request_are_closed_as_idle(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, connect_timeout=0.5) as server,
        raw_websocket(server.port, first_frames=encode_text_frames("40")) as session,
    ):
        for request_start in (b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(request_start)
            async with asyncio.timeout(TIMEOUT):
                assert await reader.read() == b""
            writer.close()
        session.write_text_frames('420["listRooms",{}]')
        while not (await session.read_frame()).payload.startswith(b"430["):
            pass


async def test_compression_is_not_negotiated(server: RunningServer) -> None:
    async with raw_client(server.url, compress=15) as client:
        assert client.ws.compress == 0


async def test_only_own_and_listed_origins_may_connect(tmp_path: Path) -> None:
    listed = ("http://Friend.example:80/", "https://other.example:8443")
    async with running_server(tmp_path, cors_origin=listed) as server:
        cases: list[tuple[dict[str, str], int]] = [
            ({}, 101),
            ({"Origin": server.url}, 101),
            ({"Origin": f"http://localhost:{server.port}"}, 101),  # another name of the same server
            ({"Origin": f"http://[::1]:{server.port}"}, 101),
            ({"Origin": f"https://localhost:{server.port}"}, 400),
            ({"Origin": "http://localhost:1"}, 400),
            ({"Origin": "http://localhost"}, 400),
            ({"Origin": "http://localhost:x"}, 400),
            ({"Origin": f"http://localhost.evil.example:{server.port}"}, 400),
            ({"Origin": "https://evil.example"}, 400),
            ({"Origin": "null"}, 400),
            ({"Origin": "http://friend.example"}, 101),
            ({"Origin": "https://other.example:8443"}, 101),
            ({"Origin": "https://other.example"}, 400),
            ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}, 400),
        ]
        for headers, status in cases:
            try:
                async with raw_client(server.url, headers=headers):
                    actual_status = 101
            except aiohttp.WSServerHandshakeError as error:
                actual_status = error.status
            assert actual_status == status, headers


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
            async with asyncio.timeout(TIMEOUT):
                assert (await reader.readline()).startswith((b"HTTP/1.0 4", b"HTTP/1.1 4")), malformed
            writer.close()
        server.send_signal(signal.SIGTERM)
        code, errors = await server.wait_closed()
    assert (code, "Traceback" in errors) == (0, False), errors
    [first, report] = [line for line in errors.splitlines() if "malformed HTTP request from 127.0.0.1: " in line]
    assert "more such lines" not in first
    assert re.search(r"\([0-9]+ more such lines in the last minute\)$", report)
