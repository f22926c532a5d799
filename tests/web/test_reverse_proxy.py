"""The documented nginx blocks in front of a real server: origin, WebSocket upgrade, and the page below a path."""

import re
import ssl
from pathlib import Path
from urllib.parse import urljoin

import pytest
import trustme
from aiohttp import ClientSession, TCPConnector
from playwright.async_api import expect

from tests.support.accounts import create_account
from tests.support.browser import Browser
from tests.support.chat_page import ChatPage, log_in
from tests.support.in_process_server import running_server
from tests.support.nginx import read_documented_block, run_nginx
from tests.support.raw_client import raw_client

PROXY = {"trusted_proxy": ("127.0.0.1",)}


@pytest.mark.needs_nginx
async def test_the_documented_block_forwards_origins_and_upgrades_with_and_without_tls(tmp_path: Path) -> None:
    authority, pem = trustme.CA(), tmp_path / "both.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    block = read_documented_block("chat.example.org")
    for tls in ("", f"ssl_certificate {pem}; ssl_certificate_key {pem};"):
        async with running_server(tmp_path, **PROXY) as server, run_nginx(tmp_path, block, server.port, tls) as port:
            scheme = "https" if tls else "http"
            origin = f"{scheme}://127.0.0.1:{port}"
            session = ClientSession(connector=TCPConnector(ssl=context), headers={"Origin": origin})
            socket_url = f"{origin}/socket.io/?EIO=4&transport="
            async with session, session.get(f"{socket_url}polling") as response:
                assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (200, origin)
                async with session.ws_connect(f"{socket_url}websocket") as ws:
                    assert (await ws.receive_str()).startswith('0{"sid"')
                other = {"Origin": f"{scheme}://127.0.0.1:{port + 1}"}
                async with session.get(f"{socket_url}polling", headers=other) as rejected:
                    assert rejected.status == 400


@pytest.mark.needs_nginx
async def test_a_proxy_without_upgrade_headers_is_reported_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "chat.rejections")
    block = re.sub(r"proxy_set_header (Upgrade|Connection) .*;", "", read_documented_block("chat.example.org"))
    async with running_server(tmp_path, **PROXY) as server, run_nginx(tmp_path, block, server.port) as port:
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        url = f"http://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        async with ClientSession() as session, session.get(url, headers=headers) as response:
            assert response.status == 400
    assert len([hint for hint in caplog.messages if "without an Upgrade header" in hint]) == 1


@pytest.mark.needs_nginx
async def test_the_page_below_a_path_finds_its_assets(tmp_path: Path) -> None:
    block = read_documented_block("www.example.org")
    async with (
        running_server(tmp_path, **PROXY) as server,
        run_nginx(tmp_path, block, server.port) as port,
        ClientSession() as session,
    ):
        base = f"http://127.0.0.1:{port}/chat"
        async with session.get(base) as response:
            assert (response.status, str(response.url)) == (200, f"{base}/")
            page = await response.text()
        references = re.findall(r'(?:href|src)="([^"#]+)"', page)
        assert len(references) > 4
        for reference in references:
            async with session.get(urljoin(f"{base}/", reference)) as response:
                assert response.status == 200, reference


@pytest.mark.needs_nginx
@pytest.mark.needs_chromium
@pytest.mark.asyncio(loop_scope="session")
async def test_the_page_below_a_path_exchanges_messages_and_stores_its_data_under_the_path(
    browser: Browser, tmp_path: Path
) -> None:
    block = read_documented_block("www.example.org")
    async with (
        running_server(tmp_path, **PROXY) as server,
        run_nginx(tmp_path, block, server.port) as port,
        raw_client(server.url) as bot,
    ):
        await bot.join("tea", "bot")
        page, base = ChatPage(await browser.open_tab()), f"http://127.0.0.1:{port}/chat"
        await log_in(page, (await create_account(server, "ann")).token, "ann", "chat./chat/.account")
        await page.join_room(base, "ann")
        await page.send_message("below a path")
        await bot.wait_for_push("message", message="below a path")
        await bot.request("sendMessage", {"room": "tea", "message": "received"})
        await page.expect_messages("below a path", "received")
        await page.send_message("/hook CI")
        await expect(page.page.locator("#timeline-lines .notice", has_text=f"{base}/api/hooks/")).to_be_visible()
        keys = await page.page.evaluate("Object.keys(localStorage)")
        assert keys
        assert all(key.startswith("chat./chat/.") for key in keys)
        page.assert_no_errors()
