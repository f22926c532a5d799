"""HTTP routes: page assets, health and readiness probes, problem details."""

import gzip
import ipaddress
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from server.web.assets import load_page_assets
from server.web.bundle import bundle_styles
from server.web.routes import add_routes
from tui_chat.protocol.errors import RateLimited

HttpClient = TestClient[web.Request, web.Application]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve(
    *, reason: str | None = None, extra: dict[str, Handler] | None = None, trusted: str = "192.0.2.0/24"
) -> AsyncGenerator[HttpClient]:
    """Serve the routes without a chat server, and provide a client.

    Args:
        reason: Result of the readiness check.
        extra: Handlers of further paths.
        trusted: Network of trusted proxies.
    """

    async def check_readiness() -> str | None:
        return reason

    app = web.Application()
    add_routes(app, check_readiness=check_readiness, version="1.2.3", trusted_networks=(ipaddress.ip_network(trusted),))
    for path, handler in (extra or {}).items():
        app.router.add_get(path, handler)
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


def asset_path(name: str) -> str:
    """Return the URL path of an asset."""
    [path] = [
        path for path in load_page_assets() if path.endswith("/" + name) and path.count("/") == name.count("/") + 3
    ]
    return path


async def test_page_and_assets_have_their_content_types() -> None:
    async with serve() as client:
        page = await client.get("/", headers={"Accept-Encoding": "identity"})
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert await page.read() == load_page_assets()["/"].body
        for name, content_type in {
            "load_error.js": "text/javascript",
            "icon.svg": "image/svg+xml",
            "vendor/socket.io.esm.min.js": "text/javascript",
            "vendor/socket.io.LICENSE.txt": "text/plain",
        }.items():
            asset = await client.get(asset_path(name), headers={"Accept-Encoding": "identity"})
            assert (asset.status, asset.content_type) == (200, content_type), name
            assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert await asset.read() == files("server.web").joinpath("static", name).read_bytes()


async def test_the_page_refers_to_existing_assets_and_to_all_scripts_and_style_sheets() -> None:
    assets = load_page_assets()
    references = {"/assets/" + part.split('"')[0] for part in assets["/"].body.decode().split('"assets/')[1:]}
    assert references <= assets.keys()
    assert {path for path in assets if path.endswith((".js", ".css"))} <= references
    styles = assets[asset_path("page.css")].body.decode()
    sheets = files("server.web").joinpath("static").iterdir()
    texts = [sheet.read_text() for sheet in sheets if sheet.name.endswith(".css") and sheet.name != "page.css"]
    assert len(texts) > 5
    assert all(text in styles for text in texts)
    assert "@import" not in styles


def test_the_asset_prefix_depends_on_the_served_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def omit_styles(texts: Mapping[str, str], entry: str) -> tuple[str, list[str]]:
        return "", bundle_styles(texts, entry)[1]

    monkeypatch.setattr("server.web.assets.bundle_styles", omit_styles)
    changed = load_page_assets.__wrapped__()
    assert changed.keys() & load_page_assets().keys() == {"/", "/favicon.ico"}


@pytest.mark.parametrize("name", ["app.js", "vendor/socket.io.LICENSE.txt"])
async def test_asset_paths_of_other_releases_redirect_to_this_release(name: str) -> None:
    async with serve() as client:
        answer = await client.get(f"/assets/0123456789ab/{name}", allow_redirects=False)
        assert (answer.status, answer.headers["Cache-Control"]) == (307, "no-store")
        location = answer.headers["Location"]
        target = URL(f"http://chat.example/below/assets/0123456789ab/{name}").join(URL(location))
        assert target.path == f"/below{asset_path(name)}"
        assert (await client.get("/assets/0123456789ab/nothing.js")).status == 404


async def test_assets_are_compressed_for_clients_that_accept_gzip() -> None:
    async with serve() as client:
        path = asset_path("vendor/socket.io.esm.min.js")
        identity = await client.get(path, headers={"Accept-Encoding": "identity"})
        refused = await client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
        compressed = await client.get(path, headers={"Accept-Encoding": "br, gzip"})
        assert "Content-Encoding" not in identity.headers
        assert "Content-Encoding" not in refused.headers
        assert compressed.headers["Content-Encoding"] == "gzip"
        assert compressed.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(await compressed.read()) == await identity.read()
        assert compressed.headers["ETag"] != identity.headers["ETag"]


async def test_a_matching_etag_returns_304() -> None:
    async with serve() as client:
        first = await client.get("/")
        again = await client.get("/", headers={"If-None-Match": first.headers["ETag"]})
        assert again.status == 304
        assert again.headers["ETag"] == first.headers["ETag"]
        assert await again.read() == b""
        other = await client.get("/", headers={"If-None-Match": '"something-else"'})
        assert other.status == 200


async def test_head_returns_the_content_length_of_the_get_response() -> None:
    async with serve() as client:
        for path in ("/", "/health", "/ready"):
            whole = await client.get(path)
            head = await client.head(path)
            assert head.status == 200
            assert head.headers["Content-Length"] == str(len(await whole.read()))


async def test_health_identifies_the_service() -> None:
    async with serve() as client:
        answer = await client.get("/health")
        assert answer.headers["Cache-Control"] == "no-store"
        assert await answer.json() == {"status": "ok", "service": "chat-server", "version": "1.2.3", "protocol": 1}


