"""Fixtures of the web tests: server, browser and a protocol-level client.

The browser is shared by the session, because its start takes longer than most tests. Each tab of a test starts with
an empty storage. Tests with a browser run in the event loop of the session.
"""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from server.app import RunningServer
from tests.support.account_api import AccountApiClient, account_api
from tests.support.browser import Browser, chromium
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shared_browser: Browser) -> AsyncGenerator[Browser]:
    yield shared_browser
    await shared_browser.close_tabs()


@pytest_asyncio.fixture(loop_scope="session")
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
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
