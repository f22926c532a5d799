"""Comparison of origins, trusted forwarding headers, and the CORS headers of allowed origins."""

import logging
import re
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import make_mocked_request

from server.app import RunningServer
from server.forwarded import find_untrusted_proxy, get_client_info
from server.settings import ServerSettings
from server.settings_sources import resolve_settings
from tests.support.account_api import to_headers
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client

PROXY = {"trusted_proxy": ("127.0.0.1",)}


async def handshake_status(server: RunningServer, **headers: str) -> int:
    """Return the status of a polling handshake with headers, named as for `to_headers`."""
    async with (
        ClientSession(headers=to_headers(headers)) as session,
        session.get(f"{server.url}/socket.io/?EIO=4&transport=polling") as response,
    ):
        return response.status


async def test_the_server_origin_is_compared_by_security_host_and_effective_port(tmp_path: Path) -> None:
    async with running_server(tmp_path, **PROXY) as server:
        for proto, host, origin, status in (
            ("wss", "chat.example.org", "https://chat.example.org", 200),
            ("HTTPS", "Chat.Example.ORG", "https://chat.example.org", 200),
            ("https", "chat.example.org:443", "https://chat.example.org", 200),
            ("https", "chat.example.org", "https://chat.example.org:443", 200),
            ("https", "chat.example.org:8443", "https://chat.example.org:8443", 200),
            ("http", "chat.example.org:80", "ws://chat.example.org", 200),
            ("https", "chat.example.org", "wss://CHAT.example.org./", 200),
            ("https", "xn--mller-kva.example", "https://müller.example", 200),
            ("https", "[2001:db8:0::1]", "https://[2001:db8::1]", 200),
            ("http,https", "proxy.example, chat.example.org", "https://chat.example.org", 200),
            ("http", "chat.example.org", "https://chat.example.org", 400),
            ("https", "chat.example.org", "https://chat.example.org:8443", 400),
            ("https", "chat.example.org", "https://chat.example.org.evil.example", 400),
            ("https", "chat.example.org", "https://chat.example.org@evil.example", 400),
            ("https", "chat.example.org", "null", 400),
            ("https", "a b", "https://a b", 400),
        ):
            headers = {"X_Forwarded_Proto": proto, "X_Forwarded_Host": host, "Origin": origin}
            assert await handshake_status(server, **headers) == status, (proto, host, origin)


async def test_a_websocket_client_may_send_an_origin_with_a_websocket_scheme(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        raw_client(server.url, headers={"Origin": server.url.replace("http", "ws")}) as ann,
    ):
        assert (await ann.join("tea", "ann"))["ok"]


