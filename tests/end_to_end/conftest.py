"""Fixture: browser of one test."""

from collections.abc import AsyncGenerator

import pytest

from tests.support.browser import Browser, chromium


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running
