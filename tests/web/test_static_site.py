"""Static site option (`--pages`), and the bundled Socket.IO client for such sites."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from server.web.assets import load_client_assets, load_page_assets
from server.web.routes import add_routes
from tests.support.browser import Browser
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client

HttpClient = TestClient[web.Request, web.Application]

DOCUMENT = (Path(__file__).parents[2] / "docs" / "dialects.md").read_text()
EXAMPLE_PAGE = DOCUMENT.split("```html\n")[1].split("```")[0]
"""Example page from docs/dialects.md."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Site folder next to a private file."""
    (tmp_path / "secret.txt").write_text("secret")
    pages_directory = tmp_path / "pages"
    (pages_directory / "sub" / ".hidden").mkdir(parents=True)
    (pages_directory / ".git").mkdir()
    for name in (".env", ".git/config", "sub/.hidden/x.txt"):
        (pages_directory / name).write_text("secret")
    (pages_directory / "index.html").write_text(EXAMPLE_PAGE)
    (pages_directory / "sub" / "index.html").write_text("<p>子</p>")
    (pages_directory / "sub" / "app.mjs").write_text("export {};")
    (pages_directory / "some thing.bin").write_bytes(b"\x00\x01")
    (pages_directory / "out.txt").symlink_to(tmp_path / "secret.txt")
    (pages_directory / "outside").symlink_to(tmp_path)
    (pages_directory / "env.txt").symlink_to(pages_directory / ".env")
    (pages_directory / "inside.html").symlink_to(pages_directory / "index.html")
    (pages_directory / "loop").symlink_to(pages_directory / "loop")
    return pages_directory


@asynccontextmanager
async def serve_site(folder: Path) -> AsyncGenerator[HttpClient]:
    """Serve the routes with a static site, and provide a client."""

    async def check_readiness() -> str | None:
        return None

    app = web.Application()
    add_routes(app, check_readiness=check_readiness, version="1.2.3", pages_directory=folder)
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/inside.html", "text/html; charset=utf-8"),
        ("/sub/", "text/html; charset=utf-8"),
        ("/sub/app.mjs", "text/javascript; charset=utf-8"),
        ("/some%20thing.bin", "application/octet-stream"),
    ],
)
async def test_site_files_are_served_with_their_content_types(folder: Path, path: str, content_type: str) -> None:
    async with serve_site(folder) as client:
        answer = await client.get(URL(path, encoded=True))
        assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
        assert "Content-Security-Policy" not in answer.headers
        assert "Cross-Origin-Embedder-Policy" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = await client.get(URL(path, encoded=True), headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/.env",
        "/%2eenv",
        "/env.txt",
        "/.git/config",
        "/sub/.hidden/x.txt",
        "/out.txt",
        "/outside/secret.txt",
        "/loop",
        "/index.html/x",
        "/nothing",
        "/a%00b",
        "/socket.io/nothing.js",
        "/socket.io/%2e%2e/%2e%2e/secret.txt",
        "/" + "x" * 300,
        next(path for path in load_page_assets() if path.endswith("/app.js")),
    ],
)
async def test_paths_outside_the_site_and_hidden_files_return_404(folder: Path, path: str) -> None:
    async with serve_site(folder) as client:
        answer = await client.get(URL(path, encoded=True))
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
        assert b"secret" not in await answer.read()


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/sub", "/sub/"),
        ("/%2fsub", "/sub/"),  # "//sub/" would be a protocol-relative URL
        ("/sub/inner?a=%26%20b", "/sub/inner/?a=%26%20b"),
        ("/sub%2Finner", "/sub/inner/"),
        ("/%E5%AD%90%20x", "/%E5%AD%90%20x/"),
    ],
)
async def test_folder_urls_redirect_to_a_trailing_slash(folder: Path, path: str, location: str) -> None:
    (folder / "sub" / "inner").mkdir()
    (folder / "sub" / "inner" / "index.html").write_text("<p>inner</p>")
    (folder / "子 x").mkdir()
    (folder / "子 x" / "index.html").write_text("<p>子</p>")
    async with serve_site(folder) as client:
        answer = await client.get(URL(path, encoded=True), allow_redirects=False)
        assert answer.status == 301
        assert not answer.headers["Location"].startswith("/")
        target = URL(f"http://chat.example{path}", encoded=True).join(URL(answer.headers["Location"], encoded=True))
        assert str(target) == str(URL(f"http://chat.example{location}", encoded=True))


async def test_site_files_do_not_shadow_server_routes(folder: Path) -> None:
    (folder / "health").write_text("site file")
    async with serve_site(folder) as client:
        assert (await (await client.get("/health")).json())["service"] == "chat-server"
        assert (await client.post("/")).status == 405


@pytest.mark.parametrize("name", sorted(load_client_assets()))
async def test_client_scripts_have_the_paths_of_node_servers(folder: Path, name: str) -> None:
    async with serve_site(folder) as client:
        headers = {"Accept-Encoding": "identity"}
        script = await client.get(f"/socket.io/{name}", headers=headers)
        assert (script.status, script.content_type) == (200, "text/javascript")
        assert b"Socket.IO v4.8.4" in (await script.read())[:100]
        assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert script.headers["X-Content-Type-Options"] == "nosniff"
        again = await client.get(f"/socket.io/{name}", headers={**headers, "If-None-Match": script.headers["ETag"]})
        assert again.status == 304


@pytest.mark.needs_chromium
@pytest.mark.asyncio(loop_scope="session")
async def test_the_example_page_exchanges_messages_with_other_clients(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    async with running_server(tmp_path, pages=str(folder)) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        tab = await browser.open_tab()
        await tab.page.goto(server.url)
        lines = tab.page.locator("#messages li")
        await lines.first.wait_for()
        await ann.request("sendMessage", {"room": "tea", "message": "<img src=x onerror=alert(1)>"})
        await tab.page.locator("#input").fill("from a page")
        await tab.page.locator("button").click()
        assert (await ann.wait_for_push("message", message="from a page"))["nickName"] == "page"
        await lines.nth(2).wait_for()
        texts = ["page: page 加入了 tea 房间", "ann: <img src=x onerror=alert(1)>", "page: from a page"]
        assert await lines.all_text_contents() == texts
        assert tab.console_errors == []