async def test_a_listed_origin_of_any_scheme_is_allowed_with_credentials(tmp_path: Path) -> None:
    pairs = (
        ("capacitor://localhost", "capacitor://localhost"),
        ("tauri://localhost", "tauri://localhost"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ("app://.", "app://."),
        ("file://", "file://"),
        ("null", "null"),
        ("HTTPS://Friend.example:443/", "https://friend.example"),
        ("wss://friend.example", "https://friend.example"),
    )
    listed = tuple(value for value, _ in pairs)
    async with running_server(tmp_path, cors_origin=listed) as server, ClientSession() as session:
        url = f"{server.url}/socket.io/?EIO=4&transport=polling"
        for _, sent in pairs:
            async with session.get(url, headers={"Origin": sent}) as response:
                assert response.status == 200, sent
                assert response.headers["Access-Control-Allow-Origin"] == sent
                assert response.headers["Access-Control-Allow-Credentials"] == "true"
                assert response.headers["Vary"] == "Origin"
        async with session.get(url, headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 400
            assert not any(name.startswith("Access-Control") for name in response.headers)


async def test_rejections_of_the_http_limits_are_readable_by_listed_origins(tmp_path: Path) -> None:
    limits = {**PROXY, "requests_per_minute": 1, "cors_origin": ("https://friend.example",)}
    client = {"X-Forwarded-For": "203.0.113.8"}
    async with running_server(tmp_path, **limits) as server, ClientSession(headers=client) as session:
        url = f"{server.url}/socket.io/?EIO=4&transport=polling"
        async with session.get(url) as response:
            assert response.status == 200
        for origin, is_listed in (("https://friend.example", True), ("https://evil.example", False)):
            for method, extra, status in (("GET", {}, 429), ("POST", {"Content-Encoding": "gzip"}, 415)):
                async with session.request(method, url, headers={"Origin": origin, **extra}) as response:
                    assert response.status == status
                    assert response.headers.get("Access-Control-Allow-Origin") == (origin if is_listed else None)
                    assert ("Access-Control-Allow-Credentials" in response.headers) == is_listed
                    assert response.headers.get("Vary") == ("Origin" if is_listed else None)


async def test_an_untrusted_proxy_is_logged_once_with_the_option_that_trusts_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chat.rejections")
    for proxies, hints in (((), 1), (("127.0.0.1",), 0)):
        caplog.clear()
        async with running_server(tmp_path, trusted_proxy=proxies) as server:
            assert await handshake_status(server) == 200
            for number in range(3):
                assert await handshake_status(server, X_Forwarded_For=f"203.0.113.{number}") == 200
        assert len([hint for hint in caplog.messages if "--trusted-proxy 127.0.0.1," in hint]) == hints


def test_only_private_peers_count_as_untrusted_proxies() -> None:
    networks = ServerSettings(trusted_proxy=("10.1.0.0/16",)).parse_trusted_networks()
    for peer, expected in (("10.2.0.1", "10.2.0.1"), ("fd00::1", "fd00::1"), ("10.1.0.1", None), ("8.8.8.8", None)):
        request = make_mocked_request("GET", "/", {"X-Forwarded-For": "203.0.113.8"}).clone(remote=peer)
        assert isinstance(request, web.Request)
        assert find_untrusted_proxy(request, networks) == expected


def test_an_ipv4_mapped_peer_has_the_address_of_its_ipv4_form() -> None:
    for peer, expected in (("::ffff:1.2.3.4", "1.2.3.4"), ("2001:DB8::0:1", "2001:db8::1"), ("1.2.3.4", "1.2.3.4")):
        request = make_mocked_request("GET", "/", {}).clone(remote=peer)
        assert isinstance(request, web.Request)
        assert get_client_info(request, ()).address == expected


async def test_every_option_in_a_hint_is_accepted_and_allows_the_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chat.rejections")
    origins = (
        "capacitor://localhost",
        "tauri://localhost",
        "file://",
        "null",
        "chrome-extension://abcdefghijklmnop",
        "ws://localhost:3000",
        "https://friend.example:8443",
        f"https://{'friend.' * 30}example",
        "https://a.example;reboot",
        "https://$(reboot)",
        "*",
        "garbage",
        f"https://{'x' * 4000}.example",
    )
    async with running_server(tmp_path) as server:
        for origin in origins:
            assert await handshake_status(server, Origin=origin) == 400, origin
            await handshake_status(server, Host=origin.rpartition("/")[2] or "evil.example")
        await handshake_status(server, X_Forwarded_For="203.0.113.8")
    warned = [hint for hint in caplog.messages if "sandboxed pages of any site" in hint]
    assert ["--cors-origin null" in hint for hint in warned] == [True]
    flags = [re.findall(r"--([a-z-]+) ([^\s,]+)", hint) for hint in caplog.messages]
    for name, value in [flag for hint_flags in flags for flag in hint_flags]:
        resolve_settings({name.replace("-", "_"): (value,)}, {}, None)
    listed = tuple(dict(hint_flags)["cors-origin"] for hint_flags in flags if "cors-origin" in dict(hint_flags))
    assert len(listed) >= 7
    async with running_server(tmp_path, cors_origin=listed) as server:
        for origin in origins[:7]:
            assert await handshake_status(server, Origin=origin) == 200, origin


@pytest.mark.parametrize(
    "hops",
    [
        ["203.0.113.8:1001", "203.0.113.8:1002", "203.0.113.8"],
        ["[2001:db8::1]:1001", "[2001:db8::1]", "2001:db8::2", "2001:DB8:0::3"],
        ["::ffff:203.0.113.8", "203.0.113.8:", "[::ffff:203.0.113.8]:9"],
        ["198.51.100.7, 203.0.113.8:1", "198.51.100.8:2,203.0.113.8:3", "garbage, 203.0.113.8"],
    ],
)
async def test_spellings_of_one_forwarded_address_share_its_limits(tmp_path: Path, hops: list[str]) -> None:
    async with running_server(tmp_path, **PROXY, connects_per_minute=len(hops)) as server:
        for hop in hops:
            assert await handshake_status(server, X_Forwarded_For=hop) == 200
        assert await handshake_status(server, X_Forwarded_For=hops[0]) == 429
        assert await handshake_status(server, X_Forwarded_For="203.0.113.9") == 200


async def test_an_invalid_forwarded_address_counts_as_the_proxy(tmp_path: Path) -> None:
    proxies = {"trusted_proxy": ("127.0.0.1", "203.0.113.1"), "connects_per_minute": 2}
    async with running_server(tmp_path, **proxies) as server:
        for value in ("unknown", "_hidden"):
            assert await handshake_status(server, X_Forwarded_For=f"{value}, 203.0.113.1") == 200
        assert await handshake_status(server, X_Forwarded_For="300.1.2.3, 203.0.113.1") == 429


async def test_a_repeated_forwarded_header_continues_the_list(tmp_path: Path) -> None:
    async with running_server(tmp_path, **PROXY, connects_per_minute=1) as server, ClientSession() as session:
        for forged, status in (("198.51.100.1", 200), ("198.51.100.2", 429)):
            headers = [("X-Forwarded-For", forged), ("X-Forwarded-For", "203.0.113.8")]
            async with session.get(f"{server.url}/socket.io/?EIO=4&transport=polling", headers=headers) as response:
                assert response.status == status


async def test_a_websocket_request_without_an_upgrade_header_logs_a_hint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chat.rejections")
    async with running_server(tmp_path) as server, ClientSession() as session:
        for _ in range(2):
            async with session.get(f"{server.url}/socket.io/?EIO=4&transport=websocket") as response:
                assert response.status == 400
    assert len([hint for hint in caplog.messages if "without an Upgrade header" in hint]) == 1


def test_an_origin_setting_is_stored_in_canonical_form() -> None:
    settings = ServerSettings(cors_origin=("WSS://A.example:443/", "http://[0::1]:8080"))
    assert settings.parse_allowed_origins() == ("https://a.example", "http://[::1]:8080")
