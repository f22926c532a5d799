"""Fixtures for tests of a basic server."""

from collections.abc import AsyncGenerator

import pytest

from tests.support.basic_node_server import BasicNodeServer, basic_node_server
from tui_chat.client.net import transport


@pytest.fixture
async def basic_server() -> AsyncGenerator[BasicNodeServer]:
    """Server without acknowledgements and history."""
    async with basic_node_server() as running:
        yield running


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the detection of a basic server and the wait for an echo."""
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)
    monkeypatch.setattr("tui_chat.client.net.basic_server.ECHO_TIMEOUT", 0.5)
