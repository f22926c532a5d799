"""Limits of HTTP connections and of requests outside sessions, with real sockets."""

import asyncio
import gc
import resource
import ssl
import zlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import ClientSession

from server.web import http_connections
from tests.support.in_process_server import running_server
from tests.support.polling_client import polling_client
from tests.support.raw_client import raw_client
from tests.support.server_process import server_process
from tests.support.wait import TIMEOUT, wait_until

PROXY = {"trusted_proxy": ("127.0.0.1",)}
POLL = "/socket.io/?EIO=4&transport=polling"


class Connections:
    """TCP connections of a test."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []

    async def open(self, port: int, data: bytes, local_address: str = "127.0.0.1") -> asyncio.StreamReader:
        """Return the reader of a new connection after sending bytes; the connection stays open."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(local_address, 0))
        writer.write(data)
        self.writers.append(writer)
        return reader

    def close(self) -> None:
        """Close all connections."""
        for writer in self.writers:
            writer.close()


@pytest.fixture
async def connections() -> AsyncGenerator[Connections]:
    """Connections that are closed after the test."""
    opened = Connections()
    yield opened
    opened.close()


@pytest.fixture
def limited_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the connections of loopback addresses like those of all others."""

    def is_loopback(_address: str) -> bool:
        return False

    monkeypatch.setattr(http_connections, "is_loopback", is_loopback)


@pytest.fixture
def tls_settings(tmp_path: Path) -> dict[str, str]:
    """Settings with the path of a new certificate and its key, in one file."""
    path = str(tmp_path / "both.pem")
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return {"tls_cert": path, "tls_key": path}


async def test_request_bodies_with_a_content_encoding_are_rejected(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(30_000_000))
    async with running_server(tmp_path) as server, polling_client(server.url) as client:
        for path in ("/", "/nothing", "/health", POLL, f"{POLL}&sid={client.handshake['sid']}"):
            for coding, body in (("deflate", bomb), ("gzip", b"no gzip"), ("br", b"no brotli"), ("identity", b"x")):
                async with (
                    ClientSession() as session,
                    session.post(server.url + path, data=body, headers={"Content-Encoding": coding}) as response,
                ):
                    assert response.status == 415, (path, coding)
                    assert response.content_type == "application/problem+json"
        await client.connect_namespace()


async def test_requests_outside_sessions_have_a_rate_limit_per_address(tmp_path: Path) -> None:
    async with running_server(tmp_path, **PROXY, requests_per_minute=6) as server, ClientSession() as session:

        async def status(path: str, address: str) -> int:
            async with session.get(server.url + path, headers={"X-Forwarded-For": address}) as response:
                assert ("Retry-After" in response.headers) == (response.status == 429)
                return response.status

        async with polling_client(server.url, headers={"X-Forwarded-For": "203.0.113.8"}) as client:
            session_query = f"{POLL}&sid={client.handshake['sid']}"
            paths = ("/", "/health", "/nothing", f"{POLL}&sid=unknown", f"{session_query}&j=0")
            assert 429 not in [await status(path, "203.0.113.8") for path in paths]
            statuses = [await status(path, "203.0.113.8") for path in paths]
            assert statuses.count(429) >= len(paths) - 1  # a slow run may gain a token
            await client.connect_namespace()
            assert await status("/health", "203.0.113.9") == 200
            assert {await status("/health", "127.0.0.1") for _ in range(20)} == {200}


async def test_a_connection_is_closed_if_its_second_request_is_incomplete(
    tmp_path: Path, connections: Connections
) -> None:
    async with running_server(tmp_path, connect_timeout=0.4) as server:
        reader = await connections.open(
            server.port, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nX-Slow: "
        )
        async with asyncio.timeout(TIMEOUT):
            assert (await reader.read()).count(b"HTTP/1.1 200") == 1


async def test_connections_of_a_trusted_proxy_stay_open(tmp_path: Path, connections: Connections) -> None:
    async with running_server(tmp_path, trusted_proxy=("127.0.0.2",), connect_timeout=0.2) as server:
        proxy = await connections.open(server.port, b"GET /health HTTP/1.1\r\n", "127.0.0.2")
        client = await connections.open(server.port, b"GET /health HTTP/1.1\r\n")
        async with asyncio.timeout(TIMEOUT):
            assert await client.read() == b""
            connections.writers[0].write(b"Host: a\r\nConnection: close\r\n\r\n")
            assert (await proxy.read()).startswith(b"HTTP/1.1 200")


async def test_a_tls_connection_without_a_handshake_is_closed(
    tmp_path: Path, connections: Connections, tls_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tls_objects: list[ssl.SSLObject] = []
    wrap_bio = ssl.SSLContext.wrap_bio

    def record_tls_object(context: ssl.SSLContext, *args: Any, **options: Any) -> ssl.SSLObject:
        tls_objects.append(wrap_bio(context, *args, **options))
        return tls_objects[-1]

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", record_tls_object)
    settings: Any = {**tls_settings, "trusted_proxy": ("127.0.0.2",)}
    async with running_server(tmp_path, connect_timeout=0.3, **settings) as server:
        for start, handshakes in ((b"", 0), (b"\x16\x03\x01\x02\x00", 1)):
            for address in ("127.0.0.1", "127.0.0.2"):
                tls_objects.clear()
                reader = await connections.open(server.port, start, address)
                async with asyncio.timeout(TIMEOUT):
                    assert await reader.read() == b""
                assert len(tls_objects) == handshakes


@pytest.mark.usefixtures("limited_loopback")
async def test_the_oldest_idle_connection_of_an_address_is_closed_above_the_limit(
    tmp_path: Path, connections: Connections
) -> None:
    async with (
        running_server(tmp_path, connections_per_address=3, connect_timeout=60) as server,
        raw_client(server.url) as ann,
    ):
        await ann.join("tea", "ann")
        readers = [await connections.open(server.port, b"GET") for _ in range(3)]
        other = await connections.open(server.port, b"GET", "127.0.0.2")
        readers.append(await connections.open(server.port, b"GET"))
        async with asyncio.timeout(TIMEOUT):
            assert await readers[0].read() == b""
        for reader, writer in zip((*readers[1:3], other, readers[3]), connections.writers[1:], strict=True):
            writer.write(b" /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        assert (await ann.request("sendMessage", {"room": "tea", "message": "hi"}))["ok"]


@pytest.mark.usefixtures("limited_loopback")
async def test_tls_connections_count_per_address_before_their_handshake(
    tmp_path: Path, connections: Connections, tls_settings: dict[str, str]
) -> None:
    async with running_server(tmp_path, connections_per_address=3, connect_timeout=60, **tls_settings) as server:
        other = await connections.open(server.port, b"\x16", "127.0.0.2")
        readers = await asyncio.gather(*(connections.open(server.port, b"") for _ in range(100)))
        async with asyncio.timeout(TIMEOUT):
            for reader in readers[:-3]:
                assert await reader.read() == b""
        async with ClientSession() as session, session.get(f"{server.url}/health", ssl=False) as response:
            assert response.status == 200
            assert response.url.scheme == "https"
            async with asyncio.timeout(TIMEOUT):
                assert await readers[-3].read() == b""
            assert not any(reader.at_eof() for reader in (other, *readers[-2:]))


async def test_exhausted_descriptors_are_logged_once_and_sessions_continue(
    tmp_path: Path, connections: Connections
) -> None:
    async with server_process(tmp_path) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (64, 64))
        assert server.process.stderr is not None
        for _ in range(100):
            await connections.open(server.port, b"")
        async with asyncio.timeout(TIMEOUT):
            while b"file descriptors exhausted" not in (line := await server.process.stderr.readline()):
                assert b"Traceback" not in line
        assert (await ann.request("sendMessage", {"room": "tea", "message": "hi"}))["ok"]
        connections.close()
        async with raw_client(server.url) as bob:
            assert (await bob.join("tea", "bob"))["ok"]
        server.process.terminate()
        code, errors = await server.wait_closed()
    assert code == 0
    assert "Traceback" not in errors
    assert not [line for line in errors.splitlines() if "exhausted" in line and "more such" not in line]


async def test_connections_of_malformed_requests_are_freed_without_a_garbage_collection(
    tmp_path: Path, connections: Connections
) -> None:
    async with running_server(tmp_path) as server:
        gc.collect()
        gc.disable()
        try:
            for request in (
                b"GET \x01 HTTP/9.9\r\n",
                b"GET / HTTP/1.1\r\nBad Header\r\n",
                b"GET / HTTP/1.1\r\nContent-Length: x\r\n",
            ):
                reader = await connections.open(server.port, request + b"\r\n")
                assert b" 400 " in await asyncio.wait_for(reader.read(), TIMEOUT)
            connections.close()
            await wait_until(
                lambda: not any(isinstance(item, http_connections.HttpConnection) for item in gc.get_objects())
            )
        finally:
            gc.enable()


async def test_no_response_names_the_version_of_the_http_library(tmp_path: Path, connections: Connections) -> None:
    async with running_server(tmp_path) as server:
        heads: list[bytes] = []
        for request in (
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            b"GARBAGE\r\n\r\n",
        ):
            reader = await connections.open(server.port, request)
            heads.append(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TIMEOUT))
        for head in heads:
            assert head.count(b"\r\nServer: chat-server\r\n") == head.lower().count(b"\r\nserver:") == 1, head
            assert b"aiohttp" not in head
