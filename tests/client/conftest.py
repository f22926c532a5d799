from collections.abc import AsyncGenerator, Generator

import pytest

from server.app import RunningServer
from tests.support.free_port import reserved_port
from tests.support.tcp_proxy import TcpProxy, tcp_proxy


@pytest.fixture
async def proxy(server: RunningServer) -> AsyncGenerator[TcpProxy]:
    """Proxy in front of the server, for network faults."""
    async with tcp_proxy(server.port) as running:
        yield running


@pytest.fixture
def port() -> Generator[int]:
    """Port without a listener, reserved for the servers of the test."""
    with reserved_port() as reserved:
        yield reserved
