"""A server and a browser for those tests that ask for them.

A browser takes longer to start than most tests to run, so one serves them all;
each tab has storage of its own. It belongs to the session's event loop, and so
do the tests that use it.
"""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser

from server.app import RunningServer
from tests.support.browser import chromium
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(one_browser: Browser) -> AsyncGenerator[Browser]:
    yield one_browser
    for context in one_browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def bot(server: RunningServer) -> AsyncGenerator[RawClient]:
    """A client without a page, in room `tea`."""
    async with raw_client(server.url) as client:
        await client.join("tea", "bot")
        yield client
