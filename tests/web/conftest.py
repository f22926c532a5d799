"""Fixtures of the web tests: server, browser and a protocol-level client.

The browser is shared by the session, because its start takes longer than most tests. Each tab of a test starts with
an empty storage. Tests with a browser run in the event loop of the session.
"""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from server.app import RunningServer
from tests.support.account_api import AccountApiClient, account_api
from tests.support.browser import Browser, chromium
from tests.support.free_port import reserved_port
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client


@pytest.fixture(scope="session")
def page_port() -> Generator[int]:
    """Port of all servers with pages, whose common origin lets Chromium reuse processes and scripts."""
    with reserved_port() as port:
        yield port


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_browser(page_port: int) -> AsyncGenerator[Browser]:
    """Browser of the session."""
    async with chromium(f"http://127.0.0.1:{page_port}") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shared_browser: Browser) -> AsyncGenerator[Browser]:
    """Browser whose tabs are closed, and whose storage is empty, after the test."""
    yield shared_browser
    await shared_browser.close_tabs()


@pytest_asyncio.fixture(loop_scope="session")
async def server(tmp_path: Path, page_port: int, server_options: dict[str, str]) -> AsyncGenerator[RunningServer]:
    """Server that keeps protocol-level clients, which answer no pings while a test waits for a page."""
    options = {"rate_limit": "off", "ping_timeout": 600.0, **server_options}
    async with running_server(tmp_path, port=page_port, **options) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def bot(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Protocol-level client in room `tea`."""
    async with raw_client(server.url) as client:
        await client.join("tea", "bot")
        yield client


@pytest.fixture
async def api(server: RunningServer) -> AsyncGenerator[AccountApiClient]:
    """Client of the account endpoints, in the event loop of the test."""
    async with account_api(server.url) as client:
        yield client
