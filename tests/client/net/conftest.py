"""Fixtures for tests of a basic server."""

from collections.abc import Generator

import pytest

from tests.support.basic_node_server import BasicNodeServer
from tui_chat.client.net import transport


@pytest.fixture(scope="session")
def shared_basic_server() -> Generator[BasicNodeServer]:
    """Server process of all tests in the session; use `basic_server`."""
    server = BasicNodeServer()
    yield server
    server.close()


@pytest.fixture
def basic_server(shared_basic_server: BasicNodeServer) -> BasicNodeServer:
    """Server without acknowledgements and history, in its initial state."""
    shared_basic_server.reset()
    return shared_basic_server


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the detection of a basic server and the wait for an echo."""
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)
    monkeypatch.setattr("tui_chat.client.net.basic_server.ECHO_TIMEOUT", 0.5)
