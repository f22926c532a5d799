"""DNS rebinding protection: loopback servers reject foreign host names."""

import logging
from pathlib import Path

import aiohttp
import pytest

from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client

PATHS = ("/", "/health", "/metrics", "/socket.io/?EIO=4&transport=polling")


async def statuses(url: str, host: str) -> set[int]:
    """Return the statuses of requests for `PATHS` with a header `Host`."""
    async with aiohttp.ClientSession(headers={"Host": host}) as browser:
        return {(await browser.get(url + path)).status for path in PATHS}


async def test_requests_from_loopback_need_an_allowed_host(tmp_path: Path) -> None:
    expected = {
        "evil.example:3000": 421,
        "EVIL.example.": 421,
        "localhost.evil.example:3000": 421,
        "127.0.0.1.evil.example": 421,
        "[::1].evil.example": 421,
        "[": 421,
        "evil.example@localhost": 421,
        "127.0.0.1:3000": 200,
        "127.9.9.9": 200,
        "192.0.2.1:3000": 200,  # IP addresses cannot be rebound
        "[::1]:3000": 200,
        "localhost:3000": 200,
        "LOCALHOST.:3000": 200,
        "tea.localhost": 200,
        "box:3000": 200,
        "friend.example:3000": 200,
    }
    async with running_server(tmp_path, cors_origin=("http://friend.example:3000",)) as server:
        found = {host: await statuses(server.url, host) for host in expected}
    assert found == {host: {status} for host, status in expected.items()}


async def test_websocket_upgrades_with_a_foreign_host_are_rejected_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chat")
    headers = {"Host": "evil.example:3000", "Origin": "http://evil.example:3000"}
    async with running_server(tmp_path) as server:
        for _ in range(2):
            with pytest.raises(aiohttp.WSServerHandshakeError) as rejection:
                async with raw_client(server.url, headers=headers):
                    pass
            assert rejection.value.status == 421
    messages = [record.message for record in caplog.records if "evil.example:3000" in record.message]
    assert len(messages) == 1
    assert "--trusted-proxy" in messages[0]
    assert "--cors-origin http://evil.example:3000" in messages[0]


async def test_host_names_are_not_checked_behind_a_trusted_proxy(tmp_path: Path) -> None:
    async with running_server(tmp_path, trusted_proxy=("127.0.0.0/8",)) as server:
        assert await statuses(server.url, "chat.example.org") == {200}
