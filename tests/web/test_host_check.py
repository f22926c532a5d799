"""A page elsewhere whose name leads to this machine: it reads nothing of a server that is for this machine only."""

import logging
from pathlib import Path

import aiohttp
import pytest

from tests.support.raw_client import raw_client
from tests.support.serving import serving

ALL = ("/", "/health", "/metrics", "/socket.io/?EIO=4&transport=polling")


async def statuses(url: str, host: str) -> set[int]:
    async with aiohttp.ClientSession(headers={"Host": host}) as browser:
        return {(await browser.get(url + path)).status for path in ALL}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:3000", 421),
        ("EVIL.example.", 421),
        ("localhost.evil.example:3000", 421),
        ("127.0.0.1.evil.example", 421),
        ("[::1].evil.example", 421),
        ("[", 421),
        ("evil.example@localhost", 421),
        ("127.0.0.1:3000", 200),
        ("127.9.9.9", 200),
        ("192.0.2.1:3000", 200),  # an address is nobody's name
        ("[::1]:3000", 200),
        ("localhost:3000", 200),
        ("LOCALHOST.:3000", 200),
        ("tea.localhost", 200),
        ("box:3000", 200),
        ("friend.example:3000", 200),
    ],
)
async def test_this_machine_has_to_call_the_server_by_a_name_no_stranger_can_have(
    tmp_path: Path, host: str, status: int
) -> None:
    async with serving(tmp_path, cors_origin=("http://friend.example:3000",)) as server:
        assert await statuses(server.url, host) == {status}


async def test_no_websocket_opens_for_a_page_of_such_a_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "chat")
    headers = {"Host": "evil.example:3000", "Origin": "http://evil.example:3000"}
    async with serving(tmp_path) as server:
        for _ in range(2):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                async with raw_client(server.url, headers=headers):
                    pass
            assert refusal.value.status == 421
    told = [record.message for record in caplog.records if "evil.example:3000" in record.message]
    assert len(told) == 1
    assert "--trusted-proxy" in told[0]
    assert "--cors-origin http://evil.example:3000" in told[0]


async def test_a_trusted_proxy_knows_which_names_lead_to_it(tmp_path: Path) -> None:
    async with serving(tmp_path, trusted_proxy=("127.0.0.0/8",)) as server:
        assert await statuses(server.url, "chat.example.org") == {200}