async def test_ready_returns_200_without_a_problem() -> None:
    async with serve() as client:
        answer = await client.get("/ready")
        assert (answer.status, await answer.json()) == (200, {"status": "ready"})


async def test_an_unready_server_returns_problem_details() -> None:
    async with serve(reason="the database does not answer") as client:
        answer = await client.get("/ready")
        assert (answer.status, answer.content_type) == (503, "application/problem+json")
        assert await answer.json() == {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "detail": "the database does not answer",
            "code": "unavailable",
            "reason": "server_not_ready",
            "params": {"problem": "the database does not answer"},
        }


@pytest.mark.parametrize(
    "path", ["/nothing", "/assets/", "/assets/../routes.py", "/assets/%2e%2e/routes.py", "/index.html"]
)
async def test_unknown_paths_return_problem_details(path: str) -> None:
    async with serve() as client, ClientSession() as raw:
        answer = await raw.get(URL(f"http://{client.host}:{client.port}{path}", encoded=True))
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
        assert (await answer.json())["code"] == "not_found"


async def test_a_disallowed_method_returns_405_with_the_allow_header() -> None:
    async with serve() as client:
        answer = await client.post("/health")
        assert (answer.status, answer.content_type) == (405, "application/problem+json")
        assert answer.headers["Allow"] == "GET, HEAD"
        assert (await answer.json())["code"] == "bad_request"


async def test_a_rate_limit_error_returns_429_with_retry_after() -> None:
    async def limited(_request: web.Request) -> web.StreamResponse:
        raise RateLimited("too_many_requests", retry_after=2.4)

    async with serve(extra={"/limited": limited}) as client:
        answer = await client.get("/limited")
        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
        assert (await answer.json())["code"] == "rate_limited"


async def test_an_unhandled_exception_is_logged_once_and_not_disclosed(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_request: web.Request) -> web.StreamResponse:
        raise ZeroDivisionError("a secret")

    with caplog.at_level(logging.ERROR):
        async with serve(extra={"/broken": broken}) as client:
            answer = await client.get("/broken")
            body, problem = await answer.read(), await answer.json()
    assert (answer.status, answer.content_type) == (500, "application/problem+json")
    assert problem["code"] == "internal"
    assert b"secret" not in body
    assert len([record for record in caplog.records if record.exc_info]) == 1


@pytest.mark.parametrize("path", ["/", asset_path("app.js"), "/health", "/ready", "/nothing"])
async def test_responses_have_security_headers(path: str) -> None:
    async with serve() as client:
        headers = (await client.get(path)).headers
    policy: dict[str, str] = {}
    for part in headers["Content-Security-Policy"].split("; "):
        directive, _, sources = part.partition(" ")
        policy[directive] = sources
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Cache-Control" in headers
    assert headers["Server"] == "chat-server"


@pytest.mark.parametrize(
    ("host", "proto", "trusted", "expected"),
    [
        ("localhost:3000", None, "192.0.2.0/24", True),
        ("chat.localhost", None, "192.0.2.0/24", True),
        ("[::1]:3000", None, "192.0.2.0/24", True),
        ("127.0.0.2:3000", None, "192.0.2.0/24", True),
        ("192.168.1.20:3000", None, "192.0.2.0/24", False),
        ("chat.example", None, "192.0.2.0/24", False),
        ("chat.example", "https", "192.0.2.0/24", False),
        ("chat.example", "https", "127.0.0.0/8", True),
        ("localhost.example", None, "192.0.2.0/24", False),
        ("invalid host", None, "192.0.2.0/24", False),
    ],
)
async def test_the_opener_policy_is_limited_to_secure_origins(
    host: str, proto: str | None, trusted: str, expected: bool
) -> None:
    async with serve(trusted=trusted) as client:
        headers = {"Host": host} | ({"X-Forwarded-Proto": proto} if proto else {})
        answer = await client.get("/", headers=headers)
        assert answer.status == 200
        assert answer.headers.get("Cross-Origin-Opener-Policy") == ("same-origin" if expected else None)


@pytest.mark.parametrize("path", ["/nothing", "/index.html", "/assets/nothing/app.js", "/a/b/"])
async def test_browsers_receive_a_404_page_with_a_link_to_the_chat(path: str) -> None:
    async with serve() as client:
        accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        answer = await client.get(path, headers={"Accept": accept})
        assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert (answer.headers["Vary"], answer.headers["Cache-Control"]) == ("Accept", "no-store")
        page = await answer.text()
        assert "Page not found" in page
        assert "找不到页面" in page
        [link] = re.findall('href="([^"]*)"', page)
        assert URL(f"http://chat.example/below{path}").join(URL(link)).path == "/below/"


async def test_the_favicon_is_an_icon_file() -> None:
    async with serve() as client:
        answer = await client.get("/favicon.ico")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/x-icon")
        assert (await answer.read()).startswith(b"\0\0\1\0\2\0\x10\x10")


async def test_the_socket_io_endpoint_has_no_page_headers() -> None:
    async def polled(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="0{}")

    async with serve(extra={"/socket.io/": polled}) as client:
        headers = (await client.get("/socket.io/")).headers
        assert "Content-Security-Policy" not in headers
        assert "Cache-Control" not in headers
