"""Connections to a Redis server: login, TLS and the loss of a connection."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest
import trustme
from redis import Redis

from server.cluster import redis_connection
from server.cluster.bus import BusError
from tests.support.redis import RedisServer, redis_server

pytestmark = pytest.mark.needs_redis


@pytest.fixture
def redis() -> Generator[RedisServer]:
    """Redis server with settings of its own."""
    with redis_server() as server:
        yield server


def configure(redis: RedisServer, *settings: str) -> None:
    """Set pairs of names and values in the settings of a server."""
    with Redis(unix_socket_path=f"{redis.directory}/socket") as client:
        client.execute_command("CONFIG SET", *settings)  # pyright: ignore[reportUnknownMemberType]


async def exchange_message(url: str) -> tuple[str, bytes]:
    """Subscribe to a channel, send a message to it, and return the received one."""
    received: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    connection = await redis_connection.connect(
        url, lambda channel, payload: received.put_nowait((channel, payload)), lambda: None
    )
    try:
        await connection.subscribe(["first", "second"])
        await connection.unsubscribe("first")
        await connection.send([("first", b"lost"), ("second", b"\r\n\xff")])
        return await received.get()
    finally:
        await connection.close()


async def test_the_password_of_the_url_is_used_and_a_wrong_one_is_rejected(redis: RedisServer) -> None:
    configure(redis, "requirepass", "secret/1")
    assert await exchange_message(redis.url.replace("unix://", "unix://:secret%2F1@")) == ("second", b"\r\n\xff")
    for credentials, reason in [(":wrong@", "invalid username-password pair"), ("", "Authentication required")]:
        with pytest.raises(BusError, match=reason):
            await exchange_message(redis.url.replace("unix://", f"unix://{credentials}"))


async def test_a_tls_connection_requires_a_trusted_certificate(
    redis: RedisServer, unused_tcp_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, port = trustme.CA(), unused_tcp_port
    certificate, authority_path = authority.issue_cert("localhost"), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(authority_path)
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    files = ("tls-cert-file", f"{tmp_path}/cert.pem", "tls-key-file", f"{tmp_path}/key.pem")
    configure(redis, *files, "tls-ca-cert-file", str(authority_path), "tls-auth-clients", "no", "tls-port", str(port))
    url = f"rediss://localhost:{port}"
    with pytest.raises(BusError, match="certificate"):
        await exchange_message(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_path))
    assert await exchange_message(url) == ("second", b"\r\n\xff")


async def test_a_lost_or_closed_connection_rejects_subscriptions(redis: RedisServer) -> None:
    is_lost = asyncio.Event()
    connection = await redis_connection.connect(redis.url, lambda _channel, _payload: None, is_lost.set)
    await connection.subscribe(["first"])
    redis.stop()
    await is_lost.wait()
    redis.start()
    for _ in ("lost", "closed"):
        with pytest.raises(BusError, match="connection lost"):
            await connection.subscribe(["second"])
        with pytest.raises(BusError, match="connection lost"):
            await connection.unsubscribe("first")
        await connection.close()
    with Redis(unix_socket_path=f"{redis.directory}/socket") as client:
        assert client.pubsub_channels() == []  # pyright: ignore[reportUnknownMemberType]


async def test_subscriptions_during_the_end_of_a_connection_fail(redis: RedisServer) -> None:
    connection = await redis_connection.connect(redis.url, lambda _channel, _payload: None, lambda: None)
    await connection.subscribe(["first"])
    waiting = [asyncio.create_task(connection.subscribe([name])) for name in ("second", "third")]
    await asyncio.sleep(0)  # both wait for the replies to their commands
    await connection.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [BusError, BusError]
